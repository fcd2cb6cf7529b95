"""After a whole pass the events of children need no more than a glance, and nothing is missed."""

from __future__ import annotations

from supaplane_contract import names
from supaplane_kube import resources as kinds
from supaplane_operator.projects import PROJECTS

HOME = names.DEFAULT_HOME_NAMESPACE


def reads(stage):
    """Kinds that were read since the requests were cleared, the SupabaseProject apart."""
    return {r.resource.kind for r in stage.kube.requests if not r.is_write} - {"SupabaseProject"}


async def test_a_pod_that_comes_or_goes_costs_one_read(stage):
    stage.make()
    await stage.active()
    stage.kube.requests.clear()
    stage.unready = {"rest"}
    stage.controllers_look()
    await stage.until(lambda: stage.phase() == "ACTIVE_UNHEALTHY")
    stage.unready = set()
    stage.controllers_look()
    await stage.until(lambda: stage.phase() == "ACTIVE_HEALTHY")
    assert reads(stage) <= {"Pod"}


async def test_a_changed_child_leads_to_a_whole_pass(stage):
    stage.make()
    namespace = await stage.active()
    live = stage.workload("rest")
    live["spec"]["replicas"] = 4
    stage.kube.put(kinds.DEPLOYMENTS, live)
    await stage.until(lambda: stage.workload("rest")["spec"]["replicas"] == 1)
    stage.kube.remove(kinds.SERVICES, namespace, "gateway")
    await stage.until(lambda: stage.kube.peek(kinds.SERVICES, namespace, "gateway"))


async def test_a_child_too_many_leads_to_a_whole_pass(stage):
    stage.make()
    namespace = await stage.active()
    labels = stage.workload("rest")["metadata"]["labels"]
    meta = {"name": "old", "namespace": namespace, "labels": labels}
    stage.kube.put(kinds.SERVICES, {"metadata": meta, "spec": {}})
    await stage.until(lambda: stage.kube.peek(kinds.SERVICES, namespace, "old") is None)


async def test_a_status_that_somebody_wiped_is_written_again(stage):
    stage.make()
    await stage.active()
    before = stage.status()
    stage.kube.put(PROJECTS, stage.project() | {"status": {}})
    await stage.until(lambda: stage.phase() == "ACTIVE_HEALTHY")
    await stage.quiet()
    timeless = ("phaseSince", "conditions")
    assert {k: v for k, v in stage.status().items() if k not in timeless} == {
        k: v for k, v in before.items() if k not in timeless
    }


async def test_a_field_of_a_newer_operator_is_left_in_the_status(stage):
    stage.make()
    await stage.active()
    live = stage.project()
    stage.kube.put(PROJECTS, live | {"status": live["status"] | {"fromTomorrow": 1}})
    stage.unready = {"rest"}
    stage.controllers_look()
    await stage.until(lambda: stage.phase() == "ACTIVE_UNHEALTHY")
    assert stage.status()["fromTomorrow"] == 1
