"""A project comes up, stays as it is, and is put right when somebody changes it."""

from __future__ import annotations

from supaplane_contract import names
from supaplane_kube import resources as kinds
from supaplane_operator.projects import PROJECTS

HOME = names.DEFAULT_HOME_NAMESPACE


async def test_a_project_comes_up(stage):
    stage.make()
    namespace = await stage.active()
    status = stage.status()
    assert status["ready"] == "3/3"
    assert status["observedGeneration"] == 1
    assert status["release"] == "2026.2"
    assert stage.condition("Ready")["status"] == "True"
    assert ("StatefulSet", "db") in stage.objects(namespace)


async def test_the_first_thing_said_is_coming_up(stage):
    phases = []

    def look(request):
        if request.resource == kinds.EVENTS:
            return
        if request.subresource == "status" or request.verb == "create":
            phases.append((request.resource.kind, stage.phase()))

    stage.kube.on_request = look
    stage.make()
    await stage.active()
    assert phases[0] == ("SupabaseProject", None)
    assert phases[1] == ("Namespace", "COMING_UP")


async def test_nothing_is_written_at_rest(stage):
    stage.make()
    await stage.active()
    stage.kube.requests.clear()
    stage.engine.look((HOME, "shop"))
    await stage.quiet()
    assert stage.kube.requests
    assert stage.kube.writes == ()


async def test_a_restarted_operator_writes_nothing(stage):
    stage.make()
    await stage.active()
    await stage.stop()
    stage.kube.requests.clear()
    await stage.start()
    await stage.quiet()
    assert any(r.resource == PROJECTS and r.verb == "get" for r in stage.kube.requests)
    assert stage.kube.writes == ()


async def test_nothing_rendered_has_an_owner_reference(stage):
    stage.make()
    namespace = await stage.active()
    for kind in kinds.BY_KIND.values():
        for item in stage.kube.all(kind, namespace if kind.namespaced else ""):
            assert "ownerReferences" not in item["metadata"]


async def test_a_deleted_service_comes_back(stage):
    stage.make()
    namespace = await stage.active()
    stage.kube.remove(kinds.SERVICES, namespace, "rest")
    await stage.until(lambda: stage.kube.peek(kinds.SERVICES, namespace, "rest"))


async def test_a_scaled_deployment_is_put_back(stage):
    stage.make()
    namespace = await stage.active()
    live = stage.workload("rest")
    live["spec"]["replicas"] = 5
    stage.kube.put(kinds.DEPLOYMENTS, live)
    await stage.until(lambda: stage.workload("rest")["spec"]["replicas"] == 1)
    assert namespace


async def test_a_changed_secret_is_put_back_at_the_next_close_look(stage):
    stage.make()
    namespace = await stage.active()
    live = stage.kube.peek(kinds.SECRETS, namespace, "rest")
    wanted = dict(live["data"])
    stage.kube.put(kinds.SECRETS, live | {"data": {"code": "d3Jvbmc="}})
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: stage.kube.peek(kinds.SECRETS, namespace, "rest")["data"] == wanted)


async def test_what_others_add_is_left_alone(stage):
    stage.make()
    await stage.active()
    live = stage.workload("rest")
    live["metadata"].setdefault("annotations", {})["team"] = "blue"
    stage.kube.put(kinds.DEPLOYMENTS, live)
    await stage.quiet()
    assert stage.workload("rest")["metadata"]["annotations"]["team"] == "blue"


async def test_what_is_not_rendered_any_more_goes_but_never_a_volume(stage):
    stage.make()
    namespace = await stage.active()
    stage.renderer.without = frozenset({"rest"})
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: ("Deployment", "rest") not in stage.objects(namespace))
    await stage.quiet()
    left = stage.objects(namespace)
    assert not {("Service", "rest"), ("Secret", "rest")} & left
    assert ("PersistentVolumeClaim", "db") in left
    assert ("Secret", "credentials") in left


async def test_policies_of_another_cut_are_all_there_before_the_old_ones_go(stage):
    stage.renderer.policies = frozenset({"auth", "rest"})
    stage.make()
    namespace = await stage.active()
    stage.renderer.policies = frozenset({"inside", "of-auth-rest"})
    stage.kube.requests.clear()
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: not stage.kube.peek(kinds.NETWORK_POLICIES, namespace, "auth"))
    await stage.quiet()
    policies = [r for r in stage.kube.writes if r.resource == kinds.NETWORK_POLICIES]
    order = [(r.verb, r.name) for r in policies]
    assert {*order[:2]} == {("apply", "inside"), ("apply", "of-auth-rest")}
    assert {*order[2:]} == {("delete", "auth"), ("delete", "rest")}


async def test_a_foreign_object_in_the_namespace_is_not_pruned(stage):
    stage.make()
    namespace = await stage.active()
    meta = {"name": "mine", "namespace": namespace}
    stage.kube.put(kinds.SECRETS, {"metadata": meta, "data": {}})
    stage.engine.look((HOME, "shop"))
    await stage.quiet()
    assert stage.kube.peek(kinds.SECRETS, namespace, "mine")


async def test_a_field_of_a_newer_definition_is_counted_and_stops_nothing(stage):
    stage.make(teleport=True)
    await stage.active()
    assert b"supaplane_unknown_spec_fields 1.0" in stage.engine.metrics.text()
