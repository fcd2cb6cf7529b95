"""Is a verifier the one that PostgreSQL would have made?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_operator.render import scram


def test_the_example_of_the_rfc() -> None:
    """RFC 7677 section 3: user `user`, password `pencil`, with the salt and proofs given there."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    salted = hashlib.pbkdf2_hmac("sha256", scram.prepare("pencil").encode(), salt, 4096)
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    server = hmac.digest(salted, b"Server Key", "sha256")
    signature = hmac.digest(server, message, "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@given(st.text(min_size=1))
def test_any_password_has_a_verifier_that_needs_no_quoting(password: str) -> None:
    found = scram.verifier(password, role="postgres", salt_key="key")
    assert re.fullmatch(
        r"SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=", found
    )


def test_no_two_roles_share_a_salt_and_every_password_has_its_own() -> None:
    cases = [("a", "x"), ("b", "x"), ("a", "y")]
    salts = {
        scram.verifier(password, role=role, salt_key="k").split("$")[1] for role, password in cases
    }
    assert len(salts) == 3
    again = scram.verifier("x", role="a", salt_key="k")
    assert again == scram.verifier("x", role="a", salt_key="k")


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        # RFC 4013 section 3
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        # refused there, so taken as they are
        ("ä\u0007", "ä\u0007"),
        ("\u06271", "\u06271"),
        # blanks of other kinds are blanks
        ("a\u00a0b", "a b"),
    ],
)
def test_a_password_is_prepared_as_the_standard_says(password: str, prepared: str) -> None:
    assert scram.prepare(password) == prepared
