"""What is the application? Its routes, its errors, and what runs beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from . import describe, errors, table
from .housekeeping import Housekeeping
from .mail.postman import Postman
from .projects.sweeper import Sweeper
from .services import Services
from .web import cors, directory
from .web.envelope import Envelope

log = logging.getLogger(__name__)
VERSION = "0.1.0"
FIRST_PAUSE = 1.0
LAST_PAUSE = 60.0
SECONDS_TO_HEED = 0.5
ATTEMPTS_TO_END = 20


def create_app(services: Services, stirred: asyncio.Event) -> FastAPI:
    """The application around services that are made already; `stirred` wakes the sweeper."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(services, stirred):
            yield

    app = FastAPI(
        title="Supaplane",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    errors.install(app)
    app.router.routes.extend(table.routes())
    describe.install(app)
    directory.install(app)
    app.add_middleware(
        Envelope,
        metrics=services.metrics,
        max_body_bytes=services.settings.max_body_bytes,
        strict_transport=services.settings.production,
    )
    cors.install(app, services.settings.studio_origin)
    return app


@asynccontextmanager
async def running(services: Services, stirred: asyncio.Event) -> AsyncIterator[None]:
    """The pool and all work that goes on by itself, for as long as the context lasts."""
    async with AsyncExitStack() as stack:
        stack.callback(services.passwords.close)
        stack.push_async_callback(services.database.close)  # a start that is cut off closes it too
        await services.database.open()
        background: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("snapshot", services.snapshot.run),
            ("sweeper", Sweeper(services, stirred).run),
            ("housekeeping", Housekeeping(services).run),
        ]
        if services.post is not None:
            background.append(("postman", Postman(services, services.post).run))
        for name, work in background:
            task = asyncio.create_task(_keep_running(services, name, work), name=name)
            stack.push_async_callback(end, task)
        yield


async def _keep_running(services: Services, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Begins again after an error that nobody foresaw: work that ends in silence is worse."""
    pause = FIRST_PAUSE
    while True:
        try:
            await work()
        except Exception:
            log.exception("%s ended unexpectedly and begins again", name)
        services.metrics.background_failures.labels(name).inc()
        await asyncio.sleep(pause * (0.5 + services.outside.jitter()))
        pause = min(LAST_PAUSE, pause * 2)


async def end(task: asyncio.Task[None]) -> None:
    """Cancels the task until it heeds.

    One is lost when it comes at the moment at which the pool hands a connection over: before Python
    3.12 `asyncio.wait_for`, by which psycopg_pool waits, then returns instead of raising. The task
    would go on for ever, and so would the end of the program.
    """
    for _ in range(ATTEMPTS_TO_END):
        task.cancel()
        await asyncio.wait({task}, timeout=SECONDS_TO_HEED)
        if task.done():
            return
    log.error("%s does not end", task.get_name())
