"""How is a project's service reached over the network?

In the cluster by the name of its Service. Outside of it, which is development, through the API
server's proxy for Services: that takes the credentials of a kubeconfig, and drops `Authorization`
on the way, so callers identify themselves by `apikey`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp
import orjson
from yarl import URL

from supaplane_contract import names
from supaplane_kube.login import Login

from .port import Call, NotReached, Part, Reply, TooMuch

log = logging.getLogger(__name__)
CONNECTIONS = 100
CONNECT_SECONDS = 3.0


@dataclass(frozen=True)
class Way:
    """Where the Services of projects are, and what has to be sent along to get there."""

    base: Callable[[str, Part], str]
    headers: Callable[[], Awaitable[Mapping[str, str]]]
    login: Login | None = None
    """Of the API server in between; None: there is none."""


def direct() -> Way:
    """By the cluster's own names."""

    async def nothing() -> Mapping[str, str]:
        return {}

    return Way(direct_base, nothing)


def through(login: Login) -> Way:
    """Through the API server."""

    async def authorized() -> Mapping[str, str]:
        value = await login.authorization()
        return {"Authorization": value} if value else {}

    return Way(lambda ref, part: login.server + proxy_path(ref, part), authorized, login)


def direct_base(ref: str, part: Part) -> str:
    """The URL of a Service inside the cluster."""
    name, port = part.value
    return f"http://{name}.{names.project_namespace(ref)}.svc:{port}"


def proxy_path(ref: str, part: Part) -> str:
    """The path of a Service's proxy at the API server."""
    name, port = part.value
    return f"/api/v1/namespaces/{names.project_namespace(ref)}/services/http:{name}:{port}/proxy"


class HttpInside:
    """The real way in, over one aiohttp session. Never follows a redirect out of the project."""

    def __init__(self, way: Way) -> None:
        self._way = way
        tls = way.login.ssl_context if way.login else None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=tls or True),
            headers={"Accept": "application/json", "User-Agent": "supaplane-api"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        await self._session.close()

    async def send(self, call: Call) -> Reply:
        url = URL(self._way.base(call.ref, call.part) + call.path, encoded=True)
        if call.query:
            url = url.with_query(list(call.query))
        headers = {**call.headers, **await self._way.headers()}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=call.seconds, sock_connect=CONNECT_SECONDS)
        try:
            async with self._session.request(
                call.method,
                url,
                data=call.body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await _read(response, call.most_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("%s of %s: %s", call.part.value[0], call.ref, type(error).__name__)
            raise NotReached(type(error).__name__) from None
        if self._way.login is not None and of_the_proxy(response.status, body):
            raise NotReached("the API server reaches no pod of this service")
        return Reply(response.status, body)


def of_the_proxy(status: int, body: bytes) -> bool:
    """Whether the API server itself answered, since there was no service or pod to ask."""
    if status < 400 or not body.startswith(b"{"):
        return False
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return bool(said.get("kind") == "Status" and said.get("apiVersion") == "v1")


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise TooMuch
    return bytes(body)
