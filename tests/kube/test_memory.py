"""The API server in a dict: faults, generations, history."""

from __future__ import annotations

import asyncio

import pytest

from supaplane_kube import Gone, NotFound, Unreachable
from supaplane_kube.memory import MemoryKube
from supaplane_kube.resources import CONFIG_MAPS, DEPLOYMENTS, SECRETS
from supaplane_kube.selectors import matches

META = {"name": "a", "namespace": "default"}


@pytest.fixture
def server() -> MemoryKube:
    return MemoryKube()


async def test_the_generation_counts_changes_of_the_wish_only(server):
    body = {"metadata": META, "spec": {"replicas": 1}}
    made = await server.create(DEPLOYMENTS, "default", body, manager="m")
    assert made["metadata"]["generation"] == 1
    await server.merge_patch(
        DEPLOYMENTS, "default", "a", {"status": {"replicas": 1}}, manager="m", subresource="status"
    )
    labelled = await server.merge_patch(
        DEPLOYMENTS, "default", "a", {"metadata": {"labels": {"x": "y"}}}, manager="m"
    )
    assert labelled["metadata"]["generation"] == 1
    scaled = await server.merge_patch(
        DEPLOYMENTS, "default", "a", {"spec": {"replicas": 2}}, manager="m"
    )
    assert scaled["metadata"]["generation"] == 2


async def test_the_status_is_written_by_a_request_of_its_own_and_by_that_only(server):
    await server.create(DEPLOYMENTS, "default", {"metadata": META, "spec": {}}, manager="m")
    patch = {"status": {"replicas": 1}, "spec": {"replicas": 5}}
    plain = await server.merge_patch(DEPLOYMENTS, "default", "a", patch, manager="m")
    assert "status" not in plain
    patch = {"status": {"replicas": 3}, "spec": {"replicas": 9}}
    after = await server.merge_patch(
        DEPLOYMENTS, "default", "a", patch, manager="m", subresource="status"
    )
    assert (after["status"], after["spec"]) == ({"replicas": 3}, {"replicas": 5})


async def test_faults_hit_the_requests_they_are_meant_for_and_then_end(server):
    server.fail(Unreachable("no"), times=2, when=lambda r: r.resource == SECRETS)
    await server.list(CONFIG_MAPS, "default")
    for _ in range(2):
        with pytest.raises(Unreachable):
            await server.list(SECRETS, "default")
    await server.list(SECRETS, "default")


async def test_requests_are_recorded(server):
    await server.list(SECRETS, "default")
    with pytest.raises(NotFound):
        await server.merge_patch(SECRETS, "default", "a", {}, manager="m")
    assert [(r.verb, r.is_write) for r in server.requests] == [("list", False), ("patch", True)]
    assert len(server.writes) == 1


async def test_what_is_read_is_a_copy(server):
    server.put(CONFIG_MAPS, {"metadata": META, "data": {"x": "1"}})
    (await server.get(CONFIG_MAPS, "default", "a"))["data"]["x"] = "2"
    assert server.peek(CONFIG_MAPS, "default", "a")["data"] == {"x": "1"}


async def test_a_forgotten_history_ends_open_watches_and_refuses_old_versions(server):
    old = (await server.list(CONFIG_MAPS)).resource_version

    async def follow(version: str) -> None:
        async for _ in server.watch(CONFIG_MAPS, resource_version=version):
            pass

    open_watch = asyncio.create_task(follow(old))
    await asyncio.sleep(0)
    server.put(CONFIG_MAPS, {"metadata": META})
    server.forget_history()
    for task in (open_watch, asyncio.create_task(follow(old))):
        with pytest.raises(Gone):
            await asyncio.wait_for(task, 1)


@pytest.mark.parametrize(
    ("selector", "labels", "fits"),
    [
        ("", {}, True),
        ("a=b", {"a": "b", "c": "d"}, True),
        ("a==b", {"a": "b"}, True),
        ("a=b,c=d", {"a": "b"}, False),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a", {"a": ""}, True),
        ("!a", {"a": ""}, False),
    ],
)
def test_selectors(selector, labels, fits):
    assert matches(selector, labels) is fits


def test_a_selector_that_is_not_understood_is_refused():
    with pytest.raises(ValueError, match="set-based"):
        matches("a in (b)", {})
