"""Whose is it, and what goes with it: on a real API server."""

from __future__ import annotations

import pytest

from supaplane_contract import names
from supaplane_contract.credentials import from_secret_data
from supaplane_kube import resources as kinds

pytestmark = pytest.mark.cluster

REF = "o" * 19
KEPT = (kinds.SECRETS, kinds.VOLUME_CLAIMS)
RUNS = (kinds.DEPLOYMENTS, kinds.STATEFUL_SETS, kinds.SERVICES, kinds.PODS, kinds.JOBS)


async def test_a_foreign_namespace_is_not_touched(cluster, operator):
    foreign = f"supabase-{REF}a"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": foreign}}
    await cluster.kube.create(kinds.NAMESPACES, None, body, manager="somebody")
    await cluster.make("shop", ref=REF + "a")
    await cluster.until_phase("shop", "INIT_FAILED")
    accepted = await cluster.condition("shop", "Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", "NamespaceTaken")
    assert await cluster.objects(foreign, *RUNS, kinds.SECRETS) == {}
    live = await cluster.kube.get(kinds.NAMESPACES, None, foreign)
    assert "labels" not in live["metadata"] or names.LABEL_REF not in live["metadata"]["labels"]
    assert {
        w["objectRef"]["resource"] for w in cluster.writes() if w["responseStatus"]["code"] < 400
    } == {"supabaseprojects"}
    mark = {"metadata": {"annotations": {names.ANNOTATION_ADOPTABLE_BY: f"{cluster.home}/shop"}}}
    await cluster.kube.merge_patch(kinds.NAMESPACES, None, foreign, mark, manager="admin")
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")


async def test_outside_of_home_namespaces_nothing_is_made(cluster, new_operator):
    operator = new_operator(home="somewhere-else")
    operator.start()
    await cluster.make("shop", ref=REF + "b")

    async def refused() -> bool:
        return (await cluster.condition("shop", "Accepted")).get("reason") == "NamespaceNotAHome"

    await cluster.until(refused)
    project = await cluster.project("shop")
    assert "finalizers" not in project["metadata"]
    assert await cluster.kube.get(kinds.NAMESPACES, None, f"supabase-{REF}b") is None
    await cluster.delete("shop")
    await cluster.until_gone("shop")


async def test_retain_keeps_the_data_for_the_same_name_and_no_other(cluster, operator):
    await cluster.make("shop", ref=REF + "c")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    before = await cluster.objects(namespace, *KEPT)
    master = await cluster.kube.get(kinds.SECRETS, cluster.home, "shop-credentials")
    await cluster.delete("shop")
    await cluster.until_gone("shop")
    assert await cluster.objects(namespace, *RUNS) == {}
    after = await cluster.objects(namespace, *KEPT)
    assert {k: o["metadata"]["uid"] for k, o in after.items()} == {
        k: o["metadata"]["uid"] for k, o in before.items()
    }
    live = await cluster.kube.get(kinds.NAMESPACES, None, namespace)
    annotations = live["metadata"]["annotations"]
    assert annotations[names.ANNOTATION_RELEASED_FROM] == f"{cluster.home}/shop"
    assert names.ANNOTATION_OWNER not in annotations

    await cluster.make("thief", ref=REF + "c")
    await cluster.until_phase("thief", "INIT_FAILED")
    assert (await cluster.condition("thief", "Accepted"))["reason"] == "NamespaceTaken"
    await cluster.delete("thief")
    await cluster.until_gone("thief")

    await cluster.make("shop", ref=REF + "c")
    assert await cluster.until_phase("shop", "ACTIVE_HEALTHY") == namespace
    again = await cluster.kube.get(kinds.SECRETS, cluster.home, "shop-credentials")
    assert again["data"] == master["data"]
    found = await cluster.objects(namespace, kinds.VOLUME_CLAIMS)
    claim = found["PersistentVolumeClaim", "db"]
    assert claim["metadata"]["uid"] == before["PersistentVolumeClaim", "db"]["metadata"]["uid"]


async def test_the_same_manifest_without_a_ref_finds_its_data_again(cluster, operator):
    await cluster.make("derived")
    namespace = await cluster.until_phase("derived", "ACTIVE_HEALTHY")
    await cluster.delete("derived")
    await cluster.until_gone("derived")
    await cluster.make("derived")
    assert await cluster.until_phase("derived", "ACTIVE_HEALTHY") == namespace


async def test_delete_takes_everything_at_once_and_the_master_secret_last(cluster, operator):
    await cluster.make("shop", ref=REF + "d", deletion={"policy": "Delete"})
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    cluster.mark()
    await cluster.delete("shop")
    await cluster.until_gone("shop")
    assert await cluster.kube.get(kinds.NAMESPACES, None, namespace) is None
    assert await cluster.kube.get(kinds.SECRETS, cluster.home, "shop-credentials") is None
    deleted = [
        (w["objectRef"]["resource"], w["objectRef"]["name"])
        for w in cluster.writes()
        if w["verb"] == "delete"
    ]
    assert {("deployments", "rest"), ("statefulsets", "db")} <= set(deleted[:-2])
    assert deleted[-2:] == [("namespaces", namespace), ("secrets", "shop-credentials")]


async def test_a_deletion_while_the_operator_was_away_is_finished(cluster, new_operator):
    first = new_operator()
    first.start()
    await cluster.make("shop", ref=REF + "e")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    first.kill()
    await cluster.delete("shop")
    assert (await cluster.project("shop"))["metadata"]["deletionTimestamp"]
    second = new_operator()
    second.start()
    await cluster.until_gone("shop")
    assert await cluster.objects(namespace, *RUNS) == {}


async def test_a_lost_master_secret_is_made_again_with_the_same_values(cluster, operator):
    await cluster.make("shop", ref=REF + "f")
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    before = await cluster.kube.get(kinds.SECRETS, cluster.home, "shop-credentials")
    await cluster.kube.delete(kinds.SECRETS, cluster.home, "shop-credentials")
    await cluster.patch("shop", {"metadata": {"labels": {"look": "again"}}})

    async def back() -> bool:
        found = await cluster.kube.get(kinds.SECRETS, cluster.home, "shop-credentials")
        return found is not None

    await cluster.until(back)
    after = await cluster.kube.get(kinds.SECRETS, cluster.home, "shop-credentials")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert from_secret_data(after) == from_secret_data(before)


async def test_with_both_secrets_lost_nothing_is_touched(cluster, operator):
    await cluster.make("shop", ref=REF + "g")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    pause = {"metadata": {"annotations": {names.ANNOTATION_RECONCILE: "paused"}}}
    await cluster.patch("shop", pause)
    await cluster.kube.delete(kinds.SECRETS, cluster.home, "shop-credentials")
    await cluster.kube.delete(kinds.SECRETS, namespace, "credentials")
    cluster.mark()
    await cluster.patch("shop", {"metadata": {"annotations": {names.ANNOTATION_RECONCILE: None}}})

    async def lost() -> bool:
        return (await cluster.condition("shop", "Stalled")).get("reason") == "CredentialsLost"

    await cluster.until(lost)
    assert {w["objectRef"].get("subresource") for w in cluster.writes()} == {"status"}
