"""An operator that renders differently is started: who is rolled when, on a real API server?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
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
    rolled: set[str] = set()
    operator = new_operator(environ=newer | {"SUPAPLANE_ROLLOUT_CONCURRENCY": "2"})
    operator.start()

    async def all_rolled() -> bool:
        nonlocal most
        rolling = 0
        for name, ref in SHOPS.items():
            grace, settled = await _rollout(cluster, names.project_namespace(ref))
            if 31 in grace:
                rolled.add(name)
            rolling += 31 in grace and not (settled and grace == {31})
        most = max(most, rolling)
        return len(rolled) == len(SHOPS) and rolling == 0

    await cluster.until(all_rolled, 120)
    assert 1 <= most <= 2
    for name in SHOPS:
        await cluster.until_phase(name, "ACTIVE_HEALTHY")
        assert (await cluster.condition(name, "UpToDate"))["status"] == "True"


async def _rollout(cluster: Any, namespace: str) -> tuple[set[int], bool]:
    """The grace periods in the templates of a project, and whether all its pods are as they say."""
    grace, settled = set(), True
    for kind in (kinds.DEPLOYMENTS, kinds.STATEFUL_SETS):
        for item in (await cluster.kube.list(kind, namespace)).items:
            spec, status = item["spec"], item.get("status", {})
            if item["metadata"]["name"] != "db":  # which has a grace period of its own
                grace.add(spec["template"]["spec"]["terminationGracePeriodSeconds"])
            ready = status.get("readyReplicas", 0) == status.get("replicas", 0) == spec["replicas"]
            seen = status.get("observedGeneration") == item["metadata"]["generation"]
            settled = settled and ready and seen
    return grace, settled
