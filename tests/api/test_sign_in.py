"""Signing up and in, and what an access token is worth."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from supaplane_api.auth.passwords import Passwords
from supaplane_api.auth.tokens import AccessTokens, Claims, TokenInvalid, signing_key


async def sign_in(bench, email, password, **more):
    body = {"email": email, "password": password, "gotrue_meta_security": {}}
    return await bench.client.post("/auth/token?grant_type=password", json=body, **more)


async def test_an_account_can_be_used_at_once(bench):
    person = await bench.newcomer("ada@example.org")
    profile = (await person.get("/profile")).json()
    assert profile["primary_email"] == "ada@example.org"
    assert profile["gotrue_id"] == person.session["user"]["id"]
    assert profile["username"] == "ada"


async def test_a_session_has_what_auth_js_asks_for(bench):
    session = (await bench.newcomer("ada@example.org")).session
    assert session["token_type"] == "bearer"
    assert session["expires_in"] == bench.services.settings.access_token_seconds
    assert session["refresh_token"]
    user = session["user"]
    assert (user["aud"], user["role"], user["factors"]) == ("authenticated", "authenticated", [])
    assert user["identities"][0]["provider"] == "email"


async def test_an_access_token_has_the_claims_that_clients_read(bench):
    person = await bench.person()
    token = person.session["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == person.session["user"]["id"]
    assert claims["aud"] == claims["role"] == "authenticated"
    assert claims["iss"] == "https://projects.example.org/auth"
    assert claims["aal"] == "aal1"
    assert claims["amr"][0]["method"] == "password"
    assert claims["session_id"]
    assert jwt.get_unverified_header(token)["kid"]


async def test_addresses_are_one_whatever_their_case_and_form(bench):
    await bench.newcomer("jos\u00e9@example.org")
    answer = await sign_in(bench, " Jose\u0301@Example.ORG ", "plum kettle orbit 47")
    assert answer.status_code == 200


async def test_an_address_is_taken_only_once(bench):
    await bench.person("ada@example.org")
    body = {"email": "ADA@example.org", "password": "plum kettle orbit 48"}
    answer = await bench.client.post("/platform/signup", json=body)
    assert answer.status_code == 409
    assert "already" in answer.json()["message"]


@pytest.mark.parametrize("password", ["short1!", "password1", "aaaaaaaaaaaa", "ada@example.org"])
async def test_a_weak_password_makes_no_account(bench, password):
    body = {"email": "ada@example.org", "password": password}
    answer = await bench.client.post("/signup", json=body)
    assert answer.status_code == 400
    assert "password" in answer.json()["message"]
    assert await bench.sql("SELECT 1 FROM accounts") == []


async def test_an_unknown_account_is_answered_like_a_wrong_password(bench):
    await bench.person("ada@example.org")
    wrong = await sign_in(bench, "ada@example.org", "not the password")
    unknown = await sign_in(bench, "eve@example.org", "not the password")
    assert wrong.status_code == unknown.status_code == 400
    assert wrong.json() == unknown.json()
    assert wrong.json()["error_code"] == "invalid_credentials"
    assert wrong.json()["msg"] == wrong.json()["message"] == "Invalid login credentials"


async def test_an_unknown_account_costs_a_hash_too(bench, monkeypatch):
    hashed = []
    fits = Passwords._fits
    monkeypatch.setattr(Passwords, "_fits", lambda *a: hashed.append(a[1]) or fits(*a))
    await sign_in(bench, "eve@example.org", "not the password")
    assert len(hashed) == 1
    assert "m=19456,t=2,p=1" in hashed[0]


async def test_a_disabled_account_can_neither_sign_in_nor_go_on(bench):
    person = await bench.person()
    await bench.sql("UPDATE accounts SET disabled_at = now()")
    assert (await person.get("/profile")).status_code == 401
    assert (await sign_in(bench, person.email, "plum kettle orbit 47")).status_code == 400


async def test_a_hash_of_older_parameters_is_renewed(bench):
    from argon2 import PasswordHasher

    person = await bench.person()
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    await bench.sql("UPDATE accounts SET password_hash = %s", (old.hash("plum kettle orbit 47"),))
    await bench.sign_in(person.email)
    kept = (await bench.sql("SELECT password_hash FROM accounts"))[0][0]
    assert "m=19456" in kept
    await bench.sign_in(person.email)


async def test_where_sign_up_is_closed_nobody_signs_up(make_bench, settings):
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        closed = settings.model_copy(update={"allow_signup": False})
        bench = await make_bench(stack, settings=closed)
        body = {"email": "ada@example.org", "password": "plum kettle orbit 47"}
        answer = await bench.client.post("/platform/signup", json=body)
        assert answer.status_code == 403
        assert "administrator" in answer.json()["message"]
        assert await bench.sql("SELECT 1 FROM accounts") == []


async def test_guessing_is_stopped_for_that_address_and_account_only(bench):
    await bench.person("ada@example.org")
    for _ in range(10):
        assert (await sign_in(bench, "ada@example.org", "wrong")).status_code == 400
    stopped = await sign_in(bench, "ada@example.org", "plum kettle orbit 47")
    assert stopped.status_code == 429
    assert int(stopped.headers["Retry-After"]) >= 1
    assert stopped.json()["error_code"] == "over_request_rate_limit"
    await bench.person("bob@example.org")
    await bench.sign_in("bob@example.org")  # another account from the same address may sign in


async def test_signing_in_often_with_the_right_password_is_never_stopped(bench):
    person = await bench.person()
    for _ in range(25):
        await bench.sign_in(person.email)


TAMPERED = {
    "nothing": "",
    "no bearer": "Basic dXNlcjpwYXNz",
    "short": "Bear",
    "not a token": "Bearer x",
    "three parts": "Bearer a.b.c",
    "long": "Bearer " + "a" * 10_000,
}


@pytest.mark.parametrize("header", TAMPERED.values(), ids=TAMPERED.keys())
async def test_what_is_no_token_is_refused(bench, header):
    answer = await bench.client.get("/profile", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["message"]


def _forged(bench, person, *, key=None, alg="ES256", headers=None, **claims):
    token = person.session["access_token"]
    payload = jwt.decode(token, options={"verify_signature": False}) | claims
    payload = {k: v for k, v in payload.items() if v is not None}
    root = bench.services.settings.secret("jwt_secret")
    secret = signing_key(root) if key is None else key
    kid = jwt.get_unverified_header(token)["kid"]
    return jwt.encode(payload, secret, alg, headers={"kid": kid} if headers is None else headers)


FORGED = {
    "another secret": {"key": signing_key(b"x" * 64)},
    "no signature": {"alg": "none", "key": ""},
    "another algorithm": {"alg": "HS256", "key": b"x" * 64},
    "another issuer": {"iss": "https://other.example.org/auth"},
    "another audience": {"aud": "anon"},
    "no audience": {"aud": None},
    "no expiry": {"exp": None},
    "no session": {"session_id": None},
    "a session that is no uuid": {"session_id": "x"},
    "a subject that is a number": {"sub": "1"},
    "an unknown session": {"session_id": "00000000-0000-4000-8000-000000000000"},
    "an unknown key": {"headers": {"kid": "other"}},
    "no key id": {"headers": {}},
    "a time to come": {"iat": 4_000_000_000, "exp": 4_000_003_600},
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_token_is_refused(bench, change):
    person = await bench.person()
    forged = _forged(bench, person, **change)
    answer = await bench.client.get("/profile", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401, answer.text
    genuine = _forged(bench, person)
    answer = await bench.client.get("/profile", headers={"Authorization": f"Bearer {genuine}"})
    assert answer.status_code == 200


async def test_a_token_of_one_account_does_not_open_the_session_of_another(bench):
    ada, bob = await bench.person(), await bench.person()
    mixed = _forged(bench, ada, sub=bob.session["user"]["id"])
    answer = await bench.client.get("/profile", headers={"Authorization": f"Bearer {mixed}"})
    assert answer.status_code == 401


async def test_a_token_ends_when_it_says(bench, clock):
    person = await bench.person()
    clock.advance(seconds=bench.services.settings.access_token_seconds - 1)
    assert (await person.get("/profile")).status_code == 200
    clock.advance(seconds=1)
    answer = await person.get("/profile")
    assert answer.status_code == 401
    assert "expired" in answer.json()["message"]


@pytest.mark.parametrize(
    ("scope", "this", "other"), [("global", 401, 401), ("local", 401, 200), ("others", 200, 401)]
)
async def test_signing_out_ends_the_sessions_it_names_at_once(bench, scope, this, other):
    here = await bench.person()
    elsewhere = await bench.sign_in(here.email)
    bystander = await bench.person()
    answer = await here.post(f"/auth/logout?scope={scope}")
    assert answer.status_code == 204
    assert (await here.get("/profile")).status_code == this
    assert (await elsewhere.get("/profile")).status_code == other
    assert (await bystander.get("/profile")).status_code == 200


async def test_gotrues_user_is_the_profiles_account(bench):
    person = await bench.person()
    assert (await person.get("/auth/user")).json()["id"] == person.session["user"]["id"]


@pytest.mark.parametrize(
    ("body", "grant"),
    [
        ({}, "password"),
        ({"email": "ada@example.org"}, "password"),
        ({"email": "ada@example.org", "password": 1}, "password"),
        ({"email": "ada@example.org\x00", "password": "x"}, "password"),
        ({"email": "\ud800@example.org", "password": "x"}, "password"),
        ({"email": "ada@example.org", "password": "x"}, "implicit"),
        ({}, "refresh_token"),
        ({"refresh_token": 5}, "refresh_token"),
        ([], "password"),
        ("x", "password"),
    ],
)
async def test_a_malformed_sign_in_is_told_in_gotrues_words(bench, body, grant):
    import json

    answer = await bench.client.post(
        f"/auth/token?grant_type={grant}",
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json;charset=UTF-8"},
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == 400
    assert answer.json()["error_code"] == "validation_failed"
    assert answer.json()["msg"]


async def test_sign_ins_are_in_the_audit_log(bench):
    person = await bench.newcomer("ada@example.org")
    rows = await bench.sql("SELECT action, actor_email, address FROM audit_log ORDER BY id")
    assert rows == [
        ("account.create", person.email, "192.0.2.7"),
        ("session.open", person.email, "192.0.2.7"),
    ]


async def test_a_password_is_nowhere_in_the_log(bench, caplog):
    caplog.set_level("DEBUG")
    secret = f"zebra-{time.time_ns()}-lamp"
    await bench.client.post("/signup", json={"email": "ada@example.org", "password": secret})
    await sign_in(bench, "ada@example.org", secret)
    await sign_in(bench, "ada@example.org", secret + "x")
    assert "POST /auth/token" in caplog.text
    assert secret not in caplog.text


async def test_a_token_can_be_checked_with_the_published_key(bench):
    token = (await bench.person()).session["access_token"]
    (key,) = (await bench.client.get("/auth/.well-known/jwks.json")).json()["keys"]
    assert "d" not in key
    assert key["kid"] == jwt.get_unverified_header(token)["kid"]
    checked = jwt.decode(
        token,
        jwt.PyJWK(key),
        algorithms=["ES256"],
        audience="authenticated",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert checked["role"] == "authenticated"


def test_tokens_of_the_previous_key_live_to_their_end_and_new_ones_have_the_new():
    old, new, now = b"o" * 64, b"n" * 64, datetime(2026, 11, 22, 12, tzinfo=UTC)
    made = {"issuer": "https://projects.example.org/auth", "life": timedelta(hours=1)}
    claims = Claims(UUID(int=1), UUID(int=2))

    def signed(tokens):
        more = {"email": "ada@example.org", "signed_in_at": now, "verified_at": None, "now": now}
        return tokens.sign(claims, **more).token

    before = signed(AccessTokens(old, **made))
    tokens = AccessTokens(new, **made, previous=[old])
    assert tokens.read(before, now=now) == tokens.read(signed(tokens), now=now) == claims
    kids = {jwt.get_unverified_header(token)["kid"] for token in (before, signed(tokens))}
    assert {key["kid"] for key in tokens.public_jwks} == kids
    with pytest.raises(TokenInvalid, match="expired"):
        tokens.read(before, now=now + timedelta(hours=1))
    with pytest.raises(TokenInvalid):
        AccessTokens(new, **made).read(before, now=now)


async def test_a_restart_with_another_secret_keeps_sessions_while_the_previous_one_is_named(
    make_bench, settings
):
    from contextlib import AsyncExitStack

    from pydantic import SecretStr

    another = {"jwt_secret": SecretStr("n" * 64)}
    overlap = another | {"jwt_secret_previous": settings.jwt_secret}
    async with AsyncExitStack() as stack:
        before = await make_bench(stack)
        person = await before.person()
        headers = {"Authorization": f"Bearer {person.session['access_token']}"}
        refresh = {"refresh_token": person.session["refresh_token"]}
        during = await make_bench(stack, settings=settings.model_copy(update=overlap))
        assert (await during.client.get("/profile", headers=headers)).status_code == 200
        renewed = await during.client.post("/auth/token?grant_type=refresh_token", json=refresh)
        assert renewed.status_code == 200
        after = await make_bench(stack, settings=settings.model_copy(update=another))
        assert (await after.client.get("/profile", headers=headers)).status_code == 401
        headers = {"Authorization": f"Bearer {renewed.json()['access_token']}"}
        assert (await after.client.get("/profile", headers=headers)).status_code == 200


async def test_the_previous_secret_is_a_setting(make_bench, settings):
    from contextlib import AsyncExitStack

    from pydantic import SecretStr

    changed = settings.model_copy(update={"jwt_secret_previous": SecretStr("p" * 64)})
    async with AsyncExitStack() as stack:
        bench = await make_bench(stack, settings=changed)
        published = (await bench.client.get("/auth/.well-known/jwks.json")).json()["keys"]
        assert len(published) == 2
