"""What does kopf tell us? That a SupabaseProject changed. Handlers pass that on and do no more.

kopf runs in a thread with an event loop of its own: when its operator ends, after an error in its
watch for instance, it cancels every task that began on its loop meanwhile, whosoever it is.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import kopf

from supaplane_contract import names
from supaplane_kube.login import Login

Noticed = Callable[[str, str, str], None]
"""Takes namespace, name and resource version of a SupabaseProject."""


async def stream(login: Login, noticed: Noticed, user_agent: str) -> None:
    """Tells of SupabaseProjects until cancelled; raises what ended kopf.

    `noticed` is called on the loop of the caller.
    """
    loop = asyncio.get_running_loop()
    stop = threading.Event()

    def tell(namespace: str, name: str, version: str) -> None:
        loop.call_soon_threadsafe(noticed, namespace, name, version)

    async def operate() -> None:
        try:
            await kopf.operator(
                registry=registry(tell, login, user_agent),
                clusterwide=True,
                standalone=True,
                # Or kopf asks for the name of its user, and in a pod the user has none. The type
                # is a NewType of str that kopf does not export.
                identity=user_agent,  # type: ignore[arg-type]
                stop_flag=stop,
            )
        finally:
            stop.set()  # or the thread that kopf lets wait for it would wait for ever

    thread = asyncio.create_task(asyncio.to_thread(asyncio.run, operate()))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([thread], timeout=5.0)
        raise


def registry(noticed: Noticed, login: Login, user_agent: str) -> kopf.OperatorRegistry:
    """Everything that kopf is asked to do. Nothing global, so that it can be started again."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def sign_in(**_: Any) -> kopf.AiohttpSession:
        return session(login, user_agent)

    @kopf.on.startup(registry=handlers)
    async def startup(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=handlers)
    async def event(namespace: str | None, name: str | None, meta: kopf.Meta, **_: Any) -> None:
        noticed(namespace or "", name or "", str(meta.get("resourceVersion", "")))

    return handlers


def configure(settings: kopf.OperatorSettings) -> None:
    """kopf as a stream of events and nothing else: it writes nothing and keeps nothing."""
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.watching.server_timeout = 290
    settings.watching.client_timeout = 330
    settings.watching.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = (0.05, 0.2, 0.5, 1, 2, 5)
    settings.queueing.idle_timeout = 0.1  # a worker per object would wait for five seconds
    settings.queueing.exit_timeout = 0.5
    settings.process.ultimate_exiting_timeout = None  # it would kill the process, not the thread
    settings.persistence.finalizer = f"{names.GROUP}/unused-by-kopf"


def session(login: Login, user_agent: str) -> kopf.AiohttpSession:
    """An HTTP session that proves who we are anew at each request."""

    async def authorize(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        value = await login.authorization()
        if value:
            request.headers["Authorization"] = value
        return await handler(request)

    http = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=10, ssl=login.ssl_context or True),
        headers={"User-Agent": user_agent},
        middlewares=(authorize,),
    )
    return kopf.AiohttpSession(server=login.server, aiohttp_session=http)


class NotInMainThread(logging.Filter):
    """Drops kopf's warning that it leaves signals alone, which is what we want of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to keep a line."""
        return "OS signals are ignored" not in record.getMessage()
