"""Which change of the master Secret follows, out of what is asked for and what is held? Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from supaplane_contract.credentials import KEYS, mint
from supaplane_contract.rotation import pending_key
from supaplane_contract.spec import Operation, OperationKind
from supaplane_contract.status import OperationStatus
from supaplane_operator.operations import REPLACING_PODS, SETTING_PASSWORD
from supaplane_operator.rotations import Held, Turn, next_turn, taken
from supaplane_operator.times import stamp

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
JWT, PASSWORD = OperationKind.ROTATE_JWT_SECRET, OperationKind.ROTATE_DATABASE_PASSWORD
CHOSEN = "a secret of thirty-two characters".replace(" ", "-")


def random_bytes(count: int) -> bytes:
    return b"n" * count


VALUES = mint({}, random_bytes=lambda n: b"o" * n, now=NOW)


def asked(kind: OperationKind, **parameters: str) -> Operation:
    return Operation(id="one", kind=kind, parameters=parameters)


def running(kind: OperationKind, *, age: float = 1.0) -> OperationStatus:
    started = stamp(NOW - timedelta(seconds=age))
    return OperationStatus(id="one", kind=kind.value, phase="Running", started_at=started)


def turn(
    wanted: Operation | None,
    operation: OperationStatus | None = None,
    *,
    given: str | None = None,
    rotated_by: str = "",
    **more: str,
) -> Turn:
    return next_turn(
        operation or (running(wanted.kind) if wanted else None),
        wanted,
        Held({**VALUES, **more}, rotated_by),
        given,
        random_bytes=random_bytes,
        now=NOW,
        patience=600.0,
    )


def test_a_new_jwt_secret_brings_everything_that_was_signed_along() -> None:
    done = turn(asked(JWT))
    assert done.rotated_by == "one"
    assert done.operation is not None
    assert done.operation.step == REPLACING_PODS
    derived = {"jwt-secret", "jwt-keys", "jwt-jwks", "anon-key", "service-role-key"}
    derived |= {"anon-key-asymmetric", "service-role-key-asymmetric"}
    assert done.changes.keys() == derived < set(KEYS)
    assert all(done.changes[key] != VALUES[key] for key in derived)


def test_a_jwt_secret_of_ones_own_is_taken_as_it_is() -> None:
    wanted = asked(JWT, secretName="mine", secretKey="key")
    assert turn(wanted, given=CHOSEN).changes["jwt-secret"] == CHOSEN


def test_what_was_done_already_is_not_done_again() -> None:
    done = turn(asked(JWT), rotated_by="one")
    assert (dict(done.changes), done.rotated_by) == ({}, None)


def test_a_new_password_waits_beside_the_old_one_until_the_database_has_it() -> None:
    first = turn(asked(PASSWORD))
    assert first.changes == {pending_key("postgres"): random_bytes(16).hex()}
    assert first.outstanding
    waiting = {pending_key("postgres"): "new"}
    second = turn(asked(PASSWORD), rotated_by="one", **waiting)
    assert (dict(second.changes), second.outstanding) == ({}, True)
    assert second.operation is not None
    assert second.operation.step == SETTING_PASSWORD
    third = taken(second.operation, {**VALUES, **waiting})
    assert third.changes == {"password-postgres": "new", pending_key("postgres"): None}
    last = turn(asked(PASSWORD), rotated_by="one")
    assert not last.outstanding
    assert last.operation is not None
    assert last.operation.step == REPLACING_PODS


def test_each_of_several_roles_gets_a_password() -> None:
    done = turn(asked(PASSWORD, roles="authenticator,pgbouncer"))
    assert done.changes.keys() == {pending_key("authenticator"), pending_key("pgbouncer")}


def test_a_database_that_is_late_ends_the_operation_before_anything_is_undone() -> None:
    waiting = {pending_key("postgres"): "new"}
    late = turn(asked(PASSWORD), running(PASSWORD, age=700), rotated_by="one", **waiting)
    assert late.operation is not None
    assert late.operation.phase == "Failed"
    assert dict(late.changes) == {}, "else a kill here would make it look as if it had succeeded"
    after = turn(None, None, rotated_by="one", **waiting)
    assert after.changes == {pending_key("postgres"): None}


@pytest.mark.parametrize(
    ("wanted", "given", "says"),
    [
        (asked(JWT, secretName="mine", secretKey="key"), None, "Secret mine has no key key"),
        (asked(JWT, secretName="mine", secretKey="key"), "short", "32 to 256 characters"),
        (asked(JWT, secretName="mine", secretKey="key"), f"{CHOSEN} {CHOSEN}", "without blanks"),
        (asked(PASSWORD, secretName="mine", secretKey="key"), "", "1 to 256 printable"),
        (asked(PASSWORD, secretName="mine", secretKey="key"), "a\nb", "1 to 256 printable"),
        (asked(PASSWORD, roles="root"), None, "no such role: root"),
        (
            asked(PASSWORD, secretName="mine", secretKey="key", roles="postgres,pgbouncer"),
            "fine",
            "one role",
        ),
    ],
)
def test_what_cannot_be_done_fails_with_the_cure_and_changes_nothing(
    wanted: Operation, given: str | None, says: str
) -> None:
    refused = turn(wanted, given=given)
    assert refused.operation is not None
    assert refused.operation.phase == "Failed"
    assert says in (refused.operation.message or "")
    assert (dict(refused.changes), refused.rotated_by) == ({}, None)
    assert given in (None, "", "fine") or given not in (refused.operation.message or "")


@pytest.mark.parametrize("kind", [JWT, PASSWORD])
def test_a_wish_that_was_taken_back_before_it_began_fails(kind: OperationKind) -> None:
    gone = turn(None, running(kind))
    assert gone.operation is not None
    assert gone.operation.phase == "Failed"
    assert dict(gone.changes) == {}


def test_no_secret_is_shown_by_repr() -> None:
    shown: Any = (turn(asked(JWT)), Held(VALUES, "x"))
    text = repr(shown)
    assert VALUES["jwt-secret"] not in text
    assert random_bytes(32).hex() not in text
