"""What is the application? Its routes, its errors, and what runs beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from fastapi import APIRouter, FastAPI

from . import describe, errors
from .absent import routes as absent
from .access_tokens import routes as access_tokens
from .api_keys import routes as api_keys
from .audit_log import routes as audit_log
from .auth import factor_routes, mail_routes
from .auth import routes as auth
from .backups import routes as backups
from .billing import routes as billing
from .catalogue import routes as catalogue
from .config import routes as config
from .content import routes as content
from .functions import routes as functions
from .gatewayed import access_keys, data_api, objects, people
from .gatewayed import routes as gatewayed
from .health import routes as health
from .housekeeping import Housekeeping
from .insights import routes as insights
from .integrations import routes as integrations
from .lifecycle import routes as lifecycle
from .lints import routes as lints
from .mail.postman import Postman
from .members import routes as members
from .organizations import routes as organizations
from .pgmeta import routes as pgmeta
from .platform import routes as platform
from .profile import routes as profile
from .projects import pages
from .projects import routes as projects
from .projects.sweeper import Sweeper
from .rotation import routes as rotation
from .services import Services
from .telemetry import routes as telemetry
from .usage import routes as usage
from .web import cors, directory
from .web.envelope import Envelope

log = logging.getLogger(__name__)
VERSION = "0.1.0"
FIRST_PAUSE = 1.0
LAST_PAUSE = 60.0
BOTH: tuple[APIRouter, ...] = (
    profile.router,
    access_tokens.router,
    organizations.router,
    members.router,
    audit_log.router,
    catalogue.router,
    projects.router,
    lifecycle.router,
    api_keys.router,
    rotation.router,
    platform.router,
    pgmeta.router,
    content.router,
    gatewayed.router,
    config.router,
    people.router,
    objects.router,
    access_keys.router,
    data_api.router,
    pages.router,
    backups.router,
    insights.router,
    lints.router,
    usage.router,
    billing.router,
    integrations.router,
    telemetry.router,
    auth.sign_up,
    mail_routes.account,
)
"""Routers that are served at the root, for older clients, and below /platform."""


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
        generate_unique_id_function=lambda route: f"{route.name}_{route.path_format}",
    )
    app.state.services = services
    errors.install(app)
    app.include_router(health.router)
    app.include_router(auth.gotrue)
    app.include_router(factor_routes.router)
    app.include_router(mail_routes.gotrue)
    for router in (
        catalogue.v1,
        api_keys.v1,
        rotation.v1,
        config.v1,
        functions.v1,
        data_api.v1,
        pages.v1,
        absent.v1,
    ):
        app.include_router(router)
    for router in BOTH:
        app.include_router(router)
        app.include_router(router, prefix="/platform")
    app.include_router(absent.platform)
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
            stack.push_async_callback(_end, task)
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


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
