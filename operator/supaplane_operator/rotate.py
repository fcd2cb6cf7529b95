"""How does a new secret reach the master Secret? The hands of `rotations.py`.

Everything changes in one patch that names the version of the Secret it was made from, so that it is
done as a whole or not at all, and never twice.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Mapping
from typing import Any

from supaplane_contract import names
from supaplane_contract.credentials import to_secret_data
from supaplane_contract.rotation import pending
from supaplane_contract.spec import Operation
from supaplane_contract.status import OperationStatus
from supaplane_kube import Conflict, NotFound
from supaplane_kube.port import Manifest
from supaplane_kube.resources import JOBS, SECRETS

from .children import JOB_DONE, Child, Name
from .errors import LookAgain
from .operations import ROTATIONS, RUNNING
from .render import PASSWORD_CHECK, Rendered
from .rotations import SECRET_KEY, SECRET_NAME, Held, Turn, next_turn, taken
from .subject import Subject
from .world import World

MANAGER = names.FIELD_MANAGER_OPERATOR


async def rotate(
    world: World,
    subject: Subject,
    operation: OperationStatus | None,
    master: Manifest | None,
    values: Mapping[str, str],
) -> tuple[Turn, Mapping[str, str]]:
    """What became of the operation, and the credentials as they are now.

    `master`: the master Secret as it was read, `values`: what is in it or was just added. Raises
    LookAgain when somebody else changed it, KubeError.
    """
    held = Held(values, _rotated_by(master))
    wanted = subject.project.spec.operation
    rotates = operation is not None and operation.kind in ROTATIONS
    asked = wanted if rotates and operation and wanted and wanted.id == operation.id else None
    begins = asked is not None and operation is not None and held.rotated_by != operation.id
    turn = next_turn(
        operation,
        wanted,
        held,
        await _given(world, subject, asked) if asked and begins else None,
        random_bytes=world.random_bytes,
        now=world.now(),
        patience=world.settings.deadlines.changing,
    )
    after = await _write(world, subject, master, values, turn)
    if asked:
        await _forget_given(world, subject, asked)
    return turn, after


async def take_over(
    world: World,
    subject: Subject,
    turn: Turn,
    rendered: Rendered,
    children: Mapping[Name, Child],
) -> bool:
    """Puts passwords that the database has taken into use; whether there was anything to do.

    The database has taken them when the Job that signs in with them has ended well. Raises
    LookAgain, KubeError.
    """
    operation = turn.operation
    checks = [job for c in rendered.components for job, task in c.jobs if task == PASSWORD_CHECK]
    states = [children[JOBS, job].state for job in checks if (JOBS, job) in children]
    if operation is None or operation.phase != RUNNING or JOB_DONE not in states:
        return False
    home, name = subject.project.namespace, names.credentials_secret(subject.project.name)
    master = await world.kube.get(SECRETS, home, name)
    values = _plain(master)
    if _rotated_by(master) != operation.id or not pending(values):
        return False
    await _write(world, subject, master, values, taken(operation, values))
    return True


def _rotated_by(master: Manifest | None) -> str:
    annotations = (master or {}).get("metadata", {}).get("annotations") or {}
    return str(annotations.get(names.ANNOTATION_ROTATED, ""))


async def _write(
    world: World,
    subject: Subject,
    master: Manifest | None,
    values: Mapping[str, str],
    turn: Turn,
) -> Mapping[str, str]:
    if not turn.changes and turn.rotated_by is None:
        return values
    if master is None:
        raise LookAgain("the credentials were just made")
    meta: dict[str, Any] = {"resourceVersion": master["metadata"]["resourceVersion"]}
    if turn.rotated_by is not None:
        meta["annotations"] = {names.ANNOTATION_ROTATED: turn.rotated_by}
    set_ = {key: value for key, value in turn.changes.items() if value is not None}
    gone = dict.fromkeys(turn.changes.keys() - set_.keys())
    home, name = master["metadata"]["namespace"], master["metadata"]["name"]
    patch = {"metadata": meta, "data": {**to_secret_data(set_), **gone}}
    try:
        await world.kube.merge_patch(SECRETS, home, name, patch, manager=MANAGER)
    except (Conflict, NotFound):
        raise LookAgain("somebody else changed the credentials") from None
    world.look_closely.add(subject.key)
    return {key: value for key, value in {**values, **set_}.items() if key not in gone}


async def _given(world: World, subject: Subject, wanted: Operation) -> str | None:
    """The value that a person chose; None when none was chosen, or it is not there."""
    name, key = (wanted.parameters.get(parameter) for parameter in (SECRET_NAME, SECRET_KEY))
    if not name or not key:
        return None
    found = await world.kube.get(SECRETS, subject.project.namespace, name)
    return _plain(found).get(key)


async def _forget_given(world: World, subject: Subject, wanted: Operation) -> None:
    """Removes the Secret that brought the value, if it is the API's; one of a person's stays."""
    name = wanted.parameters.get(SECRET_NAME)
    if name != names.requested_secret(subject.project.name):
        return
    home = subject.project.namespace
    found = await world.kube.get(SECRETS, home, name)
    labels = (found or {}).get("metadata", {}).get("labels") or {}
    ours = labels.get(names.LABEL_MANAGED_BY) == names.FIELD_MANAGER_API
    if found is None or not ours or labels.get(names.LABEL_REF) != subject.ref:
        return
    with contextlib.suppress(Conflict, NotFound):
        await world.kube.delete(SECRETS, home, name, uid=found["metadata"]["uid"])


def _plain(secret: Manifest | None) -> dict[str, str]:
    values = {}
    for key, encoded in ((secret or {}).get("data") or {}).items():
        with contextlib.suppress(binascii.Error, ValueError):
            values[key] = base64.b64decode(encoded or "", validate=True).decode()
    return values
