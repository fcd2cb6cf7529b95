"""How do we learn that the database has taken a new password? A Job signs in with it.

The operator never connects to PostgreSQL, and a file in a running pod is brought up to date when
the kubelet comes round. The Job is there as long as a password waits in the master Secret. It
tries until it succeeds; whoever waits for it sets the limit.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import orjson

from supaplane_contract.rotation import pending
from supaplane_contract.spec import ComponentName

from . import objects
from .context import DATABASE_PORT, Project
from .model import Manifest
from .part import Task

TASK: Final = "password-check"
SECRET: Final = f"{ComponentName.DB.value}-{TASK}"
ROOT_KEY: Final = "pgsodium-root-key"
USER: Final = 65534
"""Nobody: psql needs no home."""
RESTRICTED: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
_PREFIX: Final = "PASSWORD_"
SCRIPT: Final = """\
for role in $ROLES; do
  eval "PGPASSWORD=\\$PASSWORD_$role"
  export PGPASSWORD
  until psql -X -w -q -U "$role" -c 'select' >/dev/null; do sleep 3; done
  echo "role $role signs in with its new password"
done
"""
"""Needs nothing of an image but a shell and psql."""


def waits(project: Project) -> bool:
    """Whether the database has a new password to take."""
    return bool(pending(project.credentials))


def container(project: Project) -> Manifest:
    """The container of the Job."""
    waiting = pending(project.credentials)
    plain = {
        # other passwords make another Job; keyed, for this lies open in its template
        "FOR": _fingerprint(project),
        "PGCONNECT_TIMEOUT": "5",
        "PGDATABASE": "postgres",
        "PGHOST": project.host(ComponentName.DB),
        "PGPORT": str(DATABASE_PORT),
        "ROLES": " ".join(waiting),
    }
    secret = {f"{_PREFIX}{role}": role for role in waiting}
    return {
        "command": ["sh", "-c", SCRIPT],
        "env": objects.env(plain, SECRET, secret),
        "securityContext": RESTRICTED,
    }


def secrets(project: Project) -> tuple[Manifest, ...]:
    """The Secret with the passwords that wait; none when none does, or while nothing runs."""
    waiting = pending(project.credentials)
    if not waiting or project.paused:
        return ()
    return (objects.secret(SECRET, project.ref, waiting, component=ComponentName.DB.value),)


def _fingerprint(project: Project) -> str:
    key = hashlib.sha256(
        b"supaplane password check\0" + project.credential(ROOT_KEY).encode()
    ).digest()
    text = orjson.dumps(pending(project.credentials), option=orjson.OPT_SORT_KEYS)
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:32]


CHECK: Final = Task(
    TASK,
    container,
    user=USER,
    calls=frozenset({ComponentName.DB}),
    image=lambda project: project.image(ComponentName.DB),
    when=waits,
)
