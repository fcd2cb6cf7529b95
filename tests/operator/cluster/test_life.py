"""A project's life on a real API server: made, at rest, put right, restarted, paused."""

from __future__ import annotations

import pytest

from supaplane_contract import from_secret_data, names
from supaplane_kube import resources as kinds

pytestmark = pytest.mark.cluster

REF = "l" * 19


async def test_a_project_becomes_active_and_then_nothing_is_written(cluster, operator):
    await cluster.make("shop", ref=REF + "a")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    assert namespace == f"supabase-{REF}a"
    status = await cluster.status("shop")
    assert status["ready"] == "6/6"
    written = [(w["objectRef"]["resource"], w["verb"]) for w in cluster.writes()]
    assert ("namespaces", "create") in written
    assert ("secrets", "create") in written
    passes = operator.count('supaplane_reconcile_total{result="ok"}')
    cluster.mark()
    await cluster.patch("shop", {"metadata": {"labels": {"touched": "yes"}}})

    async def looked() -> bool:
        return operator.count('supaplane_reconcile_total{result="ok"}') > passes

    await cluster.until(looked)
    assert cluster.writes() == []


async def test_every_object_is_labelled_and_none_has_an_owner_reference_to_the_project(
    cluster, operator
):
    await cluster.make("shop", ref=REF + "b")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    uid = (await cluster.project("shop"))["metadata"]["uid"]
    every = [r for r in kinds.BY_KIND.values() if r.namespaced and r is not kinds.HTTP_ROUTES]
    found = await cluster.objects(namespace, *(r for r in every if r.group != names.GROUP))
    found["Namespace", namespace] = await cluster.kube.get(kinds.NAMESPACES, None, namespace)
    ours = [o for o in found.values() if _is_ours(o)]
    assert len(ours) > 25
    for item in found.values():
        owners = item["metadata"].get("ownerReferences") or []
        assert uid not in [o["uid"] for o in owners]
    for item in ours:
        assert item["metadata"]["labels"][names.LABEL_REF] == REF + "b"
        assert "ownerReferences" not in item["metadata"]


def _is_ours(item: dict) -> bool:
    managers = {m["manager"] for m in item["metadata"].get("managedFields") or []}
    return names.FIELD_MANAGER_OPERATOR in managers


async def test_a_restarted_operator_writes_nothing(cluster, new_operator):
    first = new_operator()
    first.start()
    for letter in "cde":
        await cluster.make(f"shop-{letter}", ref=REF + letter)
    for letter in "cde":
        await cluster.until_phase(f"shop-{letter}", "ACTIVE_HEALTHY")
    assert first.stop() == 0
    cluster.mark()
    second = new_operator()
    second.start()

    async def all_looked_at() -> bool:
        return second.count('supaplane_reconcile_total{result="ok"}') >= 3

    await cluster.until(all_looked_at)
    assert cluster.writes() == []


async def test_a_resync_writes_nothing(cluster, new_operator):
    operator = new_operator(environ={"SUPAPLANE_RESYNC_SECONDS": "1"})
    operator.start()
    await cluster.make("shop", ref=REF + "f")
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    before = operator.count('supaplane_reconcile_total{result="ok"}')
    cluster.mark()

    async def several() -> bool:
        return operator.count('supaplane_reconcile_total{result="ok"}') > before + 3

    await cluster.until(several)
    assert cluster.writes() == []


async def test_drift_is_put_back(cluster, operator):
    await cluster.make("shop", ref=REF + "g")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    kube = cluster.kube
    await kube.delete(kinds.SERVICES, namespace, "rest")
    scale = {"spec": {"replicas": 3}}
    await kube.merge_patch(kinds.DEPLOYMENTS, namespace, "auth", scale, manager="somebody")
    image = {"op": "image"}
    containers = [{"name": "rest", "image": "somebody/elses:1"}]
    template = {"spec": {"template": {"spec": {"containers": containers}}}}
    await kube.apply(
        kinds.DEPLOYMENTS,
        namespace,
        "rest",
        {"apiVersion": "apps/v1", "kind": "Deployment", **template},
        manager="somebody",
    )
    secret = await kube.get(kinds.SECRETS, namespace, "auth")
    key = next(iter(secret["data"]))
    changed = {"data": {key: "d3Jvbmc="}}
    await kube.merge_patch(kinds.SECRETS, namespace, "auth", changed, manager="somebody")
    await cluster.patch("shop", {"metadata": {"labels": {"look": "again"}}})
    assert image

    async def put_back() -> bool:
        auth = await kube.get(kinds.DEPLOYMENTS, namespace, "auth")
        rest = await kube.get(kinds.DEPLOYMENTS, namespace, "rest")
        live = await kube.get(kinds.SECRETS, namespace, "auth")
        return (
            await kube.get(kinds.SERVICES, namespace, "rest") is not None
            and auth["spec"]["replicas"] == 1
            and "somebody" not in rest["spec"]["template"]["spec"]["containers"][0]["image"]
            and live["data"] == secret["data"]
        )

    await cluster.until(put_back)


async def test_a_project_is_paused_and_resumed(cluster, operator):
    await cluster.make("shop", ref=REF + "h")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    await cluster.patch("shop", {"spec": {"desiredState": "Paused"}})
    await cluster.until_phase("shop", "INACTIVE")
    assert await cluster.objects(namespace, kinds.PODS) == {}
    assert ("PersistentVolumeClaim", "db") in await cluster.objects(namespace, kinds.VOLUME_CLAIMS)
    await cluster.patch("shop", {"spec": {"desiredState": "Running"}})
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")


async def test_secrets_are_replaced(cluster, operator):
    await cluster.make("shop", ref=REF + "u")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    await _replaces(cluster, namespace, "rotateJwtSecret", "jwt-secret")
    await _replaces(cluster, namespace, "rotateDatabasePassword", "password-postgres")

    async def tidy() -> bool:
        return not await cluster.objects(namespace, kinds.JOBS)

    await cluster.until(tidy)


async def _replaces(cluster, namespace, kind, key):
    """By a value that the API brought, in a Secret that is gone afterwards."""
    new, name = f"plum-kettle-plum-kettle-{kind}", names.requested_secret("shop")
    labels = {names.LABEL_REF: REF + "u", names.LABEL_MANAGED_BY: names.FIELD_MANAGER_API}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": cluster.home, "labels": labels},
        "stringData": {"one": new},
    }
    await cluster.kube.create(kinds.SECRETS, cluster.home, body, manager=names.FIELD_MANAGER_API)
    parameters = {"secretName": name, "secretKey": "one"}
    wish = {"id": kind, "kind": kind, "parameters": parameters}
    await cluster.patch("shop", {"spec": {"operation": wish}})

    async def ended() -> bool:
        return ((await cluster.status("shop")).get("lastOperation") or {}).get("id") == kind

    await cluster.until(ended)
    assert (await cluster.status("shop"))["lastOperation"]["phase"] == "Succeeded"
    for where, secret in ((cluster.home, "shop-credentials"), (namespace, "credentials")):
        found = await cluster.kube.get(kinds.SECRETS, where, secret)
        assert from_secret_data(found)[key] == new
    assert await cluster.kube.get(kinds.SECRETS, cluster.home, name) is None


async def test_a_restart_runs_once_per_id(cluster, operator):
    await cluster.make("shop", ref=REF + "i")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    before = await cluster.objects(namespace, kinds.PODS)
    await cluster.patch("shop", {"spec": {"operation": {"id": "one", "kind": "restart"}}})

    async def ended() -> bool:
        return ((await cluster.status("shop")).get("lastOperation") or {}).get("id") == "one"

    await cluster.until(ended)
    assert (await cluster.status("shop"))["lastOperation"]["phase"] == "Succeeded"
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")

    async def settled() -> bool:
        return len(await cluster.objects(namespace, kinds.PODS)) == 6

    await cluster.until(settled)
    after = await cluster.objects(namespace, kinds.PODS)
    old = {pod["metadata"]["uid"] for pod in before.values()}
    assert not old & {pod["metadata"]["uid"] for pod in after.values()}
    cluster.mark()
    await cluster.patch("shop", {"spec": {"operation": None}})

    async def looked() -> bool:
        return (await cluster.status("shop"))["observedGeneration"] == (
            await cluster.project("shop")
        )["metadata"]["generation"]

    await cluster.until(looked)
    still = await cluster.objects(namespace, kinds.PODS)
    assert {p["metadata"]["uid"] for p in still.values()} == {
        p["metadata"]["uid"] for p in after.values()
    }


async def test_reconciling_can_be_paused(cluster, operator):
    await cluster.make("shop", ref=REF + "j")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    pause = {"metadata": {"annotations": {names.ANNOTATION_RECONCILE: "paused"}}}
    await cluster.patch("shop", pause)

    async def paused() -> bool:
        return (await cluster.condition("shop", "Reconciling")).get("reason") == "ReconcilePaused"

    await cluster.until(paused)
    cluster.mark()
    await cluster.kube.delete(kinds.SERVICES, namespace, "rest")
    stop = {"spec": {"replicas": 0}}
    await cluster.kube.merge_patch(kinds.DEPLOYMENTS, namespace, "auth", stop, manager="somebody")

    async def unhealthy() -> bool:
        return (await cluster.status("shop"))["phase"] == "ACTIVE_UNHEALTHY"

    await cluster.until(unhealthy)
    assert {w["objectRef"].get("subresource") for w in cluster.writes()} == {"status"}
    go_on = {"metadata": {"annotations": {names.ANNOTATION_RECONCILE: None}}}
    await cluster.patch("shop", go_on)
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    assert await cluster.kube.get(kinds.SERVICES, namespace, "rest")


async def test_why_a_component_is_not_ready_is_told(cluster, operator):
    await cluster.make("shop", ref=REF + "k")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    fault = '{"fault": "crash-loop-back-off", "exitCode": 7, "message": "no such table"}'
    for name, pod in (await cluster.objects(namespace, kinds.PODS)).items():
        if name[1].startswith("rest-"):
            await cluster.kube.merge_patch(
                kinds.PODS,
                namespace,
                pod["metadata"]["name"],
                {"metadata": {"annotations": {FAULT: fault}}},
                manager="tests",
            )

    async def told() -> bool:
        components = (await cluster.status("shop"))["components"]
        rest = next(c for c in components if c["name"] == "rest")
        return rest.get("reason") == "CrashLoop" and "code 7" in rest.get("message", "")

    await cluster.until(told)
    assert (await cluster.status("shop"))["phase"] == "ACTIVE_UNHEALTHY"


FAULT = "simulated-nodes.supaplane.dev/fault"
