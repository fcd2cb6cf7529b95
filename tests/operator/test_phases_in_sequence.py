"""Pausing, resuming, losing a component, changing size: the phases as they follow one another."""

from __future__ import annotations

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import resources as kinds
from supaplane_operator.projects import PROJECTS

HOME = names.DEFAULT_HOME_NAMESPACE


async def test_a_project_is_paused_the_database_last_and_resumed(stage):
    stage.make()
    namespace = await stage.active()
    stage.lazy = {"rest"}
    stage.change(desiredState="Paused")
    await stage.until(lambda: stage.workload("rest")["spec"]["replicas"] == 0)
    await stage.until(lambda: stage.phase() == "PAUSING")
    assert stage.workload("db")["spec"]["replicas"] == 1
    stage.lazy = set()
    stage.controllers_look()
    await stage.until(lambda: stage.phase() == "INACTIVE")
    assert stage.workload("db")["spec"]["replicas"] == 0
    assert stage.condition("Ready")["reason"] == Reason.PAUSED
    assert ("PersistentVolumeClaim", "db") in stage.objects(namespace)
    stage.change(desiredState="Running")
    await stage.active()


async def test_a_lost_component_is_told_and_its_return_too(stage):
    stage.make()
    await stage.active()
    stage.unready = {"rest"}
    stage.controllers_look()
    await stage.until(lambda: stage.phase() == "ACTIVE_UNHEALTHY")
    assert stage.status()["ready"] == "2/3"
    stage.unready = set()
    stage.controllers_look()
    await stage.until(lambda: stage.phase() == "ACTIVE_HEALTHY")


async def test_a_change_of_size_is_a_phase_of_its_own(stage):
    stage.make(size="nano")
    await stage.active()
    stage.lazy = {"db"}
    stage.change(size="small")
    await stage.until(lambda: stage.phase() == "RESIZING")
    assert stage.status()["size"] == "nano"
    stage.lazy = set()
    stage.controllers_look()
    await stage.active()
    assert stage.status()["size"] == "small"
    assert stage.condition("OperationSucceeded")["status"] == "True"


async def test_the_release_is_pinned_until_the_spec_names_another(stage):
    both = stage.releases
    stage.releases = {"2026.1": both["2026.1"]}
    await stage.restart()
    stage.make()
    await stage.active()
    stage.releases = both
    await stage.restart()
    await stage.quiet()
    assert stage.status()["release"] == "2026.1"
    stage.lazy = {"db"}
    stage.change(release="2026.2")
    await stage.until(lambda: stage.phase() == "UPGRADING")
    stage.lazy = set()
    stage.controllers_look()
    await stage.active()
    assert stage.status()["release"] == "2026.2"


async def test_with_the_status_wiped_the_release_stays_pinned_and_no_pod_is_made_anew(stage):
    both = stage.releases
    stage.releases = {"2026.1": both["2026.1"]}
    await stage.restart()
    stage.make()
    await stage.active()
    await stage.stop()
    live = stage.project()
    live["status"] = {}
    stage.kube.put(PROJECTS, live)
    stage.releases = both
    stage.kube.requests.clear()
    await stage.start()
    await stage.active()
    assert stage.status()["release"] == "2026.1"
    assert stage.touched == {"SupabaseProject"}


async def test_an_unknown_release_is_refused_and_nothing_is_changed(stage):
    stage.make()
    await stage.active()
    stage.kube.requests.clear()
    stage.change(release="2031.1")
    await stage.until(lambda: stage.condition("Accepted").get("reason") == Reason.RELEASE_UNKNOWN)
    assert stage.phase() == "ACTIVE_HEALTHY"
    assert stage.condition("Stalled")["status"] == "True"
    assert stage.touched == {"SupabaseProject"}
    stage.change(release="2026.2")
    await stage.until(lambda: stage.condition("Accepted")["status"] == "True")


async def test_a_restart_is_run_once_per_id_the_database_last(stage):
    stage.make()
    await stage.active()
    order = []

    def look(request):
        if request.verb == "apply" and request.resource.kind in ("Deployment", "StatefulSet"):
            order.append(request.name)

    stage.kube.on_request = look
    stage.change(operation={"id": "one", "kind": "restart"})
    await stage.until(lambda: stage.status().get("lastOperation"))
    await stage.active()
    assert stage.status()["lastOperation"]["phase"] == "Succeeded"
    assert sorted(order) == ["db", "gateway", "rest"]
    assert order[-1] == "db"
    order.clear()
    stage.engine.look((HOME, "shop"))
    await stage.quiet()
    stage.change(operation=None)
    await stage.quiet()
    assert order == []
    stage.change(operation={"id": "two", "kind": "restart", "parameters": {"components": "rest"}})
    await stage.until(lambda: stage.status()["lastOperation"]["id"] == "two")
    assert order == ["rest"]
    order.clear()
    stage.change(operation={"id": "one", "kind": "restart"})
    await stage.quiet()
    assert order == [], "an old manifest applied again runs nothing again"
    assert stage.status()["pastOperations"] == ["two", "one"]


async def test_a_restart_of_an_unknown_component_fails_with_the_names_there_are(stage):
    stage.make()
    await stage.active()
    wanted = {"id": "one", "kind": "restart", "parameters": {"components": "rets"}}
    stage.change(operation=wanted)
    await stage.until(lambda: stage.status().get("lastOperation"))
    assert stage.status()["lastOperation"]["phase"] == "Failed"
    assert "db, gateway, rest" in stage.status()["lastOperation"]["message"]
    assert stage.condition("OperationSucceeded")["status"] == "False"
    assert stage.phase() == "ACTIVE_HEALTHY"


async def test_reconciling_can_be_paused_and_the_status_is_still_observed(stage):
    stage.make()
    namespace = await stage.active()
    stage.annotate(reconcile="paused")
    await stage.until(lambda: stage.condition("Reconciling")["reason"] == Reason.RECONCILE_PAUSED)
    stage.kube.requests.clear()
    stage.kube.remove(kinds.SERVICES, namespace, "rest")
    stage.change(size="large")
    stage.unready = {"rest"}
    stage.controllers_look()
    await stage.until(lambda: stage.phase() == "ACTIVE_UNHEALTHY")
    await stage.quiet()
    assert stage.touched == {"SupabaseProject"}
    assert stage.status()["observedGeneration"] == 1
    stage.unready = set()
    stage.annotate(reconcile=None)
    await stage.until(lambda: stage.kube.peek(kinds.SERVICES, namespace, "rest"))
    await stage.until(lambda: stage.status()["size"] == "large")


async def test_a_new_component_does_not_make_a_healthy_project_unhealthy(stage):
    stage.renderer.without = frozenset({"rest"})
    stage.make()
    await stage.active()
    stage.unready = {"rest"}
    stage.renderer.without = frozenset()
    stage.change(displayName="with rest")
    await stage.until(lambda: stage.status()["ready"] == "2/3")
    assert stage.phase() == "ACTIVE_HEALTHY"
    assert stage.condition("Ready")["status"] == "False"
    stage.unready = set()
    stage.controllers_look()
    await stage.until(lambda: stage.condition("Ready")["status"] == "True")
