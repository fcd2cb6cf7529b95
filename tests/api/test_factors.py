"""A second factor: once it is enrolled, a password alone opens nothing."""

import base64

import jwt
import pytest

from supaplane_api.auth import totp

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(seconds, code):
    assert totp.code(RFC_SECRET, seconds // 30) == code


async def _enrolled(person, name="phone"):
    body = {"friendly_name": name, "factor_type": "totp"}
    answer = await person.post("/auth/factors", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _code(factor, clock, steps=0):
    text = factor["totp"]["secret"]
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    return totp.code(secret, int(clock.now().timestamp()) // 30 + steps)


async def _give(person, factor, code):
    asked = await person.post(f"/auth/factors/{factor['id']}/challenge")
    assert asked.status_code == 200, asked.text
    body = {"challenge_id": asked.json()["id"], "code": code}
    return await person.post(f"/auth/factors/{factor['id']}/verify", body)


async def _protected(bench, clock):
    person = await bench.person()
    factor = await _enrolled(person)
    answer = await _give(person, factor, _code(factor, clock))
    assert answer.status_code == 200, answer.text
    clock.advance(seconds=60)
    return person, factor, answer.json()


def _claims(session):
    return jwt.decode(session["access_token"], options={"verify_signature": False})


async def test_enrolling_gives_what_an_authenticator_reads(bench):
    factor = await _enrolled(await bench.person())
    assert factor["type"] == "totp"
    assert factor["totp"]["qr_code"].startswith("<svg")
    assert factor["totp"]["uri"].startswith("otpauth://totp/Supaplane:")
    assert factor["totp"]["secret"] in factor["totp"]["uri"]


async def test_the_right_code_lifts_the_session_to_aal2(bench, clock):
    person, factor, session = await _protected(bench, clock)
    claims = _claims(session)
    assert claims["aal"] == "aal2"
    assert [one["method"] for one in claims["amr"]] == ["totp", "password"]
    assert [(f["id"], f["status"]) for f in session["user"]["factors"]] == [
        (factor["id"], "verified")
    ]
    assert (await person.get("/profile")).status_code == 200
    refreshed = await bench.client.post(
        "/auth/token?grant_type=refresh_token", json={"refresh_token": session["refresh_token"]}
    )
    assert _claims(refreshed.json())["aal"] == "aal2"


async def test_a_password_alone_opens_nothing_any_more(bench, clock):
    person, factor, _ = await _protected(bench, clock)
    thief = await bench.sign_in(person.email)
    assert _claims(thief.session)["aal"] == "aal1"
    for path in ("/profile", "/platform/organizations", "/platform/projects"):
        assert (await thief.get(path)).status_code == 403
    refused = await thief.client.delete(f"/auth/factors/{factor['id']}")
    assert (refused.status_code, refused.json()["error_code"]) == (403, "insufficient_aal")
    assert (await thief.put("/auth/user", {"password": "violet harbor 92"})).status_code == 403
    assert (await thief.post("/platform/profile/access-tokens", {"name": "x"})).status_code == 403
    assert (await thief.get("/auth/user")).status_code == 200  # to know which factor to ask for
    assert (await _give(thief, factor, _code(factor, clock))).status_code == 200
    assert (await thief.get("/profile")).status_code == 200


async def test_a_factor_that_was_never_verified_is_not_asked_for(bench):
    person = await bench.person()
    await _enrolled(person)
    assert (await person.get("/profile")).status_code == 200


async def test_a_code_counts_once(bench, clock):
    person, factor, _ = await _protected(bench, clock)
    code = _code(factor, clock)
    first, second = await bench.sign_in(person.email), await bench.sign_in(person.email)
    assert (await _give(first, factor, code)).status_code == 200
    again = await _give(second, factor, code)
    assert (again.status_code, again.json()["error_code"]) == (400, "mfa_verification_failed")


async def test_a_challenge_is_for_one_try(bench, clock):
    person = await bench.person()
    factor = await _enrolled(person)
    asked = (await person.post(f"/auth/factors/{factor['id']}/challenge")).json()["id"]
    path = f"/auth/factors/{factor['id']}/verify"
    wrong = {"challenge_id": asked, "code": "000000"}
    assert (await person.post(path, wrong)).status_code == 400
    right = {"challenge_id": asked, "code": _code(factor, clock)}
    assert (await person.post(path, right)).json()["error_code"] == "mfa_challenge_expired"


async def test_guessing_codes_is_stopped(bench):
    person = await bench.person()
    factor = await _enrolled(person)
    answers = [(await _give(person, factor, "000000")).status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]


async def test_verifying_ends_other_sessions_and_older_refresh_tokens(bench, clock):
    person = await bench.person()
    other = await bench.sign_in(person.email)
    factor = await _enrolled(person)
    assert (await _give(person, factor, _code(factor, clock))).status_code == 200
    assert (await other.get("/auth/user")).status_code == 401
    old = {"refresh_token": person.session["refresh_token"]}
    answer = await bench.client.post("/auth/token?grant_type=refresh_token", json=old)
    assert answer.status_code == 400


async def test_without_its_factor_an_account_signs_in_as_before(bench, clock):
    person, factor, _ = await _protected(bench, clock)
    assert (await person.client.delete(f"/auth/factors/{factor['id']}")).status_code == 200
    again = await bench.sign_in(person.email)
    assert (await again.get("/profile")).status_code == 200


async def test_the_factor_of_another_account_is_not_there(bench):
    owner, stranger = await bench.person(), await bench.person()
    factor = await _enrolled(owner)
    assert (await stranger.post(f"/auth/factors/{factor['id']}/challenge")).status_code == 404
    assert (await stranger.client.delete(f"/auth/factors/{factor['id']}")).status_code == 404


async def test_the_secret_is_kept_sealed(bench):
    factor = await _enrolled(await bench.person())
    text = factor["totp"]["secret"]
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    ((kept,),) = await bench.sql("SELECT secret FROM factors")
    assert secret not in kept


async def test_another_password_ends_all_other_sessions(bench):
    person = await bench.person()
    other = await bench.sign_in(person.email)
    answer = await person.put("/auth/user", {"password": "violet harbor 92 saddle"})
    assert answer.status_code == 200, answer.text
    assert (await other.get("/profile")).status_code == 401
    assert (await person.get("/profile")).status_code == 200
    body = {"email": person.email, "password": "violet harbor 92 saddle"}
    signed_in = await bench.client.post("/auth/token?grant_type=password", json=body)
    assert signed_in.status_code == 200
    weak = await person.put("/auth/user", {"password": "password1"})
    assert (weak.status_code, weak.json()["error_code"]) == (400, "weak_password")
