"""What does a person see who has nothing but kubectl?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from supaplane_devcluster import Cluster

pytestmark = pytest.mark.cluster

STATUS = {
    "ref": "abcdefghijklmnopqrst",
    "phase": "ACTIVE_HEALTHY",
    "ready": "6/6",
    "release": "2026.9.1",
    "endpoints": {"api": "https://abcdefghijklmnopqrst.example.org"},
    "message": "all six components are ready",
}


@pytest.fixture(scope="module")
def shown(devcluster: Cluster, namespace: str) -> Iterator[str]:
    """A project with a status, in a namespace where no other is."""
    body = {
        "apiVersion": "supaplane.dev/v1alpha1",
        "kind": "SupabaseProject",
        "metadata": {"name": "shown", "namespace": namespace},
    }
    devcluster.kubectl("apply", "-f", "-", input=json.dumps(body))
    patch = json.dumps({"status": STATUS})
    devcluster.kubectl(
        "patch", "sbp", "shown", "-n", namespace,
        "--subresource=status", "--type=merge", "-p", patch,
    )  # fmt: skip
    yield "shown"
    devcluster.kubectl("delete", "sbp", "shown", "-n", namespace)


def table(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_a_project_is_one_line_with_what_matters(
    devcluster: Cluster, namespace: str, shown: str
) -> None:
    head, row = table(devcluster.kubectl("get", "sbp", shown, "-n", namespace).stdout)
    assert head == ["NAME", "REF", "PHASE", "READY", "SIZE", "RELEASE", "URL", "AGE"]
    assert row[:-1] == [
        "shown",
        "abcdefghijklmnopqrst",
        "ACTIVE_HEALTHY",
        "6/6",
        "nano",
        "2026.9.1",
        "https://abcdefghijklmnopqrst.example.org",
    ]


def test_the_wide_line_has_the_message(devcluster: Cluster, namespace: str, shown: str) -> None:
    head, row = table(devcluster.kubectl("get", "sbp", shown, "-n", namespace, "-o", "wide").stdout)
    assert head[-1] == "MESSAGE"
    assert row[-1] == "all six components are ready"


@pytest.mark.parametrize(
    "word", ["supabaseproject", "supabaseprojects", "sbp", "supabase", "supaplane"]
)
def test_it_answers_to_all_its_names_and_to_the_category(
    devcluster: Cluster, namespace: str, shown: str, word: str
) -> None:
    assert shown in devcluster.kubectl("get", word, "-n", namespace, "-o", "name").stdout


def test_a_phase_can_be_waited_for(devcluster: Cluster, namespace: str, shown: str) -> None:
    what = "--for=jsonpath={.status.phase}=ACTIVE_HEALTHY"
    devcluster.kubectl("wait", what, "sbp", shown, "-n", namespace, "--timeout=5s")


def test_explain_reads_like_documentation(devcluster: Cluster) -> None:
    text = devcluster.kubectl("explain", "supabaseproject.spec.database").stdout
    assert "PostgreSQL: version, volume, parameters and access." in text
    assert re.search(r"version\s+<string>\s+Major version of PostgreSQL; cannot change.", text)
    deep = devcluster.kubectl("explain", "sbp.spec.auth.jwtExpirySeconds").stdout
    assert "Life of an access token, in seconds. Default: 3600." in " ".join(deep.split())


def test_explain_names_the_words_that_a_field_takes(devcluster: Cluster) -> None:
    text = devcluster.kubectl("explain", "sbp.spec.desiredState").stdout
    assert re.search(r"(?i)enum:\s*\n\s*Running\s*\n\s*Paused", text) or "Running, Paused" in text


def test_every_field_that_the_server_publishes_is_explained(devcluster: Cluster) -> None:
    raw = devcluster.kubectl("get", "--raw", "/openapi/v3/apis/supaplane.dev/v1alpha1").stdout
    schemas = json.loads(raw)["components"]["schemas"]
    (project,) = [part for name, part in schemas.items() if name.endswith(".SupabaseProject")]
    for top in ("spec", "status"):
        assert list(undescribed(project["properties"][top], top)) == []


def undescribed(node: dict[str, Any], path: str) -> Iterator[str]:
    for name, part in node.get("properties", {}).items():
        if not part.get("description"):
            yield f"{path}.{name}"
        yield from undescribed(part, f"{path}.{name}")
        yield from undescribed(part.get("items", {}), f"{path}.{name}[]")


def test_the_definition_can_be_applied_by_plain_kubectl_apply(
    devcluster: Cluster, root: Path
) -> None:
    """Client-side apply keeps the whole text in an annotation, of which 256 KiB is the limit."""
    path = root / "crds" / "supabaseprojects.yaml"
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    text = json.dumps(definition)
    renamed = text.replace("supaplane.dev", "apply.example.org").replace("helm.sh", "x.example.org")
    applied = devcluster.kubectl("apply", "-f", "-", input=renamed)
    try:
        assert "created" in applied.stdout
        assert applied.stderr == ""
    finally:
        devcluster.kubectl("delete", "crd", "supabaseprojects.apply.example.org")


def test_the_server_finds_nothing_to_warn_about(devcluster: Cluster, root: Path) -> None:
    path = str(root / "crds" / "supabaseprojects.yaml")
    dry = devcluster.kubectl("apply", "--server-side", "--dry-run=server", "-f", path)
    assert dry.stderr == ""


def test_all_conditions_of_the_definition_are_good(devcluster: Cluster) -> None:
    name = "supabaseprojects.supaplane.dev"
    crd = json.loads(devcluster.kubectl("get", "crd", name, "-o", "json").stdout)
    found = {c["type"]: c["status"] for c in crd["status"]["conditions"]}
    assert found["Established"] == "True"
    assert found["NamesAccepted"] == "True"
    assert found.get("NonStructuralSchema", "False") == "False"
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
