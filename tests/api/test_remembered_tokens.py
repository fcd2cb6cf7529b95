"""A token's signature is checked once; whether the token still holds is asked every time."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from supaplane_api.auth import tokens as module
from supaplane_api.auth.tokens import AccessTokens, Claims, TokenInvalid

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def tokens():
    return AccessTokens(b"a" * 32, issuer="https://x", life=timedelta(hours=1))


def signed(tokens, claims):
    more = {"email": "ada@example.org", "signed_in_at": NOW, "verified_at": None, "now": NOW}
    return tokens.sign(claims, **more).token


@pytest.fixture
def checked(monkeypatch):
    """Tokens whose signature was checked."""
    seen, decode = [], jwt.decode

    def noted(token, *arguments, **more):
        seen.append(token)
        return decode(token, *arguments, **more)

    monkeypatch.setattr(jwt, "decode", noted)
    return seen


def test_a_signature_is_checked_once_and_the_time_every_time(tokens, checked):
    claims = Claims(uuid4(), uuid4())
    token = signed(tokens, claims)
    assert [tokens.read(token, now=NOW) for _ in range(3)] == [claims] * 3
    assert checked == [token]
    with pytest.raises(TokenInvalid, match="expired"):
        tokens.read(token, now=NOW + timedelta(hours=1))
    with pytest.raises(TokenInvalid, match="future"):
        tokens.read(token, now=NOW - timedelta(minutes=2))


def test_what_was_refused_is_not_remembered_as_good(tokens, checked):
    head, body, signature = signed(tokens, Claims(uuid4(), uuid4())).split(".")
    other = "B" if signature[0] == "A" else "A"
    forged = f"{head}.{body}.{other}{signature[1:]}"
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            tokens.read(forged, now=NOW)
    assert checked == [forged, forged]


def test_only_so_many_are_remembered_and_never_a_token_itself(tokens, monkeypatch):
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    made = [signed(tokens, Claims(uuid4(), uuid4())) for _ in range(5)]
    for token in made:
        tokens.read(token, now=NOW)
    assert len(tokens._remembered) == 2
    assert not any(token in repr(tokens._remembered) for token in made)
