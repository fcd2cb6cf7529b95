"""What the client sends, what it sends again, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from supaplane_kube import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    KubeClient,
    KubeError,
    NotFound,
    ServerUnavailable,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from supaplane_kube.login import Login
from supaplane_kube.resources import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS

Answer = Callable[[web.Request], Any]


class Server:
    """An HTTP server that answers as it is told, in order, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer | web.Response] = []
        self.requests: list[tuple[str, str, dict[str, str], Any, dict[str, str]]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        parsed = json.loads(body) if body else None
        self.requests.append(
            (request.method, request.path, dict(request.query), parsed, dict(request.headers))
        )
        answer = self.answers.pop(0) if self.answers else web.json_response({"metadata": {}})
        if isinstance(answer, web.Response):
            return answer
        result: web.StreamResponse = await answer(request)
        return result


def problem(code: int, reason: str = "", message: str = "no", **details: Any) -> web.Response:
    body = {"kind": "Status", "reason": reason, "message": message, "details": details}
    return web.json_response(body, status=code)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server, app = Server(), web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
async def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KubeClient]:
    async def token() -> str:
        return "Bearer secret"

    monkeypatch.setattr("supaplane_kube.client.FIRST_WAIT", 0.001)
    async with KubeClient(Login(server.url, None, token)) as client:
        yield client


async def test_paths_and_headers(server, client):
    await client.get(DEPLOYMENTS, "ns", "a")
    await client.get(NAMESPACES, None, "b")
    assert [(r[0], r[1]) for r in server.requests] == [
        ("GET", "/apis/apps/v1/namespaces/ns/deployments/a"),
        ("GET", "/api/v1/namespaces/b"),
    ]
    assert server.requests[0][4]["Authorization"] == "Bearer secret"


async def test_apply_is_strict_and_forced_under_our_name(server, client):
    await client.apply(CONFIG_MAPS, "ns", "a", {"data": {}}, manager="me")
    method, path, query, body, headers = server.requests[0]
    assert (method, path) == ("PATCH", "/api/v1/namespaces/ns/configmaps/a")
    assert query == {"fieldManager": "me", "fieldValidation": "Strict", "force": "true"}
    assert headers["Content-Type"] == "application/apply-patch+yaml"
    assert body == {"data": {}}


async def test_a_status_is_patched_through_its_own_path(server, client):
    await client.merge_patch(PODS, "ns", "a", {"status": {}}, manager="me", subresource="status")
    assert server.requests[0][1] == "/api/v1/namespaces/ns/pods/a/status"
    assert server.requests[0][4]["Content-Type"] == "application/merge-patch+json"


async def test_deleting_names_the_uid_that_is_meant(server, client):
    assert await client.delete(PODS, "ns", "a", uid="u", propagation="Foreground")
    body = {"propagationPolicy": "Foreground", "preconditions": {"uid": "u"}}
    assert server.requests[0][3] == body


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(400), Invalid),
        (problem(401), Unauthorized),
        (problem(403), Forbidden),
        (problem(409, "Conflict"), Conflict),
        (problem(409, "AlreadyExists"), AlreadyExists),
        (problem(410, "Expired"), Gone),
        (problem(422), Invalid),
        (problem(429), TooManyRequests),
        (problem(500), ServerUnavailable),
        (web.Response(status=503, text="a proxy's page"), ServerUnavailable),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(getattr(value, "status", "")),
)
async def test_errors(server, client, answer, error):
    server.answers = [lambda _: _again(answer)] * 10
    with pytest.raises(error):
        await client.create(CONFIG_MAPS, "ns", {"metadata": {"name": "a"}}, manager="me")
    assert len(server.requests) == 1, "what may have been done must not be asked for twice"


async def _again(answer: web.Response) -> web.Response:
    return web.Response(body=answer.body, status=answer.status, content_type=answer.content_type)


async def test_what_is_not_there_is_none_and_a_delete_of_it_is_no_trouble(server, client):
    server.answers = [problem(404), problem(404), problem(404)]
    assert await client.get(CONFIG_MAPS, "ns", "a") is None
    assert await client.delete(CONFIG_MAPS, "ns", "a") is False
    with pytest.raises(NotFound):
        await client.merge_patch(CONFIG_MAPS, "ns", "a", {}, manager="me")


async def test_reads_and_applies_are_sent_again_after_trouble_that_passes(server, client):
    server.answers = [problem(503), problem(429), web.json_response({"metadata": {"name": "a"}})]
    found = await client.get(CONFIG_MAPS, "ns", "a")
    assert found["metadata"]["name"] == "a"
    server.answers = [problem(500), web.json_response({"metadata": {"name": "b"}})]
    await client.apply(CONFIG_MAPS, "ns", "b", {}, manager="me")
    assert len(server.requests) == 5


async def test_it_gives_up_in_the_end(server, client):
    server.answers = [problem(503) for _ in range(20)]
    with pytest.raises(ServerUnavailable):
        await client.get(CONFIG_MAPS, "ns", "a")
    assert len(server.requests) == 4


async def test_a_conflict_is_for_the_caller_to_solve(server, client):
    server.answers = [problem(409, "Conflict")]
    with pytest.raises(Conflict):
        await client.merge_patch(CONFIG_MAPS, "ns", "a", {}, manager="me")
    assert len(server.requests) == 1


async def test_nobody_there_is_unreachable(client, server):
    client._login.server = "http://127.0.0.1:1"
    with pytest.raises(Unreachable):
        await client.create(CONFIG_MAPS, "ns", {"metadata": {"name": "a"}}, manager="me")


async def test_a_long_list_is_read_page_by_page(server, client):
    def page(name: str, more: str) -> web.Response:
        meta = {"resourceVersion": "9", "continue": more}
        return web.json_response({"metadata": meta, "items": [{"metadata": {"name": name}}]})

    server.answers = [page("a", "next"), page("b", "")]
    listing = await client.list(CONFIG_MAPS, "ns", label_selector="x=y")
    assert [i["metadata"]["name"] for i in listing.items] == ["a", "b"]
    assert listing.items[0]["kind"] == "ConfigMap"
    assert server.requests[1][2]["continue"] == "next"
    assert server.requests[1][2]["labelSelector"] == "x=y"


async def test_a_list_whose_pages_expire_begins_anew(server, client):
    first = web.json_response(
        {
            "metadata": {"resourceVersion": "1", "continue": "x"},
            "items": [{"metadata": {"name": "old"}}],
        }
    )
    whole = web.json_response(
        {"metadata": {"resourceVersion": "2"}, "items": [{"metadata": {"name": "new"}}]}
    )
    server.answers = [first, problem(410, "Expired"), whole]
    listing = await client.list(CONFIG_MAPS, "ns")
    assert [i["metadata"]["name"] for i in listing.items] == ["new"]


def lines(*events: dict[str, Any]) -> Answer:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for event in events:
            await response.write(json.dumps(event).encode() + b"\n")
        return response

    return stream


async def follow(client: KubeClient) -> list[str]:
    return [e.type async for e in client.watch(CONFIG_MAPS, "ns", resource_version="1")]


async def test_a_watch_ends_with_its_stream(server, client):
    server.answers = [lines({"type": "ADDED", "object": {}}, {"type": "BOOKMARK", "object": {}})]
    assert await follow(client) == ["ADDED", "BOOKMARK"]
    assert server.requests[0][2]["allowWatchBookmarks"] == "true"


async def test_an_error_inside_a_watch_is_raised_as_what_it_is(server, client):
    for code, error in ((410, Gone), (429, TooManyRequests), (500, ServerUnavailable)):
        server.answers = [lines({"type": "ERROR", "object": {"code": code, "message": "x"}})]
        with pytest.raises(error):
            await follow(client)


async def test_a_watch_that_is_refused_is_an_error(server, client):
    server.answers = [problem(410, "Expired")]
    with pytest.raises(Gone):
        await follow(client)


async def test_half_a_line_is_a_broken_watch(server, client):
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"type": "ADD')
        return response

    server.answers = [half]
    with pytest.raises(Unreachable):
        await follow(client)


async def test_a_silent_watch_is_a_broken_one(server, client, monkeypatch):
    monkeypatch.setattr("supaplane_kube.client.INACTIVITY_SECONDS", 0.05)

    async def silent(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(1)
        return response

    server.answers = [silent]
    with pytest.raises(Unreachable):
        await follow(client)


async def test_a_large_object_fits_into_a_watch(server, client):
    large = {"type": "ADDED", "object": {"data": "x" * 1_500_000}}
    server.answers = [lines(large)]
    assert await follow(client) == ["ADDED"]


async def test_the_gate_stands_before_every_write_and_no_read(server):
    class Closed(Exception):
        pass

    def gate() -> None:
        raise Closed

    async def nobody() -> None:
        return None

    async with KubeClient(Login(server.url, None, nobody), gate=gate) as client:
        await client.get(CONFIG_MAPS, "ns", "a")
        for write in (
            client.create(CONFIG_MAPS, "ns", {}, manager="me"),
            client.apply(CONFIG_MAPS, "ns", "a", {}, manager="me"),
            client.merge_patch(CONFIG_MAPS, "ns", "a", {}, manager="me"),
            client.delete(CONFIG_MAPS, "ns", "a"),
        ):
            with pytest.raises(Closed):
                await write
    assert len(server.requests) == 1
    assert "Authorization" not in server.requests[0][4]


async def test_a_write_that_waited_for_a_connection_asks_the_gate_again(server):
    class Closed(Exception):
        pass

    async def nobody() -> None:
        return None

    asked: list[bool] = []
    begun, closed, served = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def gate() -> None:
        asked.append(closed.is_set())
        begun.set()
        if closed.is_set():
            raise Closed

    async def slow(_: web.Request) -> web.Response:
        served.set()
        await closed.wait()
        return web.json_response({"metadata": {}})

    server.answers = [slow]
    login = Login(server.url, None, nobody)
    async with KubeClient(login, connections=1, gate=gate) as client:
        read = asyncio.create_task(client.get(CONFIG_MAPS, "ns", "a"))
        await served.wait()
        write = asyncio.create_task(client.create(CONFIG_MAPS, "ns", {}, manager="me"))
        await begun.wait()
        closed.set()
        await read
        with pytest.raises(Closed):
            await write
        assert asked == [False, True]
        assert len(server.requests) == 1
        closed.clear()
        await client.create(CONFIG_MAPS, "ns", {}, manager="me")
    assert len(server.requests) == 2


async def test_every_answer_is_counted(server):
    async def nobody() -> None:
        return None

    seen: list[tuple[str, str, int]] = []
    login = Login(server.url, None, nobody)
    async with KubeClient(login, observe=lambda *what: seen.append(what)) as client:
        await client.get(CONFIG_MAPS, "ns", "a")
        server.answers = [problem(403)]
        with pytest.raises(KubeError):
            await client.create(CONFIG_MAPS, "ns", {}, manager="me")
    assert seen == [("get", "configmaps", 200), ("create", "configmaps", 403)]


async def test_a_server_that_asks_to_wait_is_waited_for(server, client):
    polite = web.json_response({"message": "slow"}, status=429, headers={"Retry-After": "1"})
    server.answers = [polite, web.json_response({"metadata": {}})]
    began = asyncio.get_running_loop().time()
    await client.get(CONFIG_MAPS, "ns", "a")
    assert asyncio.get_running_loop().time() - began >= 0.99
