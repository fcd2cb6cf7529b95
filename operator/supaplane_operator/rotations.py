"""Which change of the master Secret does an operation ask for next? Pure.

What is done already is read off the Secret itself: it carries the id of the operation that changed
it last, and a password that the database has yet to take lies in it under a key of its own. So an
operator that was killed anywhere goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from supaplane_contract.credentials import DATABASE_ROLES, RandomBytes, password_key
from supaplane_contract.rotation import (
    complaint_about_jwt_secret,
    complaint_about_password,
    new_signing_keys,
    pending,
    pending_key,
)
from supaplane_contract.spec import Operation, OperationKind
from supaplane_contract.status import OperationStatus

from .operations import REPLACING_PODS, ROTATIONS, RUNNING, SETTING_PASSWORD, failed
from .times import seconds_since

PASSWORD_BYTES = 16
SECRET_NAME, SECRET_KEY = "secretName", "secretKey"


@dataclass(frozen=True)
class Held:
    """The master Secret, as far as rotating goes."""

    values: Mapping[str, str] = field(repr=False)
    rotated_by: str
    """Id of the operation that changed it last; empty: none ever did."""


@dataclass(frozen=True)
class Turn:
    """What to do in this pass."""

    operation: OperationStatus | None
    """The operation as it is told."""
    changes: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    """Keys of the master Secret; None takes one away."""
    rotated_by: str | None = None
    """What the master Secret says from now on of who changed it last; None: what it says now."""

    @property
    def outstanding(self) -> bool:
        """Whether pods have yet to be told."""
        operation = self.operation
        return operation is not None and operation.step == SETTING_PASSWORD


def next_turn(
    operation: OperationStatus | None,
    wanted: Operation | None,
    held: Held,
    given: str | None,
    *,
    random_bytes: RandomBytes,
    now: datetime,
    patience: float,
) -> Turn:
    """`given`: the value that the operation refers to, None when it is not there. `patience`:
    seconds that the database may take for a new password."""
    waiting = pending(held.values)
    if operation is None or operation.kind not in ROTATIONS or operation.phase != RUNNING:
        return Turn(operation, _without(waiting))
    if held.rotated_by != operation.id:
        return _begin(operation, wanted, waiting, given, random_bytes=random_bytes, now=now)
    if not waiting:
        return Turn(_at(operation, REPLACING_PODS))
    if seconds_since(operation.started_at, now) >= patience:
        # what waits is taken away at the next pass, after this has been said
        why = "the database did not take the new password in time; the old one stays in use"
        return Turn(failed(operation, why, now))
    return Turn(_at(operation, SETTING_PASSWORD))


def taken(operation: OperationStatus, values: Mapping[str, str]) -> Turn:
    """What follows when the database has taken the passwords that wait."""
    waiting = pending(values)
    used = {password_key(role): password for role, password in waiting.items()}
    return Turn(_at(operation, REPLACING_PODS), used | _without(waiting))


def _without(waiting: Mapping[str, str]) -> dict[str, str | None]:
    return {pending_key(role): None for role in waiting}


def _at(operation: OperationStatus, step: str) -> OperationStatus:
    return operation.model_copy(update={"step": step})


def _begin(
    operation: OperationStatus,
    wanted: Operation | None,
    waiting: Mapping[str, str],
    given: str | None,
    *,
    random_bytes: RandomBytes,
    now: datetime,
) -> Turn:
    if wanted is None or wanted.id != operation.id:
        return Turn(failed(operation, "it was taken back before it began", now))
    complaint = _complaint(wanted, given)
    if complaint:
        return Turn(failed(operation, complaint, now))
    if wanted.kind is OperationKind.ROTATE_JWT_SECRET:
        keys = new_signing_keys(given, random_bytes=random_bytes, now=now)
        return Turn(_at(operation, REPLACING_PODS), _without(waiting) | keys, operation.id)
    chosen = {
        pending_key(role): given or random_bytes(PASSWORD_BYTES).hex() for role in roles(wanted)
    }
    return Turn(_at(operation, SETTING_PASSWORD), _without(waiting) | chosen, operation.id)


def roles(wanted: Operation) -> list[str]:
    """The database roles that get new passwords."""
    named = wanted.parameters.get("roles", "").split(",")
    return list(dict.fromkeys(name for name in named if name)) or ["postgres"]


def _complaint(wanted: Operation, given: str | None) -> str | None:
    """Why it cannot be begun; None when it can."""
    name, key = (wanted.parameters.get(parameter) for parameter in (SECRET_NAME, SECRET_KEY))
    if (name or key) and given is None:
        return f"Secret {name} has no key {key}: make it, and ask again with a new operation.id"
    if wanted.kind is OperationKind.ROTATE_JWT_SECRET:
        return complaint_about_jwt_secret(given) if given is not None else None
    unknown = sorted(set(roles(wanted)) - set(DATABASE_ROLES))
    if unknown:
        return f"no such role: {', '.join(unknown)}; there are {', '.join(DATABASE_ROLES)}"
    if given is not None and len(roles(wanted)) > 1:
        return "a password of your own is for one role: name no second one"
    return complaint_about_password(given) if given is not None else None
