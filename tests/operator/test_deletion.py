"""What goes with a SupabaseProject, and what stays."""

from __future__ import annotations

from datetime import timedelta

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import resources as kinds
from supaplane_operator.children import WORKLOADS
from supaplane_operator.projects import PROJECTS
from supaplane_operator.teardown import pause

HOME = names.DEFAULT_HOME_NAMESPACE


async def test_retain_keeps_the_data_and_the_same_name_finds_it_again(stage):
    stage.make()
    namespace = await stage.active()
    secret = stage.kube.peek(kinds.SECRETS, HOME, "shop-credentials")
    await stage.delete()
    await stage.until(stage.gone)
    left = stage.objects(namespace)
    assert ("PersistentVolumeClaim", "db") in left
    assert ("Secret", "credentials") in left
    assert not {kind for kind, _ in left} & {"Deployment", "StatefulSet", "Service"}
    annotations = stage.kube.peek(kinds.NAMESPACES, None, namespace)["metadata"]["annotations"]
    assert annotations[names.ANNOTATION_RELEASED_FROM] == f"{HOME}/shop"
    assert names.ANNOTATION_OWNER not in annotations
    stage.make()
    assert await stage.active() == namespace
    assert stage.kube.peek(kinds.SECRETS, HOME, "shop-credentials")["data"] == secret["data"]
    annotations = stage.kube.peek(kinds.NAMESPACES, None, namespace)["metadata"]["annotations"]
    assert names.ANNOTATION_RELEASED_FROM not in annotations


async def test_a_released_namespace_is_not_given_to_another_name(stage):
    stage.make(ref="a" * 20)
    await stage.active()
    await stage.delete()
    await stage.until(stage.gone)
    stage.make("thief", ref="a" * 20)
    await stage.until(lambda: stage.condition("Accepted", "thief"))
    assert stage.condition("Accepted", "thief")["reason"] == Reason.NAMESPACE_TAKEN


async def test_delete_takes_everything_the_master_secret_last(stage):
    stage.make(deletion={"policy": "Delete"})
    namespace = await stage.active()
    stage.kube.requests.clear()
    await stage.delete()
    await stage.until(stage.gone)
    assert stage.kube.peek(kinds.NAMESPACES, None, namespace) is None
    assert stage.kube.peek(kinds.SECRETS, HOME, "shop-credentials") is None
    deleted = [(r.resource.kind, r.name) for r in stage.kube.writes if r.verb == "delete"]
    workloads = {("Deployment", "gateway"), ("Deployment", "rest"), ("StatefulSet", "db")}
    # these would be written anew for each pod that ends
    counted = {("ResourceQuota", "project"), *(("Service", name) for _, name in workloads)}
    assert set(deleted[1:8]) == workloads | counted, "after the person's own deletion"
    assert deleted[8:] == [("Namespace", namespace), ("Secret", "shop-credentials")]


async def test_delete_takes_secrets_that_were_told_over_the_api_and_no_persons(stage):
    ours = {names.LABEL_MANAGED_BY: names.FIELD_MANAGER_API, names.LABEL_REF: "a" * 20}
    for name, labels in (
        ("told", ours),
        ("theirs", {}),
        ("foreign", {**ours, names.LABEL_REF: "b"}),
    ):
        meta = {"name": name, "namespace": HOME, "labels": labels}
        stage.kube.put(kinds.SECRETS, {"metadata": meta, "data": {"k": "dg=="}})
    refs = {f"external_{name}_secret": {"name": name, "key": "k"} for name in ("theirs", "foreign")}
    refs["sms_vonage_api_secret"] = {"name": "told", "key": "k"}
    stage.make(ref="a" * 20, deletion={"policy": "Delete"}, auth={"secretRefs": refs})
    await stage.active()
    await stage.delete()
    await stage.until(stage.gone)
    assert stage.kube.peek(kinds.SECRETS, HOME, "told") is None
    assert stage.kube.peek(kinds.SECRETS, HOME, "theirs")
    assert stage.kube.peek(kinds.SECRETS, HOME, "foreign")


async def test_retain_stops_the_way_in_first_and_the_database_last(stage):
    stage.make()
    await stage.active()
    stage.kube.requests.clear()
    await stage.delete()
    await stage.until(stage.gone)
    deleted = [r.name for r in stage.kube.writes if r.resource in WORKLOADS]
    assert deleted == ["gateway", "rest", "db"]


async def test_a_namespace_goes_only_when_its_pods_have_ended(stage):
    stage.make(deletion={"policy": "Delete"})
    namespace = await stage.active()
    labels = stage.workload("rest")["metadata"]["labels"]
    pod = {"metadata": {"name": "rest-1", "namespace": namespace, "labels": labels}}
    stage.kube.put(kinds.PODS, pod)
    await stage.delete()
    await stage.until(lambda: "waiting for pods to end" in stage.status().get("message", ""))
    assert stage.kube.peek(kinds.NAMESPACES, None, namespace)
    stage.kube.remove(kinds.PODS, namespace, "rest-1")
    await stage.until(stage.gone)


async def test_pods_that_do_not_end_do_not_keep_a_namespace(stage):
    stage.make(deletion={"policy": "Delete"})
    namespace = await stage.active()
    labels = stage.workload("rest")["metadata"]["labels"]
    pod = {"metadata": {"name": "rest-1", "namespace": namespace, "labels": labels}}
    stage.kube.put(kinds.PODS, pod)
    await stage.delete()
    stage.later = timedelta(seconds=stage.settings.teardown_patience_seconds + 1)
    await stage.until(stage.gone)


def test_who_goes_alone_is_looked_at_soon_and_a_crowd_seldom():
    assert [pause(elapsed, 1) for elapsed in (0.0, 4.0, 60.0)] == [0.5, 1.0, 2.0]
    assert pause(60.0, 16) == 4.0
    assert pause(60.0, 1000) == 10.0


async def test_protection_keeps_the_data_whatever_the_policy(stage):
    stage.make(deletion={"policy": "Delete", "protection": True})
    namespace = await stage.active()
    await stage.delete()
    await stage.until(stage.gone)
    assert ("PersistentVolumeClaim", "db") in stage.objects(namespace)
    assert stage.kube.peek(kinds.SECRETS, HOME, "shop-credentials")


async def test_an_undelete_window_keeps_the_data_until_it_closes(stage):
    stage.make(deletion={"policy": "Delete", "undeleteWindowHours": 2})
    namespace = await stage.active()
    await stage.delete()
    await stage.until(stage.gone)
    await stage.engine.orphans.look()
    assert ("PersistentVolumeClaim", "db") in stage.objects(namespace)
    stage.later = timedelta(hours=3)
    await stage.engine.orphans.look()
    assert stage.kube.peek(kinds.NAMESPACES, None, namespace) is None
    assert stage.kube.peek(kinds.SECRETS, HOME, "shop-credentials") is None


async def test_a_deletion_while_the_operator_was_away_is_finished(stage):
    stage.make()
    namespace = await stage.active()
    await stage.stop()
    await stage.delete()
    assert stage.project()["metadata"]["deletionTimestamp"]
    await stage.start()
    await stage.until(stage.gone)
    assert ("StatefulSet", "db") not in stage.objects(namespace)


async def test_a_namespace_whose_project_vanished_is_left_alone_and_counted(stage):
    stage.make()
    namespace = await stage.active()
    stage.kube.remove(PROJECTS, HOME, "shop")
    await stage.quiet()
    await stage.engine.orphans.look()
    assert stage.engine.orphans.counts == {"released": 0, "orphaned": 1}
    assert ("StatefulSet", "db") in stage.objects(namespace)
    assert b'supaplane_namespaces_left{kind="orphaned"} 1.0' in stage.engine.metrics.text()


async def test_credentials_of_data_that_is_not_ours_stay(stage):
    """The SupabaseProject vanished, another of its name was made, and that one is deleted."""
    stage.make(deletion={"policy": "Delete"})
    namespace = await stage.active()
    stage.kube.remove(PROJECTS, HOME, "shop")
    await stage.quiet()
    stage.make(deletion={"policy": "Delete"})
    await stage.until(lambda: stage.condition("Accepted").get("reason") == Reason.NAMESPACE_TAKEN)
    await stage.delete()
    await stage.until(stage.gone)
    assert ("StatefulSet", "db") in stage.objects(namespace)
    assert stage.kube.peek(kinds.SECRETS, HOME, "shop-credentials")
