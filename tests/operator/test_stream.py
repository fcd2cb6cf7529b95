"""kopf's stream: what it tells, that it writes nothing, and that its end is nobody else's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from supaplane_contract import names
from supaplane_kube.login import Login
from supaplane_operator import handlers

PATH = f"/apis/{names.GROUP}/{names.VERSION}"


class Server:
    """As much of an API server as kopf asks for."""

    def __init__(self) -> None:
        self.projects = [project("a", "5")]
        self.requests: list[tuple[str, str, str]] = []
        self.streams: list[asyncio.Queue[dict[str, Any] | None]] = []
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api", self.core)
        app.router.add_get("/api/v1", self.core_resources)
        app.router.add_get("/apis", self.groups)
        app.router.add_get(PATH, self.resources)
        app.router.add_get(f"{PATH}/{names.PLURAL}", self.list_or_watch)
        app.router.add_route("*", "/{tail:.*}", self.other)
        return app

    def note(self, request: web.Request) -> None:
        token = request.headers.get("Authorization", "")
        self.requests.append((request.method, request.path, token))

    async def other(self, request: web.Request) -> web.Response:
        self.note(request)
        return web.json_response({"kind": "Status", "code": 404}, status=404)

    async def core(self, request: web.Request) -> web.Response:
        self.note(request)
        return web.json_response({"versions": ["v1"]})

    async def core_resources(self, request: web.Request) -> web.Response:
        self.note(request)
        return web.json_response({"resources": [resource("namespaces", "Namespace")]})

    async def groups(self, request: web.Request) -> web.Response:
        self.note(request)
        version = {"groupVersion": f"{names.GROUP}/{names.VERSION}", "version": names.VERSION}
        group = {"name": names.GROUP, "versions": [version], "preferredVersion": version}
        return web.json_response({"groups": [group]})

    async def resources(self, request: web.Request) -> web.Response:
        self.note(request)
        return web.json_response({"resources": [resource(names.PLURAL, names.KIND)]})

    async def list_or_watch(self, request: web.Request) -> web.StreamResponse:
        self.note(request)
        if "watch" not in request.query:
            meta = {"resourceVersion": "10"}
            return web.json_response({"metadata": meta, "items": self.projects})
        response = web.StreamResponse()
        await response.prepare(request)
        events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.streams.append(events)
        while (event := await events.get()) is not None:
            await response.write(json.dumps(event).encode() + b"\n")
        return response

    def tell(self, type_: str, body: dict[str, Any]) -> None:
        self.streams[-1].put_nowait({"type": type_, "object": body})


def resource(plural: str, kind: str) -> dict[str, Any]:
    verbs = ["get", "list", "watch", "patch"]
    return {"name": plural, "singularName": "", "kind": kind, "namespaced": True, "verbs": verbs}


def project(name: str, version: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "home", "uid": f"uid-{name}", "resourceVersion": version}
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": meta, "spec": {}}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    for events in server.streams:
        events.put_nowait(None)
    await runner.cleanup()


async def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def login(server: Server) -> Login:
    async def token() -> str:
        return "Bearer secret"

    return Login(server.url, None, token)


async def test_it_tells_of_every_project_and_writes_nothing(server):
    told: list[tuple[str, str, str]] = []
    task = asyncio.create_task(handlers.stream(login(server), lambda *w: told.append(w), "ua"))
    await eventually(lambda: ("home", "a", "5") in told and bool(server.streams))
    server.tell("ADDED", project("b", "11"))
    server.tell("MODIFIED", project("a", "12"))
    await eventually(lambda: {("home", "b", "11"), ("home", "a", "12")} <= set(told))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert {method for method, _, _ in server.requests} == {"GET"}
    assert {token for _, _, token in server.requests} == {"Bearer secret"}
    cluster_wide = {path for _, path, _ in server.requests}
    assert not [path for path in cluster_wide if "customresourcedefinitions" in path]


async def test_it_asks_for_no_name_of_the_user_that_it_runs_as(server, monkeypatch):
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.setattr("getpass.getuser", nobody)
    told: list[tuple[str, str, str]] = []
    task = asyncio.create_task(handlers.stream(login(server), lambda *w: told.append(w), "ua"))
    await eventually(lambda: bool(told) or task.done())
    assert told == [("home", "a", "5")]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_error_in_its_watch_ends_it_and_no_task_of_ours(server):
    ours = asyncio.create_task(asyncio.sleep(60))
    stream = asyncio.create_task(handlers.stream(login(server), lambda *_: None, "ua"))
    await eventually(lambda: bool(server.streams))
    later = asyncio.create_task(asyncio.sleep(60))
    server.tell("ERROR", {"kind": "Status", "code": 500, "message": "etcd is away"})
    done, _ = await asyncio.wait([stream], timeout=20)
    assert done
    assert isinstance(stream.exception(), Exception)
    assert not ours.done()
    assert not later.done(), "kopf cancels what began on its loop after it"
    ours.cancel()
    later.cancel()


async def test_it_can_be_started_again_in_the_same_process(server):
    for version in ("20", "30"):
        told: list[tuple[str, str, str]] = []
        streams = len(server.streams)
        task = asyncio.create_task(
            handlers.stream(login(server), lambda *w, told=told: told.append(w), "ua")
        )
        await eventually(lambda streams=streams: len(server.streams) > streams)
        server.tell("MODIFIED", project("a", version))
        await eventually(lambda told=told, version=version: ("home", "a", version) in told)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
