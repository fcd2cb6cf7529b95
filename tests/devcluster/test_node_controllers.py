"""The node's controllers know what is in the cluster, and make of it what they should."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from supaplane_devcluster import certificates, kubeconfig
from supaplane_devcluster.node import api, controller
from supaplane_devcluster.node.api import Api, Mirror, Refused
from supaplane_devcluster.node.enforcer import Enforcer
from supaplane_devcluster.node.provisioner import Provisioner

PODS = "/api/v1/pods"


@pytest.fixture(scope="module")
def ca() -> str:
    return certificates.make(datetime.datetime.now(datetime.UTC)).ca


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "RETRY_AFTER", 0.0)
    monkeypatch.setattr(controller, "RETRY_AFTER", 0.0)


def item(name: str, version: str = "1", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "n", "resourceVersion": version}} | more


class Server:
    """An API server of one kind, which answers what a test has put ready, in turn."""

    def __init__(self, lists: list[Any], watches: list[list[Any]]) -> None:
        self.lists = lists
        self.watches = watches
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            self.asked.append("list")
            found = self.lists.pop(0)
            if isinstance(found, int):
                return web.json_response({"message": "not now"}, status=found)
            return web.json_response({"metadata": {"resourceVersion": "10"}, "items": found})
        self.asked.append(f"watch {request.query['resourceVersion']}")
        response = web.StreamResponse()
        await response.prepare(request)
        if not self.watches:
            await asyncio.sleep(60)  # a watch that has nothing to say
        for event in self.watches.pop(0):
            await response.write(json.dumps(event).encode() + b"\n")
        return response


@asynccontextmanager
async def connected(server: Server, folder: Path, ca: str) -> AsyncIterator[Api]:
    application = web.Application()
    application.router.add_get(PODS, server.answer)
    async with TestServer(application) as running:
        path = folder / "kubeconfig"
        path.write_text(kubeconfig.render("one", str(running.make_url("")), ca, "me", "secret"))
        async with Api(path) as client:
            yield client


async def followed(
    server: Server, folder: Path, ca: str, until: Callable[[Mirror], bool]
) -> list[str]:
    """The names that a mirror knows, once it is so."""
    changed = asyncio.Event()
    mirror = Mirror(PODS, changed.set)
    async with connected(server, folder, ca) as client:
        following = asyncio.create_task(mirror.follow(client))
        async with asyncio.timeout(60):
            while not until(mirror):
                await changed.wait()
                changed.clear()
        following.cancel()
    return [found["metadata"]["name"] for found in mirror.objects]


def event(kind: str, name: str, version: str) -> dict[str, Any]:
    return {"type": kind, "object": item(name, version)}


async def test_what_was_listed_and_what_changed_since_is_known(tmp_path: Path, ca: str) -> None:
    changes = [event("ADDED", "b", "11"), event("DELETED", "a", "12"), event("MODIFIED", "c", "13")]
    server = Server([[item("a")]], [changes])
    assert await followed(server, tmp_path, ca, lambda m: len(m.objects) == 2) == ["b", "c"]
    assert server.asked[:2] == ["list", "watch 10"]


async def test_a_watch_that_ends_goes_on_where_it_was(tmp_path: Path, ca: str) -> None:
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}}
    server = Server([[]], [[event("ADDED", "a", "11"), bookmark], [event("ADDED", "b", "21")]])
    await followed(server, tmp_path, ca, lambda m: len(m.objects) == 2)
    assert server.asked[:3] == ["list", "watch 10", "watch 20"]


async def test_a_server_that_has_forgotten_is_asked_for_everything(tmp_path: Path, ca: str) -> None:
    forgotten = {"type": "ERROR", "object": {"code": 410, "message": "too old"}}
    server = Server([[item("a")], [item("b")]], [[forgotten]])
    assert await followed(server, tmp_path, ca, lambda m: "b" in str(m.objects)) == ["b"]


async def test_a_server_that_refuses_is_asked_again(
    tmp_path: Path, ca: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server([500, [item("a")]], [])
    assert await followed(server, tmp_path, ca, lambda m: bool(m.objects)) == ["a"]
    assert "trying again" in capsys.readouterr().err


class Recorder:
    """In the place of an API: writes down what is asked, and refuses what a test wants refused."""

    def __init__(self, refusals: dict[str, int] | None = None) -> None:
        self.refusals = refusals or {}
        self.requests: list[tuple[str, str]] = []

    async def request(self, method: str, path: str, *_: Any) -> dict[str, Any]:
        self.requests.append((method, path))
        if method in self.refusals:
            raise Refused(self.refusals[method], "no")
        return {}


CLASSES = [
    {
        "metadata": {"name": "standard"},
        "provisioner": "devcluster.supaplane.dev/folders",
        "allowVolumeExpansion": True,
    }
]


def claim(phase: str, size: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "data", "namespace": "n", "uid": "u"},
        "spec": {
            "storageClassName": "standard",
            "accessModes": ["ReadWriteOnce"],
            "volumeName": "pvc-u",
            "resources": {"requests": {"storage": size}},
        },
        "status": {"phase": phase, "capacity": {"storage": "1Gi"}},
    }


async def test_a_volume_has_its_folder_before_it_is_told_of(tmp_path: Path) -> None:
    client: Any = Recorder()
    await Provisioner(tmp_path).reconcile(client, [CLASSES, [claim("Pending", "1Gi")], []])
    assert (tmp_path / "pvc-u").is_dir()
    assert client.requests == [("POST", "/api/v1/persistentvolumes")]


async def test_a_volume_that_is_there_already_is_as_good(tmp_path: Path) -> None:
    client: Any = Recorder({"POST": 409})
    await Provisioner(tmp_path).reconcile(client, [CLASSES, [claim("Pending", "1Gi")], []])
    assert (tmp_path / "pvc-u").is_dir()


async def test_growth_is_told_of_the_volume_first_and_then_of_the_claim(tmp_path: Path) -> None:
    client: Any = Recorder()
    there = {"metadata": {"name": "pvc-u"}, "spec": {"persistentVolumeReclaimPolicy": "Delete"}}
    await Provisioner(tmp_path).reconcile(client, [CLASSES, [claim("Bound", "2Gi")], [there]])
    assert client.requests == [
        ("PATCH", "/api/v1/persistentvolumes/pvc-u"),
        ("PATCH", "/api/v1/namespaces/n/persistentvolumeclaims/data/status"),
    ]


def released(name: str, folder: Path) -> dict[str, Any]:
    by = {"pv.kubernetes.io/provisioned-by": "devcluster.supaplane.dev/folders"}
    return {
        "metadata": {"name": name, "annotations": by},
        "spec": {"persistentVolumeReclaimPolicy": "Delete", "local": {"path": str(folder / name)}},
        "status": {"phase": "Released"},
    }


async def test_a_released_volume_loses_its_folder(tmp_path: Path) -> None:
    (tmp_path / "pvc-u").mkdir()
    client: Any = Recorder({"DELETE": 404})
    await Provisioner(tmp_path).reconcile(client, [CLASSES, [], [released("pvc-u", tmp_path)]])
    assert not (tmp_path / "pvc-u").exists()


async def test_one_step_that_fails_does_not_hold_up_the_others(tmp_path: Path) -> None:
    (tmp_path / "pvc-v").mkdir()
    client: Any = Recorder({"POST": 500})
    objects = [CLASSES, [claim("Pending", "1Gi")], [released("pvc-v", tmp_path)]]
    with pytest.raises(Refused):
        await Provisioner(tmp_path).reconcile(client, objects)
    assert not (tmp_path / "pvc-v").exists()


async def test_rules_are_loaded_when_they_change_and_not_when_a_pod_only_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nft = tmp_path / "nft"
    nft.write_text(f"#!/bin/sh\ncat >> {tmp_path}/rules\n")
    nft.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    enforcer, client = Enforcer(), Recorder()
    pod = item("a", labels={}, spec={"containers": []}, status={"podIP": "10.244.0.2"})
    pod["status"]["phase"] = "Running"
    policy = item("p", spec={"podSelector": {}, "policyTypes": ["Ingress"]})
    rules = tmp_path / "rules"
    await enforcer.reconcile(client, [[pod], [], [policy]])  # type: ignore[arg-type]
    first = rules.read_text()
    assert "ip daddr vmap { 10.244.0.2 : jump ingress_10_244_0_2 }" in first
    pod["status"]["conditions"] = [{"type": "Ready"}]
    await enforcer.reconcile(client, [[pod], [], [policy]])  # type: ignore[arg-type]
    assert rules.read_text() == first
    await enforcer.reconcile(client, [[pod], [], []])  # type: ignore[arg-type]
    assert rules.read_text() != first


async def test_rules_that_nft_refuses_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nft = tmp_path / "nft"
    nft.write_text("#!/bin/sh\ncat > /dev/null\necho wrong >&2\nexit 1\n")
    nft.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    enforcer = Enforcer()
    for _ in range(2):
        with pytest.raises(OSError, match="wrong"):
            await enforcer.reconcile(Recorder(), [[], [], []])  # type: ignore[arg-type]
