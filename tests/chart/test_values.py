"""Values: all known, documented and used; what is mistyped is refused before it is installed."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

Json = dict[str, Any]

MISTYPED = [
    ({"domainBas": "x.example.org"}, "domainBas"),
    ({"operator": {"replica": 3}}, "replica"),
    ({"operator": {"deadlines": {"goingdown": 3}}}, "goingdown"),
    ({"api": {"database": {"url": "postgresql://u:p@h/d"}}}, "url"),
    ({"homeNamespaces": []}, "homeNamespaces"),
    ({"homeNamespaces": "supaplane-projects"}, "homeNamespaces"),
    ({"guards": {"namespaces": "no"}}, "namespaces"),
    ({"projects": {"ingress": {"kind": "ingress"}}}, "kind"),
    ({"operator": {"workers": 0}}, "workers"),
    ({"operator": {"image": {"digest": "latest"}}}, "digest"),
    ({"domainBase": "https://example.org"}, "domainBase"),
    ({"dns": {"hook": {"url": "dns.example.org"}}}, "url"),
    ({"releases": {"url": "http://releases.example.org"}}, "url"),
    ({"dns": {"externalDns": {"annotationPrefix": "external-dns"}}}, "annotationPrefix"),
]


def leaves(values: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every value that can be set, by its path; an empty map is a value."""
    for key, value in values.items():
        if isinstance(value, dict) and value and key not in ("resources", "labels"):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


@pytest.fixture(scope="module")
def defaults(chart: Any) -> Json:
    found: Json = yaml.safe_load((chart.folder / "values.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def schema(chart: Any) -> Json:
    found: Json = json.loads((chart.folder / "values.schema.json").read_text())
    return found


def test_helm_finds_nothing_to_complain_about(chart: Any) -> None:
    for file in sorted((chart.folder / "ci").glob("*-values.yaml")):
        chart.run("lint", str(chart.folder), "--strict", "--values", str(file))


def test_every_value_is_in_the_schema_and_every_property_of_it_is_a_value(
    defaults: Json, schema: Json
) -> None:
    jsonschema.validate(defaults, schema)
    compared = 0

    def compare(values: Json, node: Json, path: str) -> None:
        nonlocal compared
        if "$ref" in node:
            node = schema["definitions"][node["$ref"].rpartition("/")[2]]
        if "properties" not in node or path.endswith("resources"):
            return
        known = set(node["properties"]) - ({"global"} if not path else set())
        assert set(values) == known, path
        assert node["additionalProperties"] is False, path
        compared += 1
        for key, value in values.items():
            if isinstance(value, dict):
                compare(value, node["properties"][key], f"{path}.{key}")

    compare(defaults, schema, "")
    assert compared > 20


@pytest.mark.parametrize(("values", "named"), MISTYPED, ids=[json.dumps(v) for v, _ in MISTYPED])
def test_a_mistyped_value_is_refused_by_name(
    chart: Any, refusal: type[Exception], values: Json, named: str
) -> None:
    good = chart.values("default")
    merged = {**good, **values}
    if "api" in values:
        merged["api"] = {"database": {**good["api"]["database"], **values["api"]["database"]}}
    with pytest.raises(refusal, match=named):
        chart.render(merged)


def test_every_value_is_documented_by_a_comment_above_it(chart: Any, defaults: Json) -> None:
    lines = (chart.folder / "values.yaml").read_text().splitlines()
    documented, path = set(), []
    for before, line in itertools.pairwise(lines):
        match = re.match(r"^( *)([A-Za-z]+):", line)
        if not match:
            continue
        path = [*path[: len(match[1]) // 2], match[2]]
        if before.strip().startswith("#"):
            documented.add(tuple(path))
    undocumented = [".".join(leaf) for leaf in leaves(defaults) if leaf not in documented]
    assert not undocumented


def test_every_value_changes_something(chart: Any, defaults: Json) -> None:
    """ci/full-values.yaml sets another value everywhere; with the default put back in one place,
    something else must come out."""
    full, inert = chart.values("full") | {"crds": {"install": False}}, []
    whole = chart.text(full)
    for leaf in leaves(full):
        values = json.loads(json.dumps(full))
        parent: Any = values
        for key in leaf[:-1]:
            parent = parent[key]
        default: Any = defaults
        for key in leaf:
            default = default[key] if isinstance(default, dict) and key in default else None
        if parent[leaf[-1]] == default:
            continue
        del parent[leaf[-1]]
        if leaf == ("domainBase",):
            values["domainBase"] = "q.example.org"
        if leaf == ("api", "database", "existingSecret", "name"):
            parent["name"] = "other"
        if leaf == ("dns", "hook", "keySecret", "name"):
            parent["name"] = "other"
        if leaf == ("api", "mail", "from"):
            parent["from"] = "other@example.org"
        if leaf == ("api", "studioUrl"):
            parent["studioUrl"] = "https://other.example.org"
        if chart.text(values) == whole:
            inert.append(".".join(leaf))
    assert not inert


def test_every_value_is_exercised_by_a_set_of_values(chart: Any, defaults: Json) -> None:
    set_somewhere = {leaf for values in chart.sets().values() for leaf in leaves(values)}
    covered = {leaf[:n] for leaf in set_somewhere for n in range(1, len(leaf) + 1)}
    assert {".".join(leaf) for leaf in leaves(defaults) if leaf not in covered} == {
        "api.image.digest"  # the same helper as operator.image.digest
    }


def test_what_must_be_said_is_asked_for_by_name(chart: Any, refusal: type[Exception]) -> None:
    with pytest.raises(refusal, match="domainBase is needed"):
        chart.render({})
    with pytest.raises(refusal, match=r"api\.database\.existingSecret\.name is needed"):
        chart.render({"domainBase": "p.example.org"})
    hook = chart.values("default") | {"dns": {"hook": {"url": "https://dns.example.org"}}}
    with pytest.raises(refusal, match=r"dns\.hook\.keySecret\.name is needed"):
        chart.render(hook)


@pytest.mark.parametrize("home", ["kube-system", "default", "supabase-abcdefghijklmnopqrst"])
def test_a_namespace_with_secrets_of_others_cannot_be_a_home(
    chart: Any, refusal: type[Exception], home: str
) -> None:
    with pytest.raises(refusal, match="cannot be a home namespace"):
        chart.render({**chart.values("default"), "homeNamespaces": [home]})


def test_the_release_cannot_live_in_a_home_namespace(chart: Any, refusal: type[Exception]) -> None:
    with pytest.raises(refusal, match="must not be in a home namespace"):
        chart.render(chart.values("default"), namespace="supaplane-projects")


def test_the_chart_says_which_kubernetes_it_needs(chart: Any, refusal: type[Exception]) -> None:
    values = str(chart.folder / "ci" / "default-values.yaml")
    template = ("template", "x", str(chart.folder), "--values", values, "--kube-version")
    chart.run(*template, "1.31.0")
    with pytest.raises(refusal, match="incompatible"):
        chart.run(*template, "1.30.9")


def test_no_host_of_a_registry_is_written_down(chart: Any) -> None:
    values = yaml.safe_load((chart.folder / "values.yaml").read_text())
    for component in ("operator", "api"):
        assert "." not in values[component]["image"]["repository"].partition("/")[0]
    assert isinstance(chart.folder, Path)
