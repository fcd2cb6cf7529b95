"""An operator that renders differently is started: who is rolled when, on a real API server?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_kube import resources as kinds

pytestmark = pytest.mark.cluster

SHOPS = {f"shop-{n}": "u" * 18 + chr(ord("a") + n) + "p" for n in range(6)}
NEWER = """
from supaplane_operator.render import workload
before = workload._pod_spec
workload._pod_spec = lambda *a: before(*a) | {"terminationGracePeriodSeconds": 31}
"""
"""What a newer version renders differently: the same wish, another pod template."""


@pytest.fixture
def newer(tmp_path: Path) -> Mapping[str, str]:
    """The environment of an operator of a newer version."""
    folder = tmp_path / "newer"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(NEWER)
    return {"PYTHONPATH": str(folder)}


@pytest.mark.slow
async def test_no_more_projects_than_allowed_are_rolled_at_once(cluster, new_operator, newer):
    older = new_operator()
    older.start()
    for name, ref in SHOPS.items():
        await cluster.make(name, ref=ref)
    for name in SHOPS:
        await cluster.until_phase(name, "ACTIVE_HEALTHY", 120)
    older.stop()
    cluster.mark()
    same = new_operator()
    same.start()
    await asyncio.sleep(5)
    same.stop()
    assert [w["objectRef"] for w in cluster.writes()] == [], "with the same renderer nothing rolls"

    most = 0
    operator = new_operator(environ=newer | {"SUPAPLANE_ROLLOUT_CONCURRENCY": "2"})
    operator.start()

    async def all_rolled() -> bool:
        nonlocal most
        states = await _states(cluster, SHOPS.values())
        most = max(most, states.count("between"))
        return states.count("new") == len(SHOPS)

    await cluster.until(all_rolled, 180)
    assert 1 <= most <= 2
    for name in SHOPS:
        await cluster.until(lambda name=name: _up_to_date(cluster, name))
        await cluster.until_phase(name, "ACTIVE_HEALTHY")


async def _up_to_date(cluster: Any, name: str) -> bool:
    return (await cluster.condition(name, "UpToDate"))["status"] == "True"


async def _states(cluster: Any, refs: Iterable[str]) -> list[str]:
    """`old`, `new` or `between`, for each project: all as of one moment."""
    selector = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
    deployments = (await cluster.kube.list(kinds.DEPLOYMENTS, label_selector=selector)).items
    return [
        _state([d for d in deployments if d["metadata"]["labels"][names.LABEL_REF] == ref])
        for ref in refs
    ]


def _state(deployments: Sequence[dict[str, Any]]) -> str:
    templates = [d["spec"]["template"]["spec"] for d in deployments]
    new = [template["terminationGracePeriodSeconds"] == 31 for template in templates]
    if not any(new):
        return "old"
    return "new" if all(new) and all(map(_is_rolled, deployments)) else "between"


def _is_rolled(deployment: dict[str, Any]) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = [status.get(k, 0) for k in ("replicas", "updatedReplicas", "readyReplicas")]
    return seen and counts == [wanted] * 3
