"""Which routes does the API serve, and below which paths?"""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

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
from .insights import routes as insights
from .integrations import routes as integrations
from .lifecycle import routes as lifecycle
from .lints import routes as lints
from .members import routes as members
from .organizations import routes as organizations
from .pgmeta import routes as pgmeta
from .platform import routes as platform
from .profile import routes as profile
from .projects import pages
from .projects import routes as projects
from .rotation import routes as rotation
from .telemetry import routes as telemetry
from .usage import routes as usage

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


@cache
def routes() -> tuple[BaseRoute, ...]:
    """Every route with its prefix, for any number of applications.

    Made once, since FastAPI takes seconds to read the signatures of several hundred. Routes keep
    nothing of the application that is asked: what they need is in its `app.state`.
    """
    whole = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: f"{route.name}_{route.path_format}",
    )
    whole.include_router(health.router)
    whole.include_router(auth.gotrue)
    whole.include_router(factor_routes.router)
    whole.include_router(mail_routes.gotrue)
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
        whole.include_router(router)
    for router in BOTH:
        whole.include_router(router)
        whole.include_router(router, prefix="/platform")
    whole.include_router(absent.platform)
    return tuple(whole.routes)
