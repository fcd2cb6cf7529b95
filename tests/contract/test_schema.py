"""Do the definition in crds/ and the models say the same, and is it one that Kubernetes takes?

The API server itself is asked in the tests of `on_a_cluster`; here stands what can be known without
one.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from supaplane_contract import ProjectSpec, names, schema, spec_to_manifest
from supaplane_contract.fields import VALIDATIONS
from supaplane_contract.schema import structural

Json = dict[str, Any]
KUBECTL_ANNOTATION_LIMIT = 256 * 1024
MOST = {"string": "maxLength", "array": "maxItems"}


@pytest.fixture(scope="session")
def written(root: Path) -> Json:
    """The definition as it lies in the repository."""
    text = (root / "crds" / "supabaseprojects.yaml").read_text(encoding="utf-8")
    definition: Json = yaml.safe_load(text)
    return definition


@pytest.fixture(scope="session")
def whole(written: Json) -> Json:
    (version,) = written["spec"]["versions"]
    found: Json = version["schema"]["openAPIV3Schema"]
    return found


@pytest.fixture(scope="session")
def judge(whole: Json) -> jsonschema.Draft202012Validator:
    """Judges a spec as the API server does with fieldValidation=Strict, but for rules in CEL."""
    return jsonschema.Draft202012Validator(strict(whole["properties"]["spec"]))


def strict(node: Json) -> Json:
    """A structural schema as an ordinary JSON schema that refuses unknown fields."""
    out = {
        key: value for key, value in node.items() if not key.startswith("x-") and key != "format"
    }
    if node.get("x-kubernetes-int-or-string"):
        out["type"] = ["integer", "string"]
    if "properties" in node:
        out["properties"] = {name: strict(part) for name, part in node["properties"].items()}
        out["additionalProperties"] = False
    for inner in ("items", "additionalProperties"):
        if inner in node:
            out[inner] = strict(node[inner])
    return out


def nodes(node: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    yield path, node
    for name, part in node.get("properties", {}).items():
        yield from nodes(part, f"{path}.{name}")
    for inner in ("items", "additionalProperties"):
        if inner in node:
            yield from nodes(node[inner], f"{path}[]")


def test_the_file_is_what_the_models_say(written: Json) -> None:
    assert written == schema.crd()


def test_the_definition_is_small_enough_for_client_side_apply(written: Json) -> None:
    assert len(json.dumps(written)) < KUBECTL_ANNOTATION_LIMIT * 0.5


def test_it_is_called_as_the_design_calls_it(written: Json) -> None:
    assert written["metadata"]["name"] == "supabaseprojects.supaplane.dev"
    assert written["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert written["spec"]["scope"] == "Namespaced"
    assert written["spec"]["names"] == {
        "kind": "SupabaseProject",
        "listKind": "SupabaseProjectList",
        "plural": "supabaseprojects",
        "singular": "supabaseproject",
        "shortNames": ["sbp", "supabase"],
        "categories": ["supaplane"],
    }
    (version,) = written["spec"]["versions"]
    assert (version["name"], version["served"], version["storage"]) == (names.VERSION, True, True)
    assert version["subresources"] == {"status": {}}


def test_the_columns_are_those_of_the_design(written: Json) -> None:
    columns = written["spec"]["versions"][0]["additionalPrinterColumns"]
    shown = [column["name"] for column in columns if not column.get("priority")]
    assert shown == ["Ref", "Phase", "Ready", "Size", "Release", "URL", "Age"]
    assert [column["name"] for column in columns if column.get("priority") == 1] == ["Message"]


def test_every_field_has_a_description(whole: Json) -> None:
    nameless = [
        f"{path}.{name}"
        for path, node in nodes(whole)
        for name, part in node.get("properties", {}).items()
        if not part.get("description") and (path, name) != ("", "metadata")
    ]
    assert nameless == []


def test_every_description_is_a_sentence(whole: Json) -> None:
    told = {node["description"] for _, node in nodes(whole) if "description" in node}
    assert [text for text in told if not text.endswith(".") or "`" in text or "\n" in text] == []


def test_everything_that_can_grow_has_a_limit(whole: Json) -> None:
    unlimited = []
    for path, node in nodes(whole):
        limit = MOST.get(node.get("type", ""))
        if "additionalProperties" in node:
            limit = "maxProperties"
        fixed = "enum" in node or path in (".apiVersion", ".kind")
        if limit and limit not in node and not fixed:
            unlimited.append(path)
    assert unlimited == []


def test_every_node_is_structural(whole: Json) -> None:
    forbidden = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "not", "propertyNames", "title"}
    forbidden |= {"patternProperties", "uniqueItems", "nullable", "const"}
    for path, node in nodes(whole):
        assert not forbidden & set(node), path
        assert ("type" in node) != bool(node.get("x-kubernetes-int-or-string")), path
        assert not ("properties" in node and "additionalProperties" in node), path


def test_words_of_the_status_stay_open_for_a_newer_operator(whole: Json) -> None:
    status = whole["properties"]["status"]
    assert [path for path, node in nodes(status) if "enum" in node] == []
    assert [path for path, node in nodes(status) if "default" in node] == []


def test_lists_of_the_status_are_keyed(whole: Json) -> None:
    status = whole["properties"]["status"]["properties"]
    for name, key in (("conditions", "type"), ("components", "name")):
        assert status[name]["x-kubernetes-list-type"] == "map"
        assert status[name]["x-kubernetes-list-map-keys"] == [key]
        assert key in status[name]["items"]["required"]


def test_every_rule_tells_a_person_what_to_do(whole: Json) -> None:
    rules = [rule for _, node in nodes(whole) for rule in node.get(VALIDATIONS, ())]
    assert len(rules) > 20
    for rule in rules:
        assert len(rule["message"]) > 15
        assert "\n" not in rule["message"]


# What release, size or platform decide: a default written into every object would bind them.
DECIDED_ELSEWHERE = {"enabled", "replicas", "release", "poolSize", "defaultPoolSize", "resources"}
DECIDED_ELSEWHERE |= {"host", "className", "maxClientConnections", "autoConfirmEmail", "siteUrl"}


def test_what_a_later_release_would_decide_otherwise_has_no_default(whole: Json) -> None:
    spec = whole["properties"]["spec"]
    bound = [
        f"{path}.{name}"
        for path, node in nodes(spec)
        for name, part in node.get("properties", {}).items()
        if name in DECIDED_ELSEWHERE and "default" in part
    ]
    # switches of their own, not those of a component
    own = {".database.external.enabled", ".ingress.tls.enabled", ".pooler.external.enabled"}
    assert set(bound) == own


def test_defaults_of_the_schema_are_those_of_the_models(whole: Json) -> None:
    filled = defaulted(whole["properties"]["spec"], {})
    spec = ProjectSpec.model_validate(filled)
    assert spec == ProjectSpec()
    assert filled["auth"]["jwtExpirySeconds"] == 3600
    assert filled["database"]["storage"] == {}


def defaulted(node: Json, value: Any) -> Any:
    """As the API server fills in defaults, from the outside in."""
    if not isinstance(value, dict) or "properties" not in node:
        return value
    out = dict(value)
    for name, part in node["properties"].items():
        if name not in out and "default" in part:
            out[name] = copy.deepcopy(part["default"])
        if name in out:
            out[name] = defaulted(part, out[name])
    return out


@given(data=st.data())
def test_what_the_models_take_the_schema_takes(
    specs: st.SearchStrategy[ProjectSpec],
    judge: jsonschema.Draft202012Validator,
    data: st.DataObject,
) -> None:
    judge.validate(spec_to_manifest(data.draw(specs)))


DAMAGE: list[Any] = ["", "x", "A", "ä b", "x" * 5000, -1, 0, 1, 10**13, 1.5, True]
DAMAGE += [[], ["x"], {}, [{}]]
RULED = ("host", "customDomains")
"""Refused by a rule in CEL, whose message says more than a pattern; not by the schema alone."""


@given(data=st.data())
def test_what_the_schema_refuses_the_models_refuse_and_the_other_way_round(
    specs: st.SearchStrategy[ProjectSpec],
    judge: jsonschema.Draft202012Validator,
    data: st.DataObject,
) -> None:
    good = spec_to_manifest(data.draw(specs))
    places = [place for place in walk(good) if place and place[0] not in RULED]
    assume(places)
    place = places[data.draw(st.integers(0, len(places) - 1))]
    bad = damaged(good, place, DAMAGE[data.draw(st.integers(0, len(DAMAGE) - 1))])
    assert model_takes(bad) == judge.is_valid(bad), bad


@given(data=st.data())
def test_a_typo_is_refused_at_any_depth_by_both(
    specs: st.SearchStrategy[ProjectSpec],
    judge: jsonschema.Draft202012Validator,
    data: st.DataObject,
) -> None:
    good = spec_to_manifest(data.draw(specs))
    named = [place for place in walk(good) if is_model(good, place)]
    place = named[data.draw(st.integers(0, len(named) - 1))]
    bad = damaged(good, (*place, "tpyo"), 1)
    assert not model_takes(bad)
    assert not judge.is_valid(bad)


MAPS = ("images", "annotations", "parameters", "settings", "secretRefs")


def is_model(value: Any, place: tuple[Any, ...]) -> bool:
    """Whether the object at that place has named fields."""
    for part in place:
        value = value[part]
    return isinstance(value, dict) and not (place and place[-1] in MAPS)


def walk(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(value, dict):
        for key, part in value.items():
            yield from walk(part, (*place, key))
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from walk(part, (*place, index))


def damaged(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    bad = inner = copy.deepcopy(value)
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = new
    return bad


def model_takes(raw: Json) -> bool:
    try:
        ProjectSpec.model_validate(raw)
    except ValidationError:
        return False
    return True


def test_a_map_without_a_kind_of_value_is_refused() -> None:
    class Loose(BaseModel):
        anything: dict[str, Any]

    with pytest.raises(ValueError, match=r"Loose\.anything"):
        structural(Loose)


def test_a_union_of_kinds_is_refused() -> None:
    class Either(BaseModel):
        value: int | str

    with pytest.raises(ValueError):
        structural(Either)


def test_keys_of_a_map_are_ruled_in_cel() -> None:
    class Keyed(BaseModel):
        """Has a map."""

        held: dict[str, int] = Field({}, max_length=3)
        """What is held."""

    assert "patternProperties" not in json.dumps(structural(Keyed))
