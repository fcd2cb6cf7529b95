"""How does Realtime run: broadcast, presence and database changes?

Realtime serves tenants and knows them by the first label of the Host header. There is one, seeded
at each start and called as the Service is: whatever proxy asks by the Service's own name, as the
rows here say in `host`, reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from supaplane_contract.spec import ComponentName
from supaplane_operator.render import beam, objects
from supaplane_operator.render.context import DATABASE_PORT, Project
from supaplane_operator.render.part import Access, Part, Pod, Route
from supaplane_operator.render.workload import RESTRICTED

NAME: Final = ComponentName.REALTIME.value
PORT: Final = 4000


def pod(project: Project) -> Pod:
    # Not the tenant's own path: that one wakes its connections up, and logs each time.
    health = objects.http_probe("/healthcheck", "http")
    return Pod(
        container={
            "securityContext": RESTRICTED,
            **beam.probes(health, start_seconds=300),
        },
        env={**beam.ENVIRONMENT, **_environment(project), **_limits(project)},
        secret_env={
            "API_JWT_JWKS": project.credential("jwt-jwks"),
            "API_JWT_SECRET": project.credential("jwt-secret"),
            "DB_ENC_KEY": project.credential("realtime-db-enc-key"),
            "DB_PASSWORD": project.password("supabase_admin"),
            "METRICS_JWT_SECRET": project.credential("jwt-secret"),
            "RELEASE_COOKIE": beam.cookie(project.credential("secret-key-base"), NAME),
            "SECRET_KEY_BASE": project.credential("secret-key-base"),
        },
        spec=beam.POD,
    )


def _environment(project: Project) -> Mapping[str, str]:
    return {
        "APP_NAME": NAME,
        "DB_AFTER_CONNECT_QUERY": "SET search_path TO _realtime",
        "DB_HOST": project.host(ComponentName.DB),
        "DB_NAME": "postgres",
        # the other half is for what it opens on behalf of its tenant
        "DB_POOL_SIZE": str(max(2, project.connections(ComponentName.REALTIME) // 2)),
        "DB_PORT": str(DATABASE_PORT),
        "DB_USER": "supabase_admin",
        "DISABLE_HEALTHCHECK_LOGGING": "true",
        # what its configuration takes for no other nodes
        "DNS_NODES": "''",
        "GEN_RPC_SOCKET_IP": "127.0.0.1",
        "PORT": str(PORT),
        "RLIMIT_NOFILE": str(beam.OPEN_FILES),
        "RUN_JANITOR": "true",
        "SEED_SELF_HOST": "true",
        "SELF_HOST_TENANT_NAME": NAME,
    }


def _limits(project: Project) -> Mapping[str, str]:
    """What the seed writes into the tenant's row; its own defaults where the spec says nothing."""
    wish = project.spec.realtime
    limits = {
        "TENANT_MAX_CONCURRENT_USERS": wish.max_concurrent_users,
        "TENANT_MAX_EVENTS_PER_SECOND": wish.max_events_per_second,
    }
    return {name: str(limit) for name, limit in limits.items() if limit is not None}


def routes(project: Project) -> tuple[Route, ...]:
    host = project.host(ComponentName.REALTIME)
    return (
        # to manage tenants any token of the project's would do, the anonymous one too
        Route(14, "/realtime/v1/api/openapi", Access.DENIED),
        Route(15, "/realtime/v1/api/tenants", Access.DENIED),
        Route(16, "/realtime/v1/api", Access.KEY, rewrite="/api", host=host),
        Route(17, "/realtime/v1/", Access.KEY, rewrite="/socket/", host=host),
    )


def inputs(project: Project) -> Mapping[str, Any]:
    return {"connections": project.connections(ComponentName.REALTIME)}


PART = Part(
    name=ComponentName.REALTIME,
    pod=pod,
    ports={"http": PORT},
    needs=frozenset({ComponentName.DB}),
    credentials=(
        "jwt-jwks",
        "jwt-secret",
        "password-supabase-admin",
        "realtime-db-enc-key",
        "secret-key-base",
    ),
    routes=routes,
    inputs=inputs,
    # the seed takes the tenant's row away and makes it anew: never beside one that serves from it
    recreate=lambda _: True,
)
