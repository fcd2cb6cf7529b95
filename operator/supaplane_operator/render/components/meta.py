"""How does postgres-meta run, through which Studio looks at the database?"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from supaplane_contract.spec import ComponentName
from supaplane_operator.render import objects
from supaplane_operator.render.context import DATABASE_PORT, Project
from supaplane_operator.render.part import Access, Part, Pod, Route
from supaplane_operator.render.workload import RESTRICTED

PORT: Final = 8080
USER: Final = 1000
"""`node` in the image, which does not need the root that it starts with by default."""


def pod(project: Project) -> Pod:
    health = ("/health", "http")
    return Pod(
        container={
            "securityContext": RESTRICTED,
            "startupProbe": objects.http_probe(
                *health, periodSeconds=2, timeoutSeconds=3, failureThreshold=90
            ),
            "readinessProbe": objects.http_probe(*health, periodSeconds=5, timeoutSeconds=3),
            "livenessProbe": objects.http_probe(
                *health, periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
        },
        env={
            "PG_META_DB_HOST": project.host(ComponentName.DB),
            "PG_META_DB_NAME": "postgres",
            "PG_META_DB_PORT": str(DATABASE_PORT),
            "PG_META_DB_USER": "postgres",
            "PG_META_PORT": str(PORT),
        },
        secret_env={
            "CRYPTO_KEY": project.credential("pg-meta-crypto-key"),
            # it splices the password into a URL without encoding it
            "PG_META_DB_PASSWORD": quote(project.password("postgres"), safe=""),
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
    return (Route(18, "/pg/", Access.SERVICE, rewrite="/", own_origin_only=True),)


PART = Part(
    name=ComponentName.META,
    pod=pod,
    ports={"http": PORT},
    needs=frozenset({ComponentName.DB}),
    credentials=("password-postgres", "pg-meta-crypto-key"),
    routes=routes,
    for_the_api=True,
)
