"""How are settings made into services? The one place that knows every constructor."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from supaplane_kube import Kube

from .auth.limits import Limits
from .auth.one_time import Codes
from .auth.passwords import Passwords
from .auth.tokens import AccessTokens, RefreshTokens
from .auth.totp import Vault
from .database import Database
from .inside import Inside, Nowhere
from .mail import post
from .metrics import Metrics
from .projects.snapshot import Snapshot
from .services import Outside, Services
from .settings import Settings


def assemble(
    settings: Settings,
    *,
    database_url: str,
    kube: Kube,
    metrics: Metrics,
    stirred: asyncio.Event,
    outside: Outside | None = None,
    inside: Inside | None = None,
) -> Services:
    """Everything that routes and background work share; nothing is opened or started yet."""
    snapshot = Snapshot(
        kube,
        settings.home_namespaces,
        stirred=lambda _key: stirred.set(),
        odd=lambda what: metrics.unreadable.labels(what).inc(),
    )
    previous = settings.jwt_secret_previous
    services = Services(
        settings=settings,
        database=Database(database_url, size=settings.database_pool_size),
        kube=kube,
        snapshot=snapshot,
        passwords=Passwords(),
        access_tokens=AccessTokens(
            settings.secret("jwt_secret"),
            issuer=settings.issuer,
            life=timedelta(seconds=settings.access_token_seconds),
            previous=[previous.get_secret_value().encode()] if previous else [],
        ),
        refresh_tokens=RefreshTokens(settings.secret("encryption_secret")),
        vault=Vault(settings.secret("encryption_secret")),
        codes=Codes(settings.secret("encryption_secret")),
        limits=Limits(signups_per_hour=settings.signups_per_hour),
        metrics=metrics,
        inside=inside or Nowhere(),
        outside=outside or Outside(),
        post=post.of(settings),
    )
    _watch_over(services)
    return services


def _watch_over(services: Services) -> None:
    metrics, snapshot = services.metrics, services.snapshot
    metrics.gauge(
        "supaplane_api_snapshot_silence_seconds",
        "Time since the API server last said anything about SupabaseProjects",
        lambda: snapshot.silence,
    )
    metrics.gauge(
        "supaplane_api_passwords_pending",
        "Passwords being checked or waiting for it",
        lambda: float(services.passwords.pending),
    )
    metrics.gauges("supaplane_api_projects", "SupabaseProjects by phase", "phase", snapshot.phases)
    metrics.gauges(
        "supaplane_api_database_pool",
        "Statistics of the connection pool",
        "name",
        services.database.statistics,
    )
