"""How does Supavisor run, the connection pooler?

It serves tenants too; the one that it has is called by the project's ref, so clients sign in as
`postgres.<ref>`. Each role keeps its own password: the pooler asks the database for the verifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from supaplane_contract import shares
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import beam, external, objects
from supaplane_operator.render.context import DATABASE_PORT, POOLER_PORT, Project
from supaplane_operator.render.model import Manifest
from supaplane_operator.render.part import Part, Pod
from supaplane_operator.render.pooler import TENANT
from supaplane_operator.render.workload import RESTRICTED

NAME: Final = ComponentName.POOLER.value
SESSION_PORT: Final = 5432
HTTP_PORT: Final = 4000
"""Health, and an interface to manage tenants: in no Service and in no NetworkPolicy."""
PORTS: Final = {"session": SESSION_PORT, "transaction": POOLER_PORT}
OWN_CONNECTIONS: Final = 2
"""For its own tables."""
ASKING: Final = 1
"""For the question for verifiers, in the database of the project."""
SCRIPT: Final = "tenant.exs"
FOLDER: Final = "/etc/supaplane"

# The script starts the program to have its tables: on other ports, lest a client or a probe takes
# it for the server.
_START: Final = (
    "set -e; /app/bin/migrate; "
    "PORT=4001 PROXY_PORT=5413 PROXY_PORT_SESSION=5433 PROXY_PORT_TRANSACTION=6544 "
    f"/app/bin/supavisor eval 'Code.eval_file(\"{FOLDER}/{SCRIPT}\")'; "
    "exec /app/bin/server"
)

_SCRIPT: Final = {
    "secretName": NAME,
    "defaultMode": 0o444,
    "items": [{"key": SCRIPT, "path": SCRIPT}],
}


def pod(project: Project) -> Pod:
    admin = quote(project.password("supabase_admin"), safe="")
    host = project.host(ComponentName.DB)
    return Pod(
        container={
            # in the place of the image's command; its entrypoint, which sets limits, stays
            "args": ["/bin/sh", "-c", _START],
            "securityContext": RESTRICTED,
            **beam.probes(objects.http_probe("/api/health", HTTP_PORT), start_seconds=300),
            # others stop sending to it before it ends
            "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
            "volumeMounts": [{"name": "script", "mountPath": FOLDER, "readOnly": True}],
        },
        env={**beam.ENVIRONMENT, **_environment(project), **_tenant(project)},
        secret_env={
            "API_JWT_SECRET": project.credential("jwt-secret"),
            "DATABASE_URL": f"ecto://supabase_admin:{admin}@{host}:{DATABASE_PORT}/_supabase",
            "METRICS_JWT_SECRET": project.credential("jwt-secret"),
            "POOLER_MANAGER_PASSWORD": project.password("pgbouncer"),
            "RELEASE_COOKIE": beam.cookie(project.credential("secret-key-base"), NAME),
            "SECRET_KEY_BASE": project.credential("secret-key-base"),
            "VAULT_ENC_KEY": project.credential("vault-enc-key"),
        },
        # no secret, but so the component has one object less
        secret_files={SCRIPT: TENANT},
        spec={
            **beam.POD,
            "volumes": [{"name": "script", "secret": _SCRIPT}],
        },
    )


def _environment(project: Project) -> Mapping[str, str]:
    return {
        "DB_POOL_SIZE": str(OWN_CONNECTIONS),
        # one of them: it needs no name that others know it by
        "NODE_IP": "127.0.0.1",
        "PORT": str(HTTP_PORT),
        "PROXY_PORT_SESSION": str(SESSION_PORT),
        "PROXY_PORT_TRANSACTION": str(POOLER_PORT),
        "REGION": "local",
        "RLIMIT_NOFILE": str(beam.OPEN_FILES),
    }


def _tenant(project: Project) -> Mapping[str, str]:
    """What tenant.exs reads."""
    return {
        "POOLER_DEFAULT_POOL_SIZE": str(_pool_size(project)),
        "POOLER_MANAGER": "pgbouncer",
        "POOLER_MAX_CLIENT_CONN": str(_clients(project)),
        "POOLER_POOL_MODE": project.spec.pooler.pool_mode.value,
        "POOLER_TENANT_ID": project.ref,
        "POSTGRES_DB": "postgres",
        "POSTGRES_HOST": project.host(ComponentName.DB),
        "POSTGRES_PORT": str(DATABASE_PORT),
    }


def _pool_size(project: Project) -> int:
    """Connections of each role: as the spec says, else what the size leaves after the pooler's."""
    wish = project.spec.pooler.default_pool_size
    if wish is not None:
        return wish
    return max(2, project.connections(ComponentName.POOLER) - OWN_CONNECTIONS - ASKING)


def _clients(project: Project) -> int:
    wish = project.spec.pooler.max_client_connections
    return shares.profile(project.spec).pooler_clients if wish is None else wish


def extra(project: Project) -> tuple[Manifest, ...]:
    """The way in from outside the cluster where there is one."""
    return external.load_balancer(
        project, ComponentName.POOLER, project.spec.pooler.external, PORTS
    )


def inputs(project: Project) -> Mapping[str, Any]:
    return {"clients": _clients(project), "poolSize": _pool_size(project)}


PART = Part(
    name=ComponentName.POOLER,
    pod=pod,
    ports=PORTS,
    needs=frozenset({ComponentName.DB}),
    credentials=(
        "jwt-secret",
        "password-pgbouncer",
        "password-supabase-admin",
        "secret-key-base",
        "vault-enc-key",
    ),
    inputs=inputs,
    ignores=frozenset({"external"}),
    objects=extra,
)
