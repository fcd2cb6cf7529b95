"""What does every answer carry, and what does every request have to keep to?

One layer around the whole application: a request id, a limit on the body's size and on the time it
takes to arrive, headers that browsers act upon, a log line, a metric, and an answer for errors that
nobody foresaw.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from dataclasses import dataclass
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supaplane_api import errors, logs
from supaplane_api.metrics import Metrics
from supaplane_api.schema import unknown_fields
from supaplane_contract import names

log = logging.getLogger("supaplane_api.requests")
BODY_SECONDS = 30.0
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass
class _Exchange:
    """One request and its answer, as far as they got."""

    scope: Scope
    id: str
    limit: int
    started: float
    status: int = 0
    received: int = 0
    unknown: int = 0

    @property
    def route(self) -> str:
        """The path's pattern: a path itself may hold what no log or metric should."""
        route = self.scope.get("route")
        return str(getattr(route, "path", None) or "(none)")

    def saw_unknown(self, count: int) -> None:
        self.unknown += count


class Envelope:
    """ASGI middleware around everything."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        max_body_bytes: int,
        strict_transport: bool,
    ) -> None:
        self.app = app
        self._metrics = metrics
        self._limit = max_body_bytes
        self._headers = dict(_SECURITY)
        if strict_transport:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        id = given if _ID.fullmatch(given) else token_hex(16)
        exchange = _Exchange(scope, id, self._limit, time.monotonic())
        id_token = logs.request_id.set(id)
        fields_token = unknown_fields.set(exchange.saw_unknown)
        try:
            await self._serve(exchange, receive, send)
        finally:
            self._account(exchange)
            unknown_fields.reset(fields_token)
            logs.request_id.reset(id_token)

    async def _serve(self, exchange: _Exchange, receive: Receive, send: Send) -> None:
        scope = exchange.scope

        async def receive_within_limits() -> Message:
            return await _receive(exchange, receive)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = exchange.id
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        if _announced(scope) > self._limit:
            response = errors.too_large(scope["path"], self._limit)
            await response(scope, receive, send_with_headers)
            return
        try:
            await self.app(scope, receive_within_limits, send_with_headers)
        except Exception:
            log.exception("unexpected error", extra={"route": exchange.route})
            if exchange.status:
                raise  # the answer is half sent: only closing the connection is honest
            await errors.unexpected(scope["path"])(scope, receive, send_with_headers)

    def _account(self, exchange: _Exchange) -> None:
        seconds = time.monotonic() - exchange.started
        route, method = exchange.route, _method(exchange.scope)
        self._metrics.requests.labels(method, route, str(exchange.status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        if exchange.unknown:
            self._metrics.unknown_fields.labels(route).inc(exchange.unknown)
        level = logging.DEBUG if route in _QUIET else logging.INFO
        log.log(
            level,
            "%s %s %s",
            method,
            route,
            exchange.status,
            extra={
                "ref": _ref(exchange.scope),
                "milliseconds": round(seconds * 1000, 2),
            },
        )


async def _receive(exchange: _Exchange, receive: Receive) -> Message:
    left = exchange.started + BODY_SECONDS - time.monotonic()
    if exchange.status:  # answered: what is awaited now is the end of the connection
        return await receive()
    try:
        async with asyncio.timeout(max(left, 0.001)):
            message = await receive()
    except TimeoutError:
        raise HTTPException(408, "The body did not arrive in time") from None
    if message["type"] == "http.request":
        exchange.received += len(message.get("body", b""))
        if exchange.received > exchange.limit:
            raise HTTPException(413)
    return message


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0


def _ref(scope: Scope) -> str | None:
    ref = str(scope.get("path_params", {}).get("ref", ""))
    return ref if names.is_ref(ref) else None


def _method(scope: Scope) -> str:
    """The method as a label: one that nobody knows is not ours to count by name."""
    method = str(scope["method"])
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return method if method in known else "OTHER"
