"""How does PostgreSQL run: volume, first start, bootstrap of roles and passwords?

The exception to `restricted` pod security: the image starts as root, makes its folders its own and
steps down to its user `postgres`, whose number differs from image to image. It keeps only the
capabilities that this takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from supaplane_contract import quantities, shares
from supaplane_contract.credentials import DATABASE_ROLES, password_key
from supaplane_contract.rotation import PENDING_KEYS, pending
from supaplane_contract.sizes import Amounts
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import (
    bootstrap,
    external,
    objects,
    parameters,
    password_check,
    scram,
)
from supaplane_operator.render.context import DATABASE_PORT, Project
from supaplane_operator.render.model import Manifest
from supaplane_operator.render.part import Part, Pod

NAME: Final = ComponentName.DB.value
ROOT_KEY: Final = "pgsodium-root-key"
SUPERUSER_PASSWORD: Final = "POSTGRES_PASSWORD"
HELPER: Final = (Amounts("5m", "16Mi"), Amounts("500m", "256Mi"))
"""Requests and limits of the containers beside the server."""

_SHELL_MODE: Final = 0o555
_SECRET_MODE: Final = 0o400
_STEPPING_DOWN: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {
        "drop": ["ALL"],
        "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
    },
}
# Exit code 1 means that the server is there and refuses for now, as in a recovery: let it work.
_ALIVE: Final = ("sh", "-c", f"pg_isready -q -h 127.0.0.1 -p {DATABASE_PORT}; test $? -lt 2")
_READY: Final = ("pg_isready", "-q", "-U", "postgres", "-h", "127.0.0.1", "-p", str(DATABASE_PORT))


def pod(project: Project) -> Pod:
    """The server, with the bootstrap beside it."""
    return Pod(
        container={
            "args": parameters.arguments(project.spec),
            "securityContext": _STEPPING_DOWN,
            "volumeMounts": [*_data_mounts(), *_SCRIPTS, _SOCKET, _SHARED_MEMORY],
            # minutes: the image's first start runs every migration of its own
            "startupProbe": objects.exec_probe(
                *_ALIVE, periodSeconds=5, timeoutSeconds=5, failureThreshold=360
            ),
            "readinessProbe": objects.exec_probe(*_READY, periodSeconds=5, timeoutSeconds=5),
            "livenessProbe": objects.exec_probe(
                *_ALIVE, periodSeconds=15, timeoutSeconds=10, failureThreshold=8
            ),
        },
        env={
            "PGDATABASE": "postgres",
            "PGPORT": str(DATABASE_PORT),
            "POSTGRES_DB": "postgres",
            "POSTGRES_HOST": "/var/run/postgresql",
            "POSTGRES_PORT": str(DATABASE_PORT),
        },
        # Only the first start looks at these. The image splices them into SQL, so it must be the
        # minted password of its superuser and never one that a person chose.
        secret_env={
            SUPERUSER_PASSWORD: project.password("supabase_admin"),
            "PGPASSWORD": project.password("supabase_admin"),
        },
        secret_files={ROOT_KEY: project.credential(ROOT_KEY)},
        config_files=bootstrap.SHELL,
        live_config_files={**bootstrap.SQL, "settings.json": _settings(project)},
        live_secret_files={"roles.json": _verifiers(project)},
        sidecars=(_bootstrap(project),),
        spec={
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "initContainers": [_prepare(project)],
            # a fast shutdown writes a checkpoint; killed instead, the next start must recover
            "terminationGracePeriodSeconds": 120,
            "volumes": _volumes(project),
        },
    )


def _verifiers(project: Project) -> str:
    """The verifier of each role's password; a new one comes here first, the services follow."""
    salt_key, waiting = project.credential(ROOT_KEY), pending(project.credentials)
    return json.dumps(
        {
            role: scram.verifier(
                waiting.get(role) or project.password(role), role=role, salt_key=salt_key
            )
            for role in sorted(DATABASE_ROLES)
        }
    )


def _settings(project: Project) -> str:
    return json.dumps(_told(project))


def _prepare(project: Project) -> Manifest:
    """Before each start: see prepare.sh."""
    return {
        "name": "prepare",
        "image": project.image(ComponentName.DB),
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", "/supaplane/bin/prepare.sh"],
        "resources": objects.resources(*HELPER),
        "securityContext": _STEPPING_DOWN,
        "volumeMounts": [_WHOLE_VOLUME, *_SCRIPTS, _SECRETS],
    }


def _bootstrap(project: Project) -> Manifest:
    """For as long as the server runs: see bootstrap.sh."""
    done = ("test", "-e", "/supaplane/state/done")
    return {
        "name": "bootstrap",
        "image": project.image(ComponentName.DB),
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", "/supaplane/bin/bootstrap.sh"],
        "env": [{"name": "PGPORT", "value": str(DATABASE_PORT)}],
        "resources": objects.resources(*HELPER),
        "securityContext": _STEPPING_DOWN,
        "readinessProbe": objects.exec_probe(*done, periodSeconds=2, timeoutSeconds=5),
        "volumeMounts": [
            _WHOLE_VOLUME,
            *_SCRIPTS,
            _SECRETS,
            _SOCKET,
            {"name": "state", "mountPath": "/supaplane/state"},
        ],
    }


_WHOLE_VOLUME: Final = {"name": "data", "mountPath": "/supaplane/volume"}
_SCRIPTS: Final = [{"name": "scripts", "mountPath": "/supaplane/bin", "readOnly": True}]
_SECRETS: Final = {"name": "secrets", "mountPath": "/supaplane/secrets", "readOnly": True}
_SOCKET: Final = {"name": "socket", "mountPath": "/var/run/postgresql"}
_SHARED_MEMORY: Final = {"name": "shared-memory", "mountPath": "/dev/shm"}


def _data_mounts() -> list[Any]:
    """One volume holds the data and the key that opens the vault in them: neither without the
    other in a snapshot. Below a folder, for initdb refuses one that holds lost+found."""
    return [
        {"name": "data", "mountPath": "/var/lib/postgresql/data", "subPath": "data"},
        {"name": "data", "mountPath": "/etc/postgresql-custom", "subPath": "custom"},
    ]


def _volumes(project: Project) -> list[Any]:
    secret_keys = sorted([ROOT_KEY, SUPERUSER_PASSWORD, "roles.json"])
    limit = quantities.parse(shares.share(project.spec, ComponentName.DB).limits.memory)
    return [
        {"name": "data", "persistentVolumeClaim": {"claimName": NAME}},
        {"name": "scripts", "configMap": {"name": NAME, "defaultMode": _SHELL_MODE}},
        {
            "name": "secrets",
            "secret": {
                "secretName": NAME,
                "defaultMode": _SECRET_MODE,
                "items": [{"key": key, "path": key} for key in secret_keys],
            },
        },
        {"name": "socket", "emptyDir": {"sizeLimit": "16Mi"}},
        {"name": "state", "emptyDir": {"sizeLimit": "1Mi"}},
        # parallel queries share memory here; what a container gets by itself is 64 MiB
        {
            "name": "shared-memory",
            "emptyDir": {"medium": "Memory", "sizeLimit": quantities.binary(limit / 4)},
        },
    ]


def extra(project: Project) -> tuple[Manifest, ...]:
    """The volume, and the way in from outside the cluster where there is one."""
    storage = project.spec.database.storage
    claim = objects.claim(
        NAME,
        project.ref,
        component=NAME,
        size=shares.database_volume(project.spec),
        storage_class=storage.class_name or project.platform.storage_class,
    )
    access = project.spec.database.external
    ports = {"postgres": DATABASE_PORT}
    outside = external.load_balancer(project, ComponentName.DB, access, ports)
    return (claim, *password_check.secrets(project), *outside)


def _told(project: Project) -> Mapping[str, str]:
    """What SQL is told of the spec."""
    return {"jwt_exp": str(project.spec.auth.jwt_expiry_seconds)}


def live_inputs(project: Project) -> Mapping[str, Any]:
    """What SQL is told, and passwords that wait; in most projects none does."""
    waiting = pending(project.credentials)
    return {**_told(project), **({"passwords": waiting} if waiting else {})}


def inputs(_: Project) -> Mapping[str, Any]:
    """Nothing besides size, image and parameters: passwords and SQL are read by running pods."""
    return {}


PART = Part(
    name=ComponentName.DB,
    pod=pod,
    ports={"postgres": DATABASE_PORT},
    credentials=(ROOT_KEY,),
    live_credentials=tuple(password_key(role) for role in DATABASE_ROLES),
    optional_credentials=tuple(PENDING_KEYS),
    inputs=inputs,
    live_inputs=live_inputs,
    ignores=frozenset({"version", "storage", "external"}),
    objects=extra,
    stateful=True,
    tasks=(password_check.CHECK,),
)
