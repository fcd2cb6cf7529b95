"""Does the process live, is it ready, and what does it count? Three pages over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

Ask = Callable[[], str | None]
"""Why not; None when all is well."""


async def serve(
    host: str, port: int, *, unwell: Ask, unready: Ask, metrics: Callable[[], bytes]
) -> web.AppRunner:
    """Starts the server; its `cleanup` ends it. /healthz also proves that the loop turns."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer(unwell())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(unready())

    async def numbers(_: web.Request) -> web.Response:
        return web.Response(
            body=metrics(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", numbers),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def _answer(trouble: str | None) -> web.Response:
    return web.Response(text=f"{trouble or 'ok'}\n", status=503 if trouble else 200)
