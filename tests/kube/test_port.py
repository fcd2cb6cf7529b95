"""What both implementations of the port promise."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from supaplane_kube import AlreadyExists, Conflict, Gone, KubeClient, NotFound, Resource
from supaplane_kube.login import find
from supaplane_kube.port import Event
from supaplane_kube.resources import CONFIG_MAPS, HTTP_ROUTES, NAMESPACES

ME = "tests"


def config_map(name: str, *, labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name}
    if labels:
        meta["labels"] = labels
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


async def test_what_is_made_can_be_read(kube, unique):
    name = unique("a")
    made = await kube.create(CONFIG_MAPS, "default", config_map(name, x="1"), manager=ME)
    assert made["metadata"]["uid"]
    assert made["metadata"]["resourceVersion"]
    read = await kube.get(CONFIG_MAPS, "default", name)
    assert read["data"] == {"x": "1"}
    assert await kube.get(CONFIG_MAPS, "default", unique("none")) is None


async def test_what_is_there_is_not_made_again(kube, unique):
    name = unique("a")
    await kube.create(CONFIG_MAPS, "default", config_map(name, x="1"), manager=ME)
    with pytest.raises(AlreadyExists):
        await kube.create(CONFIG_MAPS, "default", config_map(name, x="2"), manager=ME)


async def test_nothing_is_made_in_a_namespace_that_is_not_there(kube):
    with pytest.raises(NotFound, match="namespaces"):
        await kube.apply(CONFIG_MAPS, "nowhere", "a", config_map("a"), manager=ME)


async def test_apply_makes_and_then_changes_only_what_it_says(kube, unique):
    name = unique("a")
    await kube.apply(CONFIG_MAPS, "default", name, config_map(name, x="1", y="1"), manager=ME)
    await kube.merge_patch(CONFIG_MAPS, "default", name, {"data": {"z": "9"}}, manager="other")
    after = await kube.apply(CONFIG_MAPS, "default", name, config_map(name, x="2"), manager=ME)
    assert after["data"] == {"x": "2", "z": "9"}


async def test_applying_the_same_again_changes_no_version(kube, unique):
    name = unique("a")
    first = await kube.apply(CONFIG_MAPS, "default", name, config_map(name, x="1"), manager=ME)
    again = await kube.apply(CONFIG_MAPS, "default", name, config_map(name, x="1"), manager=ME)
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_dry_run_changes_nothing(kube, unique):
    name = unique("a")
    await kube.apply(CONFIG_MAPS, "default", name, config_map(name), manager=ME, dry_run=True)
    assert await kube.get(CONFIG_MAPS, "default", name) is None


async def test_a_merge_patch_removes_what_is_null(kube, unique):
    name = unique("a")
    await kube.create(CONFIG_MAPS, "default", config_map(name, x="1", y="1"), manager=ME)
    after = await kube.merge_patch(CONFIG_MAPS, "default", name, {"data": {"x": None}}, manager=ME)
    assert after["data"] == {"y": "1"}


async def test_a_patch_of_an_old_version_is_refused(kube, unique):
    name = unique("a")
    made = await kube.create(CONFIG_MAPS, "default", config_map(name, x="1"), manager=ME)
    version = made["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version}, "data": {"x": "2"}}
    await kube.merge_patch(CONFIG_MAPS, "default", name, patch, manager=ME)
    with pytest.raises(Conflict):
        await kube.merge_patch(CONFIG_MAPS, "default", name, patch, manager=ME)


async def test_a_patch_meant_for_another_object_of_that_name_is_refused(kube, unique):
    name = unique("a")
    await kube.create(CONFIG_MAPS, "default", config_map(name), manager=ME)
    patch = {"metadata": {"uid": "11111111-1111-1111-1111-111111111111"}, "data": {"x": "2"}}
    with pytest.raises(Conflict):
        await kube.merge_patch(CONFIG_MAPS, "default", name, patch, manager=ME)


async def test_only_what_is_there_can_be_patched(kube, unique):
    with pytest.raises(NotFound):
        await kube.merge_patch(CONFIG_MAPS, "default", unique("a"), {"data": {}}, manager=ME)


async def test_deleting_says_whether_anything_was_there(kube, unique):
    name = unique("a")
    await kube.create(CONFIG_MAPS, "default", config_map(name), manager=ME)
    assert await kube.delete(CONFIG_MAPS, "default", name)
    assert not await kube.delete(CONFIG_MAPS, "default", name)


async def test_another_object_of_that_name_is_not_deleted(kube, unique):
    name = unique("a")
    await kube.create(CONFIG_MAPS, "default", config_map(name), manager=ME)
    with pytest.raises(Conflict):
        await kube.delete(CONFIG_MAPS, "default", name, uid="11111111-1111-1111-1111-111111111111")
    assert await kube.get(CONFIG_MAPS, "default", name)


async def test_a_finalizer_holds_what_is_deleted(kube, unique):
    name = unique("a")
    body = config_map(name)
    body["metadata"]["finalizers"] = ["supaplane.dev/test"]
    await kube.create(CONFIG_MAPS, "default", body, manager=ME)
    await kube.delete(CONFIG_MAPS, "default", name)
    held = await kube.get(CONFIG_MAPS, "default", name)
    assert held["metadata"]["deletionTimestamp"]
    patch = {"metadata": {"finalizers": []}}
    await kube.merge_patch(CONFIG_MAPS, "default", name, patch, manager=ME)
    assert await kube.get(CONFIG_MAPS, "default", name) is None


async def test_a_list_is_chosen_by_labels_and_says_what_its_items_are(kube, unique):
    mine = {"test": unique("l")[-60:]}
    for name in ("a", "b"):
        body = config_map(unique(name), labels=mine)
        await kube.create(CONFIG_MAPS, "default", body, manager=ME)
    await kube.create(CONFIG_MAPS, "default", config_map(unique("c")), manager=ME)
    selector = f"test={mine['test']}"
    for namespace in ("default", None):
        listing = await kube.list(CONFIG_MAPS, namespace, label_selector=selector)
        assert [i["metadata"]["name"] for i in listing.items] == [unique("a"), unique("b")]
        assert {i["kind"] for i in listing.items} == {"ConfigMap"}
        assert listing.resource_version


async def test_a_kind_that_the_cluster_does_not_have_is_not_found(kube, request):
    if "memory" in request.node.name:
        assert (await kube.list(HTTP_ROUTES, "default")).items == []
        return
    with pytest.raises(NotFound):
        await kube.list(HTTP_ROUTES, "default")


async def test_a_watch_tells_what_happens_after_a_version(kube, unique):
    mine = {"test": unique("w")[-60:]}
    selector = f"test={mine['test']}"
    listing = await kube.list(CONFIG_MAPS, "default", label_selector=selector)
    seen: list[Event] = []

    async def follow() -> None:
        async for event in kube.watch(
            CONFIG_MAPS,
            "default",
            resource_version=listing.resource_version,
            label_selector=selector,
        ):
            if event.type != "BOOKMARK":
                seen.append(event)
            if event.type == "DELETED":
                return

    task = asyncio.create_task(follow())
    name = unique("a")
    await kube.create(CONFIG_MAPS, "default", config_map(name, labels=mine), manager=ME)
    await kube.create(CONFIG_MAPS, "default", config_map(unique("other")), manager=ME)
    await kube.merge_patch(CONFIG_MAPS, "default", name, {"data": {"x": "1"}}, manager=ME)
    await kube.delete(CONFIG_MAPS, "default", name)
    await asyncio.wait_for(task, 10)
    assert [e.type for e in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert {e.object["metadata"]["name"] for e in seen} == {name}


async def test_a_namespace_takes_its_content_along(kube, unique):
    name = unique("ns")[:60]
    await kube.create(
        NAMESPACES,
        None,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        manager=ME,
    )
    await kube.create(CONFIG_MAPS, name, config_map("a"), manager=ME)
    await kube.delete(NAMESPACES, None, name)
    for _ in range(600):
        if await kube.get(CONFIG_MAPS, name, "a") is None:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it is still there")


@pytest.mark.cluster
async def test_a_version_that_is_too_old_to_watch_from_is_gone(devcluster):
    login = await find(kubeconfig=str(devcluster.kubeconfig))
    async with KubeClient(login) as client:
        # Of a kind that was defined later: of older ones a young server still knows everything.
        late = Resource("supaplane.dev", "v1alpha1", "supabaseprojects", "SupabaseProject")
        with pytest.raises(Gone):
            async for _ in client.watch(late, resource_version="1", timeout_seconds=20):
                pass
