"""A project with everything: does it come up, rest, pause and come back as one thing?"""

from __future__ import annotations

import pytest

from supaplane_kube import resources as kinds

pytestmark = pytest.mark.cluster

DEFAULT: dict[str, dict[str, bool]] = {
    name: {} for name in ("realtime", "storage", "functions", "pooler")
}
"""Left to the release."""
EVERYTHING = DEFAULT | {"analytics": {"enabled": True}}
REF = "e" * 19


async def test_a_project_with_everything_comes_up_and_then_nothing_is_written(cluster, operator):
    await cluster.make("all", ref=REF + "a", size="dev", **EVERYTHING)
    namespace = await cluster.until_phase("all", "ACTIVE_HEALTHY")
    assert (await cluster.status("all"))["ready"] == "13/13"
    ((_, name),) = await cluster.objects(namespace, kinds.JOBS)
    assert name.startswith("objectstore-bucket-")
    passes = operator.count('supaplane_reconcile_total{result="ok"}')
    cluster.mark()
    await cluster.patch("all", {"metadata": {"labels": {"touched": "yes"}}})

    async def looked() -> bool:
        return operator.count('supaplane_reconcile_total{result="ok"}') > passes

    await cluster.until(looked)
    assert cluster.writes() == []


async def test_a_project_that_wishes_for_nothing_has_what_the_release_has(cluster, operator):
    await cluster.make("all", ref=REF + "d", **DEFAULT)
    await cluster.until_phase("all", "ACTIVE_HEALTHY")
    status = await cluster.status("all")
    assert status["ready"] == "12/12"
    assert "analytics" not in {component["name"] for component in status["components"]}


async def test_a_pause_leaves_volumes_and_no_pod_and_all_comes_back(cluster, operator):
    await cluster.make("all", ref=REF + "b", size="dev", **EVERYTHING)
    namespace = await cluster.until_phase("all", "ACTIVE_HEALTHY")
    volumes = await cluster.objects(namespace, kinds.VOLUME_CLAIMS)
    await cluster.patch("all", {"spec": {"desiredState": "Paused"}})
    await cluster.until_phase("all", "INACTIVE")

    async def at_rest() -> bool:
        return not await cluster.objects(namespace, kinds.PODS, kinds.JOBS)

    await cluster.until(at_rest)
    assert (await cluster.objects(namespace, kinds.VOLUME_CLAIMS)).keys() == volumes.keys()
    await cluster.patch("all", {"spec": {"desiredState": "Running"}})
    await cluster.until_phase("all", "ACTIVE_HEALTHY")
    assert len(await cluster.objects(namespace, kinds.JOBS)) == 1


async def test_what_is_switched_off_goes_and_its_volume_stays(cluster, operator):
    await cluster.make("all", ref=REF + "c", size="dev", storage={"enabled": True})
    namespace = await cluster.until_phase("all", "ACTIVE_HEALTHY")
    await cluster.patch("all", {"spec": {"storage": {"enabled": False}}})

    async def gone() -> bool:
        left = await cluster.objects(namespace, kinds.STATEFUL_SETS, kinds.DEPLOYMENTS, kinds.JOBS)
        return not {"storage", "imgproxy", "objectstore"} & {name for _, name in left} and not any(
            kind == "Job" for kind, _ in left
        )

    await cluster.until(gone)
    claims = await cluster.objects(namespace, kinds.VOLUME_CLAIMS)
    assert "objectstore" in {name for _, name in claims}
