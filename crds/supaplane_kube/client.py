"""Sends requests to an API server over one aiohttp session, with a bound on how many at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from .errors import Conflict, Gone, KubeError, NotFound, Unreachable, from_status
from .login import Login
from .port import Event, Listing, Manifest
from .resources import Resource

PAGE = 500
SMALL_PAGE = 50
"""Of objects that are not kept: each takes some 60 KiB while it is looked at."""
ATTEMPTS = 4
FIRST_WAIT = 0.1
MAX_LINE = 4 * 1024 * 1024
KEEP_ALIVE_SECONDS = 8.0
"""A connection costs two handshakes and some milliseconds of both sides, and while it is kept more
than 100 KiB of memory; the server keeps idle ones for longer than this."""
INACTIVITY_SECONDS = 75.0
"""A watch with bookmarks hears something about once a minute; a silent one is dead."""

_READS = frozenset({"get", "list"})
_JSON = "application/json"
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"


class KubeClient:
    """The real `Kube`. Reads, applies and deletes are sent again on trouble that passes.

    `gate` is called before every write, and again when a connection for it is there, and may raise:
    the operator's Lease closes it.
    `observe` is told (verb, resource plural, HTTP status) of every answer.
    """

    def __init__(
        self,
        login: Login,
        *,
        user_agent: str = "supaplane",
        connections: int = 50,
        timeout_seconds: float = 20.0,
        gate: Callable[[], None] | None = None,
        observe: Callable[[str, str, int], None] | None = None,
    ) -> None:
        self._login = login
        self._gate = gate
        self._observe = observe
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=5.0)
        connector = aiohttp.TCPConnector(
            limit=connections,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ssl=login.ssl_context if login.ssl_context else True,
        )
        watches = aiohttp.TCPConnector(
            limit=connections, ssl=login.ssl_context if login.ssl_context else True
        )
        headers = {"User-Agent": user_agent, "Accept": _JSON}
        self._session = aiohttp.ClientSession(
            connector=connector, headers=headers, trace_configs=_asking(gate) if gate else None
        )
        self._watch_session = aiohttp.ClientSession(
            connector=watches, headers=headers, read_bufsize=MAX_LINE
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all connections."""
        await self._session.close()
        await self._watch_session.close()

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Manifest | None:
        try:
            return await self._send("get", resource, resource.path(namespace, name))
        except NotFound:
            return None

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Listing:
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        for _ in range(ATTEMPTS):
            try:
                return await self._list_pages(resource, namespace, query)
            except Gone:
                continue
        raise Unreachable("the list changed faster than its pages could be read")

    async def scan(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        take: Callable[[Manifest], None],
    ) -> str:
        query = {"labelSelector": label_selector, "limit": str(SMALL_PAGE)}
        return await self._pages(resource, namespace, query, take)

    async def _list_pages(
        self, resource: Resource, namespace: str | None, selectors: Mapping[str, str]
    ) -> Listing:
        items: list[Manifest] = []
        query = {**selectors, "limit": str(PAGE)}
        return Listing(items, await self._pages(resource, namespace, query, items.append))

    async def _pages(
        self,
        resource: Resource,
        namespace: str | None,
        query: Mapping[str, str],
        take: Callable[[Manifest], None],
    ) -> str:
        query = {key: value for key, value in query.items() if value}
        while True:
            page = await self._send("list", resource, resource.path(namespace), query=query)
            for item in page.get("items") or ():
                item.setdefault("apiVersion", resource.api_version)
                item.setdefault("kind", resource.kind)
                take(item)
            more = page["metadata"].get("continue")
            if not more:
                return str(page["metadata"]["resourceVersion"])
            query["continue"] = more

    async def create(
        self, resource: Resource, namespace: str | None, body: Mapping[str, Any], *, manager: str
    ) -> Manifest:
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        path = resource.path(namespace)
        return await self._send("create", resource, path, query=query, body=body, attempts=1)

    async def apply(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Mapping[str, Any],
        *,
        manager: str,
        force: bool = True,
        dry_run: bool = False,
    ) -> Manifest:
        query = {
            "fieldManager": manager,
            "fieldValidation": "Strict",
            "force": "true" if force else "false",
        }
        if dry_run:
            query["dryRun"] = "All"
        path = resource.path(namespace, name)
        return await self._send("apply", resource, path, query=query, body=body, media=_APPLY)

    async def merge_patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Mapping[str, Any],
        *,
        manager: str,
        subresource: str = "",
    ) -> Manifest:
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        path = resource.path(namespace, name, subresource)
        return await self._send("patch", resource, path, query=query, body=body, media=_MERGE)

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: str = "Background",
    ) -> bool:
        body: dict[str, Any] = {"propagationPolicy": propagation}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            await self._send("delete", resource, resource.path(namespace, name), body=body)
        except NotFound:
            return False
        return True

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        timeout_seconds: int = 290,
    ) -> AsyncIterator[Event]:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(timeout_seconds),
        }
        if label_selector:
            query["labelSelector"] = label_selector
        timeout = aiohttp.ClientTimeout(sock_connect=5.0, sock_read=INACTIVITY_SECONDS)
        url = self._login.server + resource.path(namespace)
        try:
            async with self._watch_session.get(
                url, params=query, headers=await self._headers(), timeout=timeout
            ) as response:
                if response.status != 200:
                    raise from_status(response.status, _status(await response.read()))
                async for line in response.content:
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise from_status(int(status.get("code") or 500), status)
                    yield Event(event["type"], event["object"])
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            raise Unreachable(_told(error)) from error
        except ValueError as error:  # aiohttp: a line longer than its buffer
            raise Unreachable(_told(error)) from error

    async def _headers(self) -> dict[str, str]:
        value = await self._login.authorization()
        return {"Authorization": value} if value else {}

    async def _send(
        self,
        verb: str,
        resource: Resource,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        media: str = _JSON,
        attempts: int = ATTEMPTS,
    ) -> Manifest:
        data = orjson.dumps(body) if body is not None else None
        for attempt in range(attempts):
            if verb not in _READS and self._gate is not None:
                self._gate()
            try:
                return await self._once(verb, resource, path, query, data, media)
            except Exception as error:
                wait = _wait_before_retry(error, attempt)
                if wait is None or attempt + 1 == attempts:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def _once(
        self,
        verb: str,
        resource: Resource,
        path: str,
        query: Mapping[str, str] | None,
        data: bytes | None,
        media: str,
    ) -> Manifest:
        headers = await self._headers()
        if data is not None:
            headers["Content-Type"] = media
        try:
            async with self._session.request(
                _METHODS[verb],
                self._login.server + path,
                params=query,
                data=data,
                headers=headers,
                timeout=self._timeout,
                trace_request_ctx=verb,
            ) as response:
                raw = await response.read()
                status = response.status
                after = response.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if self._observe:
                self._observe(verb, resource.plural, 0)
            raise Unreachable(f"{verb} {resource.plural}: {_told(error)}") from error
        if self._observe:
            self._observe(verb, resource.plural, status)
        if status >= 400:
            retry_after = float(after) if after.isdigit() else None
            raise from_status(status, _status(raw), retry_after=retry_after)
        parsed: Manifest = orjson.loads(raw)
        return parsed


def _asking(gate: Callable[[], None]) -> list[aiohttp.TraceConfig]:
    """Asks the gate right before a write is sent: it may have waited for a connection for long, or
    with the whole process."""

    async def ask(_: aiohttp.ClientSession, context: Any, __: object) -> None:
        if context.trace_request_ctx not in _READS:
            gate()

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(ask)
    return [tracing]


_METHODS = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "apply": "PATCH",
    "patch": "PATCH",
    "delete": "DELETE",
}


def _told(error: Exception) -> str:
    """What went wrong, short enough for a log line."""
    return f"{type(error).__name__}: {error}"[:200]


def _status(raw: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {"message": raw[:200].decode(errors="replace")}
    return parsed if isinstance(parsed, dict) else {}


def _wait_before_retry(error: Exception, attempt: int) -> float | None:
    """Seconds to wait before the same request is sent again; None: do not."""
    if not isinstance(error, KubeError) or not error.retryable:
        return None
    if isinstance(error, (Conflict, Gone)):
        return None
    after: float | None = getattr(error, "retry_after", None)
    pause = FIRST_WAIT * 2.0**attempt * random.uniform(0.5, 1.5)
    return min(max(pause, after or 0.0), 10.0)
