"""Do running pods learn at once that a file of theirs is another?"""

from __future__ import annotations

from typing import Any

import pytest

from supaplane_contract import names
from supaplane_kube import Forbidden, NotFound
from supaplane_kube import resources as kinds
from supaplane_kube.memory import MemoryKube
from supaplane_kube.resources import PODS
from supaplane_operator.children import Child
from supaplane_operator.hurry import MARK, due, tell
from supaplane_operator.plan import Plan

NAME = (kinds.DEPLOYMENTS, "gateway")


def plan_of(live: str) -> Plan:
    meta = {"name": "gateway", "annotations": {MARK: live} if live else {}}
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta}
    return Plan((manifest,), frozenset(), False, frozenset(), {}, False)


def pod(name: str, component: str = "gateway", **meta: Any) -> dict[str, Any]:
    labels = {names.LABEL_REF: "ref", names.LABEL_COMPONENT: component}
    return {"metadata": {"name": name, "namespace": "ns", "labels": labels, **meta}}


def marks(kube: MemoryKube) -> dict[str, str | None]:
    found = [item["metadata"] for item in kube.all(PODS, "ns")]
    return {meta["name"]: (meta.get("annotations") or {}).get(MARK) for meta in found}


@pytest.mark.parametrize(
    ("child", "told"),
    [
        ({"live_inputs": "old", "pods": 1}, {"gateway": "new"}),
        ({"live_inputs": "new", "pods": 1}, {}),
        # nothing says what its pods have, and an upgrade of the operator is no reason to hurry
        ({"live_inputs": "", "pods": 1}, {}),
        ({"live_inputs": "old", "pods": 0}, {}),
    ],
)
def test_pods_are_told_when_there_are_any_and_their_live_inputs_change(
    child: dict[str, Any], told: dict[str, str]
) -> None:
    children = {NAME: Child(uid="u", shape="s", component="gateway", **child)}
    assert due(plan_of("new"), children) == told


def test_a_workload_that_is_made_now_tells_nobody() -> None:
    assert due(plan_of("new"), {}) == {}


async def test_the_pods_of_the_component_are_marked_and_no_others() -> None:
    kube = MemoryKube()
    for item in (pod("a"), pod("b"), pod("rest", "rest")):
        kube.put(PODS, item)
    await tell(kube, "ns", "ref", {"gateway": "new"})
    assert marks(kube) == {"a": "new", "b": "new", "rest": None}
    before = len(kube.writes)
    await tell(kube, "ns", "ref", {"gateway": "new"})
    assert len(kube.writes) == before, "who knows it is not told again"


@pytest.mark.parametrize(
    "error", [NotFound(404, "NotFound", "gone", {}), Forbidden(403, "Forbidden", "no", {})]
)
async def test_a_pod_that_cannot_be_told_is_left_to_the_kubelet(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    kube = MemoryKube()
    kube.put(PODS, pod("a"))

    async def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(kube, "merge_patch", refuse)
    await tell(kube, "ns", "ref", {"gateway": "new"})
    assert marks(kube) == {"a": None}


async def test_a_change_of_live_inputs_reaches_the_pods_after_their_secret(stage: Any) -> None:
    stage.renderer.live = "old"
    stage.make()
    namespace = await stage.active()
    ref = stage.status()["ref"]
    meta = {"name": "gateway-1", "namespace": namespace}
    labels = {names.LABEL_REF: ref, names.LABEL_COMPONENT: "gateway"}
    stage.kube.put(PODS, {"metadata": {**meta, "labels": labels}})
    revision = stage.workload("gateway")["metadata"]["generation"]
    before = len(stage.kube.writes)
    stage.renderer.live = "new"
    stage.annotate(nudge="1")

    def told() -> bool:
        found = stage.kube.peek(PODS, namespace, "gateway-1")["metadata"]
        return (found.get("annotations") or {}).get(MARK) == "new"

    await stage.until(told)
    order = [
        r.resource.kind for r in stage.kube.writes[before:] if r.resource.kind in ("Secret", "Pod")
    ]
    assert order[-1] == "Pod"
    assert "Secret" in order
    assert stage.workload("gateway")["metadata"]["generation"] == revision, "no pod is replaced"
