"""How does Logflare run, which keeps logs and answers Studio's questions about them?

Its pages ask nobody for a password, so no route leads to it: Studio reaches it, the platform's API,
which searches it for the members of a project, and the platform's log shipper, if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from supaplane_contract.spec import ComponentName
from supaplane_operator.render import beam, logs, objects
from supaplane_operator.render.context import ANALYTICS_PORT, DATABASE_PORT, Project
from supaplane_operator.render.part import Part, Pod
from supaplane_operator.render.workload import RESTRICTED

NAME: Final = ComponentName.ANALYTICS.value
DATABASE: Final = "_supabase"
SCHEMA: Final = "_analytics"
USER: Final = "supabase_admin"

# What the image's own script does, but without going on after a migration that failed. A limit
# that the node does not grant is no reason not to start.
_START: Final = (
    f"ulimit -Sn {beam.OPEN_FILES}; "
    "./logflare eval Logflare.Release.migrate && exec ./logflare start --sname logflare"
)


def pod(project: Project) -> Pod:
    host = project.host(ComponentName.DB)
    own, backend = _pools(project)
    return Pod(
        container={
            "command": ["sh", "-c", _START],
            "securityContext": RESTRICTED,
            **beam.probes(objects.http_probe("/health", "http"), start_seconds=300),
            # its health is bad too when memory is short: no reason to begin again and again
            "livenessProbe": objects.tcp_probe(
                "http", periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
        },
        env={
            **beam.ENVIRONMENT,
            "DB_DATABASE": DATABASE,
            "DB_HOSTNAME": host,
            "DB_POOL_SIZE": str(own),
            "DB_PORT": str(DATABASE_PORT),
            "DB_SCHEMA": SCHEMA,
            "DB_USERNAME": USER,
            "LOGFLARE_FEATURE_FLAG_OVERRIDE": "multibackend=true",
            "LOGFLARE_NODE_HOST": "127.0.0.1",
            "LOGFLARE_SINGLE_TENANT": "true",
            "LOGFLARE_SUPABASE_MODE": "true",
            "POSTGRES_BACKEND_SCHEMA": SCHEMA,
        },
        secret_env={
            "DB_PASSWORD": project.password(USER),
            "LOGFLARE_PRIVATE_ACCESS_TOKEN": project.credential(logs.PRIVATE_TOKEN),
            "LOGFLARE_PUBLIC_ACCESS_TOKEN": logs.ingest_token(project),
            "POSTGRES_BACKEND_URL": _backend_url(project, backend),
            "RELEASE_COOKIE": beam.cookie(project.credential(logs.PRIVATE_TOKEN), NAME),
        },
        spec=beam.POD,
    )


def _pools(project: Project) -> tuple[int, int]:
    """Connections for its own tables, and for the logs."""
    total = project.connections(ComponentName.ANALYTICS)
    return max(2, total // 2), max(2, total - total // 2)


def _backend_url(project: Project, connections: int) -> str:
    """Where the logs go. The size of that pool has no variable of its own; Ecto reads it here."""
    password = quote(project.password(USER), safe="")
    address = f"{project.host(ComponentName.DB)}:{DATABASE_PORT}"
    return f"postgresql://{USER}:{password}@{address}/{DATABASE}?pool_size={connections}"


def inputs(project: Project) -> Mapping[str, Any]:
    return {
        "connections": project.connections(ComponentName.ANALYTICS),
        "ingestToken": logs.ingest_token(project),
    }


PART = Part(
    name=ComponentName.ANALYTICS,
    pod=pod,
    ports={"http": ANALYTICS_PORT},
    needs=frozenset({ComponentName.DB}),
    credentials=(logs.PRIVATE_TOKEN, logs.PUBLIC_TOKEN, "password-supabase-admin"),
    inputs=inputs,
    for_the_api=True,
    for_the_logs=True,
    # two at once would both move the tables to the new version
    recreate=lambda _: True,
)
