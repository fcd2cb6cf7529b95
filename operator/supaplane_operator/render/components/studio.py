"""How does the project's own Studio run, behind the gateway's sign-in?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from supaplane_contract.sizes import SMALL_VOLUME
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import logs, objects
from supaplane_operator.render.components.meta import PORT as META_PORT
from supaplane_operator.render.context import (
    ANALYTICS_PORT,
    DATABASE_PORT,
    GATEWAY_PORT,
    Project,
)
from supaplane_operator.render.model import Manifest
from supaplane_operator.render.part import Access, Part, Pod, Route
from supaplane_operator.render.workload import RESTRICTED

NAME: Final = ComponentName.STUDIO.value
PORT: Final = 3000
USER: Final = 1000
"""`node` in the image."""


def pod(project: Project) -> Pod:
    return Pod(
        container={
            "securityContext": RESTRICTED,
            "startupProbe": objects.http_probe(
                "/api/platform/profile",
                "http",
                periodSeconds=3,
                timeoutSeconds=10,
                failureThreshold=60,
            ),
            "readinessProbe": objects.http_probe(
                "/api/platform/profile", "http", periodSeconds=10, timeoutSeconds=10
            ),
            "livenessProbe": objects.tcp_probe(
                "http", periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
            "volumeMounts": [
                {"name": "snippets", "mountPath": "/app/snippets"},
                {"name": "edge-functions", "mountPath": "/app/edge-functions"},
                {"name": "cache", "mountPath": "/app/apps/studio/.next/cache"},
            ],
        },
        env={**_environment(project), **_logs(project)},
        secret_env={
            "AUTH_JWT_SECRET": project.credential("jwt-secret"),
            "PG_META_CRYPTO_KEY": project.credential("pg-meta-crypto-key"),
            # it splices the password into a URL without encoding it
            "POSTGRES_PASSWORD": quote(project.password("postgres"), safe=""),
            "SUPABASE_ANON_KEY": project.credential("anon-key"),
            "SUPABASE_PUBLISHABLE_KEY": project.credential("publishable-key"),
            "SUPABASE_SECRET_KEY": project.credential("secret-key"),
            "SUPABASE_SERVICE_KEY": project.credential("service-role-key"),
            **_log_token(project),
        },
        spec={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "fsGroup": USER,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [
                {"name": "snippets", "persistentVolumeClaim": {"claimName": NAME}},
                {"name": "edge-functions", "emptyDir": {"sizeLimit": "16Mi"}},
                {"name": "cache", "emptyDir": {"sizeLimit": "512Mi"}},
            ],
        },
    )


def _environment(project: Project) -> Mapping[str, str]:
    spec = project.spec
    return {
        "DEFAULT_ORGANIZATION_NAME": _organization(project),
        "DEFAULT_PROJECT_NAME": spec.display_name or project.input.name,
        "EDGE_FUNCTIONS_MANAGEMENT_FOLDER": "/app/edge-functions",
        # Next.js binds to it, and Kubernetes sets it to the pod's name
        "HOSTNAME": "0.0.0.0",
        "PGRST_DB_EXTRA_SEARCH_PATH": ",".join(spec.rest.extra_search_path),
        "PGRST_DB_MAX_ROWS": str(spec.rest.max_rows),
        "PGRST_DB_SCHEMAS": ",".join(spec.rest.schemas),
        "POSTGRES_DB": "postgres",
        "POSTGRES_HOST": project.host(ComponentName.DB),
        "POSTGRES_PORT": str(DATABASE_PORT),
        "POSTGRES_USER_READ_WRITE": "postgres",
        "SNIPPETS_MANAGEMENT_FOLDER": "/app/snippets",
        "STUDIO_PG_META_URL": project.url(ComponentName.META, META_PORT),
        "SUPABASE_PUBLIC_URL": project.public_url,
        "SUPABASE_URL": project.url(ComponentName.GATEWAY, GATEWAY_PORT),
    }


def _logs(project: Project) -> Mapping[str, str]:
    if not project.has(ComponentName.ANALYTICS):
        return {"ENABLED_FEATURES_LOGS_ALL": "false"}
    return {
        "ENABLED_FEATURES_LOGS_ALL": "true",
        "LOGFLARE_URL": project.url(ComponentName.ANALYTICS, ANALYTICS_PORT),
    }


def _log_token(project: Project) -> Mapping[str, str]:
    """What Studio reads logs with, where there are any."""
    if not project.has(ComponentName.ANALYTICS):
        return {}
    return {"LOGFLARE_PRIVATE_ACCESS_TOKEN": project.credential(logs.PRIVATE_TOKEN)}


def _organization(project: Project) -> str:
    """With neither set, the project stands for itself."""
    spec = project.spec
    return spec.studio.organization_name or spec.organization or project.input.namespace


def routes(_: Project) -> tuple[Route, ...]:
    return (
        # tools for language models, without a check of their own: closed, as upstream has it
        Route(19, "/api/mcp", Access.DENIED),
        Route(20, "/mcp", Access.DENIED),
        Route(21, "/", Access.DASHBOARD, remove_headers=("authorization",)),
    )


def extra(project: Project) -> tuple[Manifest, ...]:
    """The volume for people's SQL snippets."""
    return (
        objects.claim(
            NAME,
            project.ref,
            component=NAME,
            size=SMALL_VOLUME,
            storage_class=project.platform.storage_class,
        ),
    )


def inputs(project: Project) -> Mapping[str, Any]:
    rest = project.spec.rest
    return {
        "organization": _organization(project),
        "name": project.spec.display_name or project.input.name,
        "publicUrl": project.public_url,
        "rest": [rest.schemas, rest.extra_search_path, rest.max_rows],
        **_log_token(project),
    }


PART = Part(
    name=ComponentName.STUDIO,
    pod=pod,
    ports={"http": PORT},
    needs=frozenset({ComponentName.META, ComponentName.GATEWAY}),
    calls=frozenset({ComponentName.ANALYTICS}),
    # a part of each connection string that it hands to postgres-meta
    mentions=frozenset({ComponentName.DB}),
    credentials=(
        "anon-key",
        "jwt-secret",
        "password-postgres",
        "pg-meta-crypto-key",
        "publishable-key",
        "secret-key",
        "service-role-key",
    ),
    optional_credentials=(logs.PRIVATE_TOKEN,),
    routes=routes,
    inputs=inputs,
    ignores=frozenset({"organization_name"}),
    objects=extra,
    recreate=lambda _: True,
)
