"""The API server fails, watches break, objects are refused: what then?"""

from __future__ import annotations

import random

import pytest

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import Conflict, Forbidden, Invalid, ServerUnavailable, Unreachable
from supaplane_kube import resources as kinds
from supaplane_operator.render import NotRenderable

HOME = names.DEFAULT_HOME_NAMESPACE


def _trouble() -> Exception:
    return random.choice(
        [
            Unreachable("connection refused"),
            ServerUnavailable(500, "InternalError", "etcd is away", {}),
            Conflict(409, "Conflict", "somebody else", {}),
        ]
    )


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_request_fails_the_project_arrives(stage, seed):
    random.seed(seed)
    ours = ("create", "apply", "patch", "get", "list")
    for _ in range(6):
        stage.kube.fail(_trouble(), when=lambda r: r.verb in ours and random.random() < 0.1)
    stage.make()
    await stage.active()
    created = [(r.resource.kind, r.name) for r in stage.kube.writes if r.verb == "create"]
    assert created.count(("Namespace", stage.namespace())) >= 1
    assert len(stage.kube.all(kinds.NAMESPACES)) == 5


async def test_an_object_that_the_server_refuses_is_named(stage):
    stage.kube.fail(
        Invalid(422, "Invalid", "spec.ports: Required value", {}),
        times=3,
        when=lambda r: r.verb == "apply" and r.resource == kinds.SERVICES,
    )
    stage.make()
    await stage.until(lambda: stage.phase() == "INIT_FAILED")
    assert stage.condition("Stalled")["reason"] == Reason.APPLY_REFUSED
    assert "spec.ports" in stage.status()["message"]
    await stage.active()


async def test_of_a_refused_secret_nothing_is_told_but_its_name(stage):
    stage.kube.fail(
        Invalid(422, "Invalid", "data: Invalid value: hunter2", {}),
        when=lambda r: r.verb == "apply" and r.resource == kinds.SECRETS,
    )
    stage.make()
    await stage.until(lambda: stage.phase() == "INIT_FAILED")
    assert "hunter2" not in str(stage.project())
    await stage.active()


async def test_an_exceeded_quota_is_waited_for(stage):
    stage.kube.fail(
        Forbidden(403, "Forbidden", "exceeded quota: project, requested: cpu=9", {}),
        times=4,
        when=lambda r: r.verb == "apply" and r.resource == kinds.STATEFUL_SETS,
    )
    stage.make()
    await stage.until(lambda: stage.condition("Ready").get("reason") == Reason.QUOTA_EXCEEDED)
    assert stage.phase() == "COMING_UP"
    await stage.active()


async def test_a_webhook_that_is_away_is_told_of_and_waited_for(stage):
    stage.kube.fail(
        ServerUnavailable(
            500, "InternalError", 'Internal error occurred: failed calling webhook "x.io"', {}
        ),
        times=12,
        when=lambda r: r.verb == "apply" and r.resource == kinds.SERVICES,
    )
    stage.make()
    await stage.until(lambda: stage.condition("Ready").get("reason") == Reason.APPLY_REFUSED)
    assert "x.io" in stage.status()["message"]
    assert stage.phase() == "COMING_UP"
    await stage.active()


async def test_without_its_secrets_no_pod_is_made(stage):
    stage.kube.fail(
        Forbidden(403, "Forbidden", "no", {}),
        times=2,
        when=lambda r: r.verb == "apply" and r.resource == kinds.SECRETS,
    )
    first = {}

    def look(request):
        if request.verb == "apply":
            first.setdefault(request.resource.kind, len(stage.kube.requests))

    stage.kube.on_request = look
    stage.make()
    await stage.active()
    secrets = [i for i, r in enumerate(stage.kube.requests) if r.resource == kinds.SECRETS]
    assert first["Deployment"] > min(secrets)
    assert first["StatefulSet"] > first["Secret"]


async def test_what_cannot_be_rendered_is_told(stage):
    stage.renderer.refuse = NotRenderable(Reason.NOT_SUPPORTED, "kong is not there yet")
    stage.make(gateway={"kind": "kong"})
    await stage.until(lambda: stage.phase() == "INIT_FAILED")
    assert stage.condition("Accepted")["reason"] == Reason.NOT_SUPPORTED
    stage.renderer.refuse = None
    stage.change(gateway={"kind": "envoy"})
    await stage.active()


async def test_a_spec_of_a_newer_version_is_told_and_its_data_kept(stage):
    stage.make(size="quantum", deletion={"policy": "Delete"})
    await stage.until(lambda: stage.phase() == "INIT_FAILED")
    assert stage.condition("Accepted")["reason"] == Reason.SPEC_INVALID
    stage.change(size="nano")
    namespace = await stage.active()
    stage.change(size="quantum")
    await stage.until(lambda: stage.condition("Accepted")["reason"] == Reason.SPEC_INVALID)
    await stage.delete()
    await stage.until(stage.gone)
    assert ("PersistentVolumeClaim", "db") in stage.objects(namespace)


async def test_a_watch_that_broke_misses_nothing(stage):
    stage.make()
    namespace = await stage.active()
    stage.kube.break_watches(Unreachable("reset by peer"))
    stage.kube.remove(kinds.SERVICES, namespace, "rest")
    stage.kube.forget_history()
    await stage.until(lambda: stage.kube.peek(kinds.SERVICES, namespace, "rest"))


async def test_a_deletion_in_the_gap_after_a_410_is_noticed(stage):
    stage.make()
    namespace = await stage.active()
    child = stage.engine.world.children
    stage.kube.remove(kinds.DEPLOYMENTS, namespace, "rest")
    stage.kube.forget_history()
    await stage.until(lambda: stage.kube.peek(kinds.DEPLOYMENTS, namespace, "rest"))
    await stage.until(lambda: (kinds.DEPLOYMENTS, "rest") in child.of(namespace))


async def test_a_namespace_that_is_deleted_under_a_project_is_made_again(stage):
    stage.make()
    namespace = await stage.active()
    stage.kube.remove(kinds.NAMESPACES, None, namespace)
    await stage.until(lambda: ("StatefulSet", "db") in stage.objects(namespace))


async def test_one_broken_project_does_not_hold_up_another(stage):
    stage.kube.fail(
        Unreachable("no answer"), times=10_000, when=lambda r: r.name in ("bad", "bad-credentials")
    )
    stage.make("bad")
    stage.make("good")
    await stage.until(lambda: stage.phase("good") == "ACTIVE_HEALTHY")


async def test_status_is_written_at_most_twice_in_a_window(stage):
    stage.make()
    await stage.active()
    writes = [r for r in stage.kube.writes if r.subresource == "status"]
    assert len(writes) <= 6
