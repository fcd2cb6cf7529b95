"""Whose is it? Namespaces, refs and hosts of somebody else are never touched."""

from __future__ import annotations

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import resources as kinds

HOME = names.DEFAULT_HOME_NAMESPACE


async def test_a_foreign_namespace_is_not_touched(stage):
    stage.make(ref="a" * 20)
    await stage.active()
    foreign = f"supabase-{'b' * 20}"
    before = stage.kube.put(kinds.NAMESPACES, {"metadata": {"name": foreign}})
    stage.make("other", ref="b" * 20)
    await stage.until(lambda: stage.condition("Accepted", "other").get("status") == "False")
    assert stage.condition("Accepted", "other")["reason"] == Reason.NAMESPACE_TAKEN
    assert stage.phase("other") == "INIT_FAILED"
    assert "kubectl annotate namespace" in stage.condition("Accepted", "other")["message"]
    assert stage.kube.peek(kinds.NAMESPACES, None, foreign) == before
    assert not stage.objects(foreign)
    assert stage.kube.peek(kinds.SECRETS, HOME, "other-credentials") is None


async def test_a_refused_namespace_does_not_hold_up_deletion(stage):
    stage.kube.put(kinds.NAMESPACES, {"metadata": {"name": f"supabase-{'b' * 20}"}})
    stage.make(ref="b" * 20, deletion={"policy": "Delete"})
    await stage.until(lambda: stage.phase() == "INIT_FAILED")
    await stage.delete()
    await stage.until(stage.gone)
    assert stage.kube.peek(kinds.NAMESPACES, None, f"supabase-{'b' * 20}")


async def test_an_administrator_can_give_a_namespace_away(stage):
    foreign = f"supabase-{'b' * 20}"
    stage.kube.put(kinds.NAMESPACES, {"metadata": {"name": foreign}})
    stage.make(ref="b" * 20)
    await stage.until(lambda: stage.phase() == "INIT_FAILED")
    mark = {names.ANNOTATION_ADOPTABLE_BY: f"{HOME}/shop"}
    stage.kube.put(kinds.NAMESPACES, {"metadata": {"name": foreign, "annotations": mark}})
    await stage.active()
    annotations = stage.kube.peek(kinds.NAMESPACES, None, foreign)["metadata"]["annotations"]
    assert annotations[names.ANNOTATION_OWNER].startswith(f"{HOME}/shop/")
    assert names.ANNOTATION_ADOPTABLE_BY not in annotations


async def test_outside_of_home_namespaces_nothing_is_made(stage):
    stage.make(namespace="elsewhere")
    await stage.until(lambda: stage.condition("Accepted", namespace="elsewhere"))
    condition = stage.condition("Accepted", namespace="elsewhere")
    assert (condition["status"], condition["reason"]) == ("False", Reason.NAMESPACE_NOT_A_HOME)
    assert "SUPAPLANE_HOME_NAMESPACES" in condition["message"]
    await stage.quiet()
    assert "finalizers" not in stage.project(namespace="elsewhere")["metadata"]
    assert {r.subresource for r in stage.kube.writes} == {"status"}


async def test_the_younger_of_two_with_one_ref_is_refused(stage):
    stage.make("first", ref="a" * 20)
    await stage.active("first")
    stage.make("second", ref="a" * 20)
    await stage.until(lambda: stage.condition("Accepted", "second"))
    assert stage.condition("Accepted", "second")["reason"] == Reason.REF_TAKEN
    assert stage.condition("Accepted", "first")["status"] == "True"
    assert "ref" not in stage.status("second")


async def test_of_two_with_one_host_the_older_keeps_it_until_it_goes(stage):
    stage.make("a-first", customDomains=["shop.example.com"])
    await stage.active("a-first")
    stage.make("b-second", customDomains=["shop.example.com"])
    await stage.until(
        lambda: stage.condition("NetworkReady", "b-second").get("reason") == Reason.HOST_TAKEN
    )
    await stage.until(lambda: stage.phase("b-second") == "ACTIVE_HEALTHY")
    assert stage.condition("Ready", "b-second")["status"] == "False"
    assert stage.renderer.inputs[-1].spec.custom_domains == []
    await stage.delete("a-first")
    await stage.until(lambda: stage.condition("Ready", "b-second")["status"] == "True")


async def test_a_host_below_the_platforms_domain_is_reserved(stage):
    stage.make(customDomains=["login.example.org"])
    await stage.until(lambda: stage.condition("NetworkReady").get("reason") == Reason.HOST_RESERVED)
