"""How does PostgREST run, the data API?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from supaplane_contract.spec import ComponentName
from supaplane_operator.render import objects
from supaplane_operator.render.context import Project
from supaplane_operator.render.part import Access, Part, Pod, Route
from supaplane_operator.render.workload import RESTRICTED

PORT: Final = 3000
ADMIN_PORT: Final = 3001
USER: Final = 1000
"""The image's own user."""


def pod(project: Project) -> Pod:
    rest = project.spec.rest
    return Pod(
        container={
            "securityContext": RESTRICTED,
            # By HTTP, which costs the node less than starting the binary each time; the admin
            # port is in no Service and no NetworkPolicy.
            "startupProbe": objects.http_probe(
                "/live", ADMIN_PORT, periodSeconds=2, timeoutSeconds=3, failureThreshold=90
            ),
            "readinessProbe": objects.http_probe(
                "/ready", ADMIN_PORT, periodSeconds=5, timeoutSeconds=3
            ),
            "livenessProbe": objects.http_probe(
                "/live", ADMIN_PORT, periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
        },
        env={
            "PGRST_ADMIN_SERVER_PORT": str(ADMIN_PORT),
            "PGRST_APP_SETTINGS_JWT_EXP": str(project.spec.auth.jwt_expiry_seconds),
            "PGRST_DB_ANON_ROLE": "anon",
            "PGRST_DB_EXTRA_SEARCH_PATH": ",".join(rest.extra_search_path),
            "PGRST_DB_MAX_ROWS": str(rest.max_rows),
            "PGRST_DB_POOL": str(project.connections(ComponentName.REST)),
            "PGRST_DB_SCHEMAS": ",".join(rest.schemas),
            "PGRST_SERVER_PORT": str(PORT),
        },
        secret_env={
            "PGRST_DB_URI": project.database_url("authenticator"),
            "PGRST_JWT_SECRET": project.credential("jwt-jwks"),
        },
        spec={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    )


def routes(_: Project) -> tuple[Route, ...]:
    return (
        # the description of the whole database is not for everybody
        Route(11, "/rest/v1/", Access.SERVICE, rewrite="/", exact=True),
        Route(12, "/rest/v1/", Access.KEY, rewrite="/"),
        Route(
            13,
            "/graphql/v1",
            Access.KEY,
            rewrite="/rpc/graphql",
            headers={"Content-Profile": "graphql_public"},
        ),
    )


def inputs(project: Project) -> Mapping[str, Any]:
    return {
        "connections": project.connections(ComponentName.REST),
        "jwtExpiry": project.spec.auth.jwt_expiry_seconds,
    }


PART = Part(
    name=ComponentName.REST,
    pod=pod,
    ports={"http": PORT},
    needs=frozenset({ComponentName.DB}),
    credentials=("password-authenticator", "jwt-jwks"),
    routes=routes,
    inputs=inputs,
)
