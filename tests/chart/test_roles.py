"""Rights and code: what a program calls in its source is what its roles allow."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

VERBS = {
    "get": "get",
    "list": "list",
    "create": "create",
    "merge_patch": "patch",
    "apply": "patch",
    "delete": "delete",
}


def calls(package: Path) -> set[tuple[str, str]]:
    """(resource constant, verb) of every call on something called kube."""
    found = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and (call := _call(node)):
                found.add(call)
    return found


def _call(node: ast.Call) -> tuple[str, str] | None:
    function = node.func
    if isinstance(function, ast.Name) and function.id == "Reflector":
        return _constant(node.args[1]), "watch"
    if not isinstance(function, ast.Attribute) or function.attr not in VERBS or not node.args:
        return None
    owner = function.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    if name not in ("kube", "_kube"):
        return None
    return _constant(node.args[0]), VERBS[function.attr]


def _constant(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "?")


@pytest.fixture(scope="module")
def roles(chart: Any) -> list[Json]:
    return [
        m for m in chart.render(chart.values("default")) if m["kind"] in ("Role", "ClusterRole")
    ]


def allowed(role: Json) -> set[tuple[str, str]]:
    return {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_api_may_do_exactly_what_its_code_does(root: Path, roles: list[Json]) -> None:
    constants = {"PROJECTS": "supabaseprojects", "SECRETS": "secrets"}
    wanted = {(constants[c], verb) for c, verb in calls(root / "api" / "supaplane_api")}
    wanted |= {("supabaseprojects", "list") for _, verb in wanted if verb == "watch"}
    (role,) = [r for r in roles if r["metadata"]["name"] == "supaplane-api"]
    assert role["kind"] == "Role"
    assert allowed(role) == wanted


def test_the_operator_may_do_what_its_code_names(root: Path, roles: list[Json]) -> None:
    constants = {
        "PROJECTS": "supabaseprojects",
        "NAMESPACES": "namespaces",
        "SECRETS": "secrets",
        "ROLE_BINDINGS": "rolebindings",
        "VOLUME_CLAIMS": "persistentvolumeclaims",
        "PODS": "pods",
        "LEASES": "leases",
        "CONFIG_MAPS": "configmaps",
        "EVENTS": "events",
        "CERTIFICATES": "certificates",
        "RESOURCE_QUOTAS": "resourcequotas",
    }
    generic = {"resource", "?"}  # kinds that come as values: the cluster tests see them
    found = {c for c in calls(root / "operator" / "supaplane_operator") if c[0] not in generic}
    ours = [r for r in roles if r["metadata"]["name"] != "supaplane-api"]
    everything = {right for role in ours for right in allowed(role)}
    assert {(constants[c], verb) for c, verb in found} <= everything
    assert len(found) > 10


def test_no_role_has_a_wildcard_or_a_verb_that_gives_rights_away(roles: list[Json]) -> None:
    rights = {right for role in roles for right in allowed(role)}
    words = {word for right in rights for word in right}
    assert "*" not in words
    assert not words & {"escalate", "impersonate", "deletecollection", "update", "pods/exec"}
    binds = [rule for role in roles for rule in role["rules"] if "bind" in rule["verbs"]]
    assert [rule["resourceNames"] for rule in binds] == [["supaplane-project"]]


def test_secrets_are_read_by_name_only_outside_of_projects(roles: list[Json]) -> None:
    for role in roles:
        if role["metadata"]["name"] != "supaplane-project":
            assert not {("secrets", "list"), ("secrets", "watch")} & allowed(role)


def test_nobody_but_the_operator_by_itself_binds_the_role_of_projects(chart: Any) -> None:
    for name, values in chart.sets().items():
        for manifest in chart.render(values):
            if manifest["kind"] in ("RoleBinding", "ClusterRoleBinding"):
                assert manifest["roleRef"]["name"] != "supaplane-project", name
