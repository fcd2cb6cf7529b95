"""Every right is used, and every request is covered by a right: counted in the API server's log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from supaplane_operator.children import WATCHED
from supaplane_operator.projects import PROJECTS

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

Json = dict[str, Any]
HOME = "supaplane-projects"
PROJECT = f"/apis/supaplane.dev/v1alpha1/namespaces/{HOME}/supabaseprojects/eventful"

USED_ELSEWHERE = {
    # a project whose last key of that kind of object is taken away; not every kind is ever pruned
    ("project", "", "configmaps", "delete"): "a component loses its last file of settings",
    ("project", "", "limitranges", "delete"): "an older version had more of them",
    ("project", "", "serviceaccounts", "delete"): "an older version had one for each component",
    ("project", "rbac.authorization.k8s.io", "rolebindings", "delete"): "the same",
    ("project", "batch", "jobs", "create"): "components that have Jobs",
    ("project", "batch", "jobs", "patch"): "components that have Jobs",
    ("project", "batch", "jobs", "delete"): "components that have Jobs",
    ("project", "", "events", "list"): "a component whose pods are refused, or cannot start",
    ("project", "cert-manager.io", "certificates", "list"): "a project with a tls issuer",
    # Gateway API is not installed here; its list is asked for, and answered by 404
    ("project", "gateway.networking.k8s.io", "httproutes", "create"): "Gateway API",
    ("project", "gateway.networking.k8s.io", "httproutes", "patch"): "Gateway API",
    ("project", "gateway.networking.k8s.io", "httproutes", "delete"): "Gateway API",
    # bind is asked of RBAC by the API server itself, and stands in no log
    ("cluster", "rbac.authorization.k8s.io", "clusterroles", "bind"): "making its RoleBinding",
}
"""Rights that this story does not use, and who does."""

UNDER_POLICIES = ("namespaces", "rolebindings", "supabaseprojects")

Right = tuple[str, str, str, str]
"""Where (cluster, project, home or system), API group, resource with subresource, verb."""


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    right: Right
    code: int
    name: str
    forbidden: bool
    """By RBAC, or by one of our policies."""


def requests(log: Path, agent: str) -> Iterator[Entry]:
    """What a program asked of the API server, discovery apart."""
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if not event.get("userAgent", "").startswith(agent) or "objectRef" not in event:
            continue
        ref = event["objectRef"]
        resource = "/".join(filter(None, (ref["resource"], ref.get("subresource", ""))))
        code = event.get("responseStatus", {}).get("code", 0)
        where = scope(ref.get("namespace", "") if resource != "namespaces" else "")
        right = (where, ref.get("apiGroup", ""), resource, event["verb"])
        decision = event.get("annotations", {}).get("authorization.k8s.io/decision")
        ruled_out = code in (403, 422) and ref["resource"] in UNDER_POLICIES
        yield Entry(right, code, ref.get("name", ""), decision == "forbid" or ruled_out)


def scope(namespace: str) -> str:
    if namespace.startswith("supabase-"):
        return "project"
    return {"": "cluster", HOME: "home", "supaplane-system": "system"}[namespace]


def granted(manifests: list[Json], component: str) -> set[Right]:
    """What the roles of the chart allow a component."""
    places = {"supaplane-projects": "home", "supaplane-system": "system"}
    found = set()
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        if manifest["kind"] == "ClusterRole" and component == "supaplane-operator":
            where = "project" if name == "supaplane-project" else "cluster"
        elif manifest["kind"] == "Role" and name == component:
            where = places[manifest["metadata"]["namespace"]]
        else:
            continue
        for rule in manifest["rules"]:
            found |= {
                (where, group, resource, verb)
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for verb in rule["verbs"]
            }
    return found


@pytest.fixture(scope="module")
def whole_life(projects: Any, admin: Any, running_operator: Any, platform: Any) -> list[Entry]:
    """A project through everything that can happen to it; what the operator asked meanwhile."""
    projects.make(
        "eventful",
        deletion={"policy": "Retain"},
        rest={"autoscaling": {"minReplicas": 1, "maxReplicas": 3}},
    )
    inside = projects.until("eventful", "ACTIVE_HEALTHY")["namespace"]
    scalers = f"/apis/autoscaling/v2/namespaces/{inside}/horizontalpodautoscalers"
    assert len(admin.send("GET", scalers).json()["items"]) == 1
    damage(admin, inside)
    change(projects, admin, rest={"autoscaling": {"minReplicas": 1, "maxReplicas": 4}})
    change(
        projects,
        admin,
        rest={"autoscaling": None},
        studio={"enabled": False},
        ingress={"kind": "None"},
        network={"restrict": False},
        size="medium",
    )
    assert admin.send("GET", scalers).json()["items"] == []
    projects.change("eventful", desiredState="Paused")
    projects.until("eventful", "INACTIVE")
    projects.change("eventful", desiredState="Running", ingress={"kind": "Ingress"})
    projects.until("eventful", "ACTIVE_HEALTHY")
    projects.delete("eventful")
    projects.make("eventful", deletion={"policy": "Delete"})
    projects.until("eventful", "ACTIVE_HEALTHY")
    lose_a_key(admin)
    change(projects, admin, database={"storage": {"size": "64Gi"}})
    projects.delete("eventful")
    return list(requests(platform.cluster.audit_log, "supaplane-operator"))


def change(projects: Any, admin: Any, **spec: Any) -> None:
    """Changes the project, and waits until that is done."""
    projects.change("eventful", **spec)
    deadline = time.monotonic() + 60
    generation = admin.send("GET", PROJECT).json()["metadata"]["generation"]
    while not is_done(status := projects.status("eventful"), generation):
        assert time.monotonic() < deadline, status
        time.sleep(0.2)


def is_done(status: Json, generation: int) -> bool:
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    return ready["observedGeneration"] == generation and ready["status"] == "True"


def damage(admin: Any, inside: str) -> None:
    """Objects of kinds that are not watched are changed by hand, and mended at the next pass."""
    core, label = (
        f"/api/v1/namespaces/{inside}",
        {"metadata": {"labels": {"supaplane.dev/component": "x"}}},
    )
    for path in (
        "secrets/rest",
        "serviceaccounts/project",
        "resourcequotas/project",
        "limitranges/project",
    ):
        assert admin.patch(f"{core}/{path}", label).status_code == 200
    binding = (
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{inside}/rolebindings/supaplane-operator"
    )
    part_of = {"metadata": {"labels": {"app.kubernetes.io/part-of": "x"}}}
    assert admin.patch(binding, part_of).status_code == 200


def lose_a_key(admin: Any) -> None:
    """A key goes from the master Secret; the operator puts it back from the copy."""
    path = f"/api/v1/namespaces/{HOME}/secrets/eventful-credentials"
    before = admin.send("GET", path).json()["data"]["anon-key"]
    assert admin.patch(path, {"data": {"anon-key": None}}).status_code == 200
    poke = {"metadata": {"annotations": {"poked": "1"}}}
    assert admin.patch(PROJECT, poke).status_code == 200
    deadline = time.monotonic() + 60
    while admin.send("GET", path).json()["data"].get("anon-key") != before:
        assert time.monotonic() < deadline, "the key did not come back"
        time.sleep(0.2)


def test_the_operator_asks_for_nothing_that_it_may_not(whole_life: list[Entry]) -> None:
    refused = {(e.right, e.name) for e in whole_life if e.forbidden}
    # How it finds out that the RoleBinding that it just made is honoured.
    waiting = {(("project", "", "secrets", "get"), "credentials")}
    assert refused <= waiting


def test_the_operator_needs_every_right_that_it_has(whole_life: list[Entry], platform: Any) -> None:
    manifests = platform.chart.render(platform.values)
    rights = granted(manifests, "supaplane-operator")
    used = set()
    for entry in whole_life:
        if entry.code >= 400 and entry.code != 404:
            continue
        used.add(entry.right)
        # An apply that makes something needs `create` as well, though the log says patch.
        if entry.right[3] == "patch" and entry.code == 201:
            used.add((*entry.right[:3], "create"))
    everywhere = {right[1:] for right in rights if right[0] == "cluster"}
    asked = {
        ("cluster", *right[1:]) if right not in rights and right[1:] in everywhere else right
        for right in used
    }
    # A watch stands in the log when it ends, and these go on.
    watched = {("cluster", r.group, r.plural, "watch") for r in (*WATCHED, PROJECTS)}
    assert asked | watched <= rights
    assert rights - asked - watched == set(USED_ELSEWHERE)
    assert len(asked) > 50
