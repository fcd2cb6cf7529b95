"""How long until a child that somebody deleted or changed is as it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from supaplane_contract import names
from supaplane_kube import KubeClient, Resource
from supaplane_kube import resources as kinds
from supaplane_operator.children import WATCHED

GIVE_UP = 30.0
CHANGES: Mapping[Resource, dict[str, Any]] = {
    kinds.DEPLOYMENTS: {"spec": {"replicas": 3}},
    kinds.STATEFUL_SETS: {"spec": {"replicas": 3}},
    kinds.SERVICES: {"spec": {"selector": {names.LABEL_COMPONENT: "nobody"}}},
    kinds.NETWORK_POLICIES: {"spec": {"policyTypes": ["Ingress"]}},
    kinds.INGRESSES: {"spec": {"ingressClassName": "somebody-elses"}},
}
"""A change of each kind that people can change; a label of ours is changed besides."""


async def measure(kube: KubeClient, namespace: str) -> dict[str, float]:
    """Seconds from somebody's write to the repair, by what was done. Each is done three times and
    the middle one counts."""
    taken = {}
    for kind in WATCHED:
        ours = (await kube.list(kind, namespace)).items
        if not ours:
            continue
        name = ours[0]["metadata"]["name"]
        if kind is not kinds.VOLUME_CLAIMS:  # in use, it does not go
            taken[f"{kind.kind} deleted"] = await _middle(_deleted, kube, kind, namespace, name)
        if kind is not kinds.JOBS:
            taken[f"{kind.kind} changed"] = await _middle(_changed, kube, kind, namespace, name)
    return taken


async def _middle(what: Any, *arguments: Any) -> float:
    times = []
    for _ in range(3):
        times.append(await what(*arguments))
        await asyncio.sleep(1.5)
    return sorted(times)[1]


async def _deleted(kube: KubeClient, kind: Resource, namespace: str, name: str) -> float:
    before = await kube.get(kind, namespace, name)
    assert before is not None
    began = time.monotonic()
    await kube.delete(kind, namespace, name)
    while True:
        live = await kube.get(kind, namespace, name)
        if live is not None and live["metadata"]["uid"] != before["metadata"]["uid"]:
            return time.monotonic() - began
        await _pause(began)


async def _changed(kube: KubeClient, kind: Resource, namespace: str, name: str) -> float:
    before = await kube.get(kind, namespace, name)
    assert before is not None
    labels = {names.LABEL_PART_OF: "somebody-else"}
    change = {**CHANGES.get(kind, {}), "metadata": {"labels": labels}}
    began = time.monotonic()
    await kube.merge_patch(kind, namespace, name, change, manager="somebody")
    while True:
        live = await kube.get(kind, namespace, name)
        assert live is not None
        if all(live.get(part) == before.get(part) for part in ("spec", "data")) and (
            live["metadata"]["labels"] == before["metadata"]["labels"]
        ):
            return time.monotonic() - began
        await _pause(began)


async def _pause(began: float) -> None:
    if time.monotonic() - began > GIVE_UP:
        raise TimeoutError("not repaired within 30 s")
    await asyncio.sleep(0.01)
