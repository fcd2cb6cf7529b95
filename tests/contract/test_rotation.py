"""Do new keys fit one another, and none that were there before? Which values may people bring?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from supaplane_contract.credentials import mint
from supaplane_contract.rotation import (
    complaint_about_jwt_secret,
    complaint_about_password,
    new_signing_keys,
    pending,
    pending_key,
)

from .test_credentials import RandomBytes, consistent


def test_new_keys_fit_one_another_and_none_is_what_it_was(
    random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    before = mint({}, random_bytes=random_bytes(1), now=now)
    new = new_signing_keys(None, random_bytes=random_bytes(2), now=now)
    assert all(before[key] != new[key] for key in new)
    assert consistent({**before, **new})
    assert mint({**before, **new}, random_bytes=random_bytes(3), now=now) == {}


def test_a_secret_of_ones_own_signs_everything(
    random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    own = "plum-kettle-plum-kettle-plum-kettle"
    new = new_signing_keys(own, random_bytes=random_bytes(2), now=now)
    assert new["jwt-secret"] == own
    assert consistent(new)


def test_a_time_without_zone_is_refused(
    random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    with pytest.raises(ValueError, match="time zone"):
        new_signing_keys(None, random_bytes=random_bytes(2), now=now.replace(tzinfo=None))


def test_what_waits_is_known_by_role() -> None:
    values = {pending_key("supabase_admin"): "a", pending_key("pgbouncer"): "", "password-x": "y"}
    assert pending(values) == {"supabase_admin": "a"}


@pytest.mark.parametrize(
    ("value", "fits"),
    [("x" * 32, True), ("x" * 256, True), ("x" * 31, False), ("x" * 257, False)]
    + [("x" * 31 + bad, False) for bad in (" ", "\n", "ü", "\0")],
)
def test_a_jwt_secret_is_long_enough_and_plain(value: str, fits: bool) -> None:
    complaint = complaint_about_jwt_secret(value)
    assert (complaint is None) is fits
    assert fits or value not in str(complaint)


@pytest.mark.parametrize(
    ("value", "fits"),
    [("x", True), ("ü $ '", True), ("", False), ("a\0", False), ("x" * 257, False)],
)
def test_a_password_is_anything_that_can_be_typed(value: str, fits: bool) -> None:
    assert (complaint_about_password(value) is None) is fits
