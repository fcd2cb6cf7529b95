"""Addresses are confirmed, forgotten passwords recovered, and nobody learns who has an account."""

import base64
import hashlib
import html
import re
from contextlib import AsyncExitStack
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from supaplane_api import housekeeping
from supaplane_api.auth import one_time
from supaplane_api.auth.one_time import Challenge, Purpose

PASSWORD = "plum kettle orbit 47"
OTHER = "violet harbor 92 saddle"
STUDIO = "https://studio.example.org"
ADA = "ada@example.org"


async def _sign_up(bench, email=ADA, password=PASSWORD, **more):
    body = {"email": email, "password": password, "hcaptchaToken": None, **more}
    return await bench.client.post("/platform/signup", json=body)


async def _sign_in(bench, email=ADA, password=PASSWORD):
    body = {"email": email, "password": password}
    return await bench.client.post("/auth/token?grant_type=password", json=body)


async def _recover(bench, email=ADA, **more):
    answer = await bench.client.post("/auth/recover", json={"email": email, **more})
    assert answer.status_code == 200, answer.text


async def _next(bench, mailbox, count=1):
    await bench.until(lambda: len(mailbox.got) >= count)
    return mailbox.got[count - 1]


async def _quiet(bench):
    """Everything that waits is done."""

    async def done():
        return await bench.sql("SELECT 1 FROM outbox WHERE done_at IS NULL") == []

    await bench.until(done)


async def _press(bench, mail):
    """Opens the link of a mail and presses the button: where that leads."""
    parts = urlsplit(mail.link)
    page = await bench.client.get(f"{parts.path}?{parts.query}")
    assert page.status_code == 200, page.text
    there = urlsplit(html.unescape(re.search(r'action="([^"]+)"', page.text)[1]))
    assert there.netloc == "api.example.org"
    answer = await bench.client.post(f"{there.path}?{there.query}")
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"])


def _fragment(place):
    return {name: values[0] for name, values in parse_qs(place.fragment).items()}


def _methods(session):
    """How the session was opened, as its token says it."""
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    return [one["method"] for one in claims["amr"]]


def _bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def test_a_new_account_signs_in_once_its_address_is_confirmed(posting, mailbox):
    assert (await _sign_up(posting)).status_code == 201
    refused = await _sign_in(posting)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "email_not_confirmed")
    assert refused.json()["msg"] == "Email not confirmed"  # the words that Studio looks for
    place = await _press(posting, await _next(posting, mailbox))
    assert (f"{place.scheme}://{place.netloc}", place.path) == (STUDIO, "/")
    session = _fragment(place)
    assert session["type"] == "signup"
    user = await posting.client.get("/auth/user", headers=_bearer(session["access_token"]))
    assert user.json()["email"] == ADA
    assert (await _sign_in(posting)).status_code == 200


async def test_a_wrong_password_does_not_tell_that_an_account_is_unconfirmed(posting):
    await _sign_up(posting)
    wrong = await _sign_in(posting, password="not the password")
    assert wrong.json()["error_code"] == "invalid_credentials"


async def test_a_taken_address_is_answered_like_a_free_one_and_its_owner_is_told(posting, mailbox):
    await posting.person(ADA)
    taken = await _sign_up(posting, password=OTHER)
    free = await _sign_up(posting, email="eve@example.org", password=OTHER)
    assert taken.status_code == free.status_code == 201
    assert taken.json() | {"email": ""} == free.json() | {"email": ""}
    await posting.until(lambda: len(mailbox.got) == 2)
    told = next(mail for mail in mailbox.got if mail.recipients == [ADA])
    assert told.message["Subject"] == "You have an account already"
    assert (await _sign_in(posting, password=OTHER)).json()["error_code"] == "invalid_credentials"
    assert (await _sign_in(posting)).status_code == 200


async def test_who_signs_up_last_decides_and_links_from_before_end(posting, mailbox):
    await _sign_up(posting)
    first = await _next(posting, mailbox)
    await _sign_up(posting, password=OTHER)
    second = await _next(posting, mailbox, 2)
    assert _fragment(await _press(posting, first))["error_code"] == "otp_expired"
    await _press(posting, second)
    assert (await _sign_in(posting)).json()["error_code"] == "invalid_credentials"
    assert (await _sign_in(posting, password=OTHER)).status_code == 200


async def test_a_link_that_is_only_opened_does_nothing(posting, mailbox):
    await _sign_up(posting)
    parts = urlsplit((await _next(posting, mailbox)).link)
    for _ in range(2):
        page = await posting.client.get(f"{parts.path}?{parts.query}")
        assert page.headers["content-type"].startswith("text/html")
        assert (
            "form-action 'self' https://studio.example.org"
            in (page.headers["content-security-policy"])
        )
        assert page.headers["referrer-policy"] == "no-referrer"
        style = re.search("<style>(.*)</style>", page.text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]
        assert "works once" in page.text
        assert "sign up again" in page.text
    assert (await _sign_in(posting)).json()["error_code"] == "email_not_confirmed"


async def test_a_link_counts_once(posting, mailbox):
    await _sign_up(posting)
    mail = await _next(posting, mailbox)
    await _press(posting, mail)
    assert _fragment(await _press(posting, mail))["error_code"] == "otp_expired"


async def test_a_link_expires_after_an_hour(posting, mailbox, clock):
    await _sign_up(posting)
    mail = await _next(posting, mailbox)
    clock.advance(minutes=61)
    assert _fragment(await _press(posting, mail))["error_code"] == "otp_expired"


async def test_a_confirmation_can_be_asked_for_again(posting, mailbox):
    await _sign_up(posting)
    await _next(posting, mailbox)
    again = await posting.client.post("/auth/resend", json={"type": "signup", "email": ADA})
    assert (again.status_code, again.json()) == (200, {})
    await _press(posting, await _next(posting, mailbox, 2))
    assert (await _sign_in(posting)).status_code == 200
    await posting.client.post("/auth/resend", json={"type": "signup", "email": ADA})
    await posting.client.post("/auth/resend", json={"type": "signup", "email": "x@example.org"})
    await _quiet(posting)
    assert len(mailbox.got) == 2  # nothing is left to confirm


async def test_an_unconfirmed_account_is_forgotten_after_a_week(posting, clock):
    await _sign_up(posting)
    kept = await posting.person()
    await _quiet(posting)
    clock.advance(days=6)
    await housekeeping.tidy(posting.services)
    assert len(await posting.sql("SELECT 1 FROM accounts")) == 2
    clock.advance(days=2)
    await housekeeping.tidy(posting.services)
    assert await posting.sql("SELECT email FROM accounts") == [(kept.email,)]
    assert await posting.sql("SELECT 1 FROM outbox WHERE done_at IS NOT NULL") == []


async def test_a_forgotten_password_is_replaced_by_way_of_the_link(posting, mailbox):
    person = await posting.person(ADA)
    asked = await posting.client.post(
        "/platform/reset-password",
        json={"email": ADA, "redirectTo": f"{STUDIO}/reset-password?x=1", "hcaptchaToken": None},
    )
    assert (asked.status_code, asked.json()) == (201, {})
    place = await _press(posting, await _next(posting, mailbox))
    assert (place.path, place.query) == ("/reset-password", "x=1")
    session = _fragment(place)
    assert session["type"] == "recovery"
    assert _methods(session) == ["otp"]
    changed = await posting.client.put(
        "/auth/user", json={"password": OTHER}, headers=_bearer(session["access_token"])
    )
    assert changed.status_code == 200, changed.text
    assert (await person.get("/profile")).status_code == 401  # sessions from before have ended
    assert (await _sign_in(posting, password=OTHER)).status_code == 200
    assert (await _sign_in(posting)).status_code == 400
    notice = await _next(posting, mailbox, 2)
    assert notice.message["Subject"] == "The password of your account was changed"
    actions = [row[0] for row in await posting.sql("SELECT action FROM audit_log ORDER BY id")]
    assert actions.count("account.recover") == actions.count("account.password") == 1


async def test_a_forgotten_password_is_replaced_by_way_of_the_digits(posting, mailbox):
    await posting.person(ADA)
    await _recover(posting)
    mail = await _next(posting, mailbox)
    body = {"type": "recovery", "email": "Ada@Example.org", "token": mail.code}
    answer = await posting.client.post("/auth/verify", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email"] == ADA
    body_of_refresh = {"refresh_token": answer.json()["refresh_token"]}
    path = "/auth/token?grant_type=refresh_token"
    refreshed = await posting.client.post(path, json=body_of_refresh)
    assert _methods(answer.json()) == _methods(refreshed.json()) == ["otp"]
    again = await posting.client.post("/auth/verify", json=body)
    assert (again.status_code, again.json()["error_code"]) == (403, "otp_expired")


async def test_after_five_wrong_digits_the_right_ones_do_not_count(posting, mailbox):
    await posting.person(ADA)
    await _recover(posting)
    mail = await _next(posting, mailbox)
    wrong = "000000" if mail.code != "000000" else "111111"
    body = {"type": "recovery", "email": ADA}
    for _ in range(5):
        answer = await posting.client.post("/auth/verify", json=body | {"token": wrong})
        assert answer.status_code == 403
    answer = await posting.client.post("/auth/verify", json=body | {"token": mail.code})
    assert answer.status_code == 403
    assert "access_token" in _fragment(await _press(posting, mail))  # the link still does


async def test_digits_are_for_their_account_and_purpose_only(posting, mailbox):
    await posting.person(ADA)
    await posting.person("eve@example.org")
    await _recover(posting)
    mail = await _next(posting, mailbox)
    for body in (
        {"type": "recovery", "email": "eve@example.org", "token": mail.code},
        {"type": "signup", "email": ADA, "token": mail.code},
    ):
        assert (await posting.client.post("/auth/verify", json=body)).status_code == 403


async def test_recovery_does_not_pass_by_a_second_factor(posting, mailbox):
    person = await posting.person(ADA)
    await posting.sql(
        "INSERT INTO factors (account_id, friendly_name, secret, verified_at, created_at,"
        " updated_at) SELECT id, 'phone', '', now(), now(), now() FROM accounts WHERE email = %s",
        (person.email,),
    )
    await _recover(posting)
    session = _fragment(await _press(posting, await _next(posting, mailbox)))
    refused = await posting.client.put(
        "/auth/user", json={"password": OTHER}, headers=_bearer(session["access_token"])
    )
    assert (refused.status_code, refused.json()["error_code"]) == (403, "insufficient_aal")


async def test_recovering_an_unconfirmed_account_makes_its_password_worthless(posting, mailbox):
    await _sign_up(posting)  # by somebody else, who waits for the address to be confirmed
    await _next(posting, mailbox)
    await _recover(posting)
    assert "access_token" in _fragment(await _press(posting, await _next(posting, mailbox, 2)))
    assert (await _sign_in(posting)).json()["error_code"] == "invalid_credentials"


async def test_a_disabled_account_is_not_written_to(posting, mailbox):
    await posting.person(ADA)
    await posting.sql("UPDATE accounts SET disabled_at = now()")
    await _recover(posting)
    await _quiet(posting)
    assert mailbox.got == []


async def test_asking_does_the_same_work_whoever_has_an_account(posting):
    """All that depends on it happens later, when the mail is written."""
    await posting.person(ADA)
    for email in (ADA, "nobody@example.org"):
        await _recover(posting, email)
    rows = await posting.sql("SELECT kind, details::text FROM outbox")
    assert len(rows) == 2
    assert len(set(rows)) == 1


async def test_with_a_challenge_the_session_is_for_who_asked(posting, mailbox):
    await posting.person(ADA)
    verifier = "v" * 56
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    await _recover(posting, code_challenge=challenge, code_challenge_method="s256")
    place = await _press(posting, await _next(posting, mailbox))
    assert place.fragment == ""
    code = parse_qs(place.query)["code"][0]
    exchange = "/auth/token?grant_type=pkce"
    body = {"auth_code": code, "code_verifier": verifier}
    answer = await posting.client.post(exchange, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email"] == ADA
    assert (await posting.client.post(exchange, json=body)).status_code == 400
    await _recover(posting, code_challenge=challenge, code_challenge_method="s256")
    place = await _press(posting, await _next(posting, mailbox, 2))
    code = parse_qs(place.query)["code"][0]
    thief = {"auth_code": code, "code_verifier": "x" * 56}
    refused = await posting.client.post(exchange, json=thief)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "bad_code_verifier")
    late = await posting.client.post(exchange, json=thief | {"code_verifier": verifier})
    assert late.status_code == 400  # a code is for one try


@pytest.mark.parametrize(("path", "method"), [("/auth/user", "PUT"), ("/update-email", "PUT")])
async def test_another_address_counts_once_it_is_confirmed(posting, mailbox, path, method):
    person = await posting.person(ADA)
    body = {"email": "lovelace@example.org"}
    if path == "/update-email":
        body = {"newEmail": "lovelace@example.org", "hcaptchaToken": None}
    assert (await person.put(path, body)).status_code == 200
    assert (await person.get("/profile")).json()["primary_email"] == ADA
    mail = await _next(posting, mailbox)
    assert mail.recipients == ["lovelace@example.org"]
    place = await _press(posting, mail)
    assert "access_token" not in _fragment(place)  # who owns an address owns no account
    assert (await person.get("/profile")).json()["primary_email"] == "lovelace@example.org"
    assert (await _sign_in(posting, "lovelace@example.org")).status_code == 200
    notice = await _next(posting, mailbox, 2)
    assert notice.recipients == [ADA]
    assert "lovelace@example.org" in notice.text


async def test_a_taken_address_is_not_given_to_another_account(posting, mailbox):
    person = await posting.person(ADA)
    await posting.person("eve@example.org")
    asked = await person.put("/auth/user", {"email": "eve@example.org"})
    free = await person.put("/auth/user", {"email": "free@example.org"})
    assert asked.status_code == free.status_code == 200
    assert asked.json() == free.json()
    await posting.until(lambda: len(mailbox.got) == 2)
    told = next(mail for mail in mailbox.got if mail.recipients == ["eve@example.org"])
    assert told.message["Subject"] == "You have an account already"
    late = next(mail for mail in mailbox.got if mail.recipients == ["free@example.org"])
    await posting.person("free@example.org")
    assert _fragment(await _press(posting, late))["error_code"] == "email_exists"


async def test_a_password_that_is_sent_along_must_be_the_right_one(bench):
    person = await bench.person()
    body = {"password": OTHER, "current_password": "not the password"}
    refused = await person.put("/auth/user", body)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "invalid_credentials")
    body = body | {"current_password": PASSWORD}
    assert (await person.put("/auth/user", body)).status_code == 200
    wrong = {"password": PASSWORD, "current_password": "no"}
    tries = [(await person.put("/auth/user", wrong)).status_code for _ in range(11)]
    assert tries == [400] * 10 + [429]


async def test_changing_the_password_ends_links_in_mails(posting, mailbox):
    person = await posting.person(ADA)
    await _recover(posting)
    mail = await _next(posting, mailbox)
    assert (await person.put("/auth/user", {"password": OTHER})).status_code == 200
    assert _fragment(await _press(posting, mail))["error_code"] == "otp_expired"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/auth/recover", {"email": ADA}),
        ("POST", "/platform/reset-password", {"email": ADA}),
        ("POST", "/auth/resend", {"email": ADA, "type": "signup"}),
        ("POST", "/auth/verify", {"email": ADA, "type": "recovery", "token": "123456"}),
        ("GET", "/auth/verify?token=x&type=recovery", None),
        ("POST", "/auth/verify/link?token=x&type=recovery", None),
    ],
)
async def test_without_mail_the_answer_names_the_cure(bench, method, path, body):
    answer = await bench.client.request(method, path, json=body)
    assert answer.status_code == 501
    assert "SMTP_HOST" in answer.json()["message"]


async def test_without_mail_another_address_is_not_promised(bench):
    person = await bench.person()
    for path, body in (
        ("/auth/user", {"email": "new@example.org"}),
        ("/platform/update-email", {"newEmail": "new@example.org"}),
    ):
        assert (await person.put(path, body)).status_code == 501


async def test_where_addresses_are_taken_unproven_an_account_counts_at_once(
    make_bench, mail_settings, mailbox
):
    changed = mail_settings.model_copy(update={"signup_autoconfirm": True})
    async with AsyncExitStack() as stack:
        bench = await make_bench(stack, settings=changed)
        assert (await _sign_up(bench)).json()["id"]
        assert (await _sign_in(bench)).status_code == 200
        assert mailbox.got == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/recover", {}),
        ("/platform/reset-password", {}),
        ("/auth/resend", {"type": "signup"}),
        ("/platform/signup", {"password": PASSWORD}),
    ],
)
async def test_nobody_can_have_an_address_flooded_with_mail(posting, path, body):
    statuses = [
        (await posting.client.post(path, json=body | {"email": ADA})).status_code for _ in range(6)
    ]
    assert statuses[-1] == 429
    assert 429 not in statuses[:5]
    other = await posting.client.post(path, json=body | {"email": "eve@example.org"})
    assert other.status_code < 300


async def test_one_address_cannot_ask_for_mail_to_everybody(posting):
    statuses = [
        (await posting.client.post("/auth/recover", json={"email": f"{n}@example.org"})).status_code
        for n in range(31)
    ]
    assert statuses == [200] * 30 + [429]


async def test_guessing_digits_is_stopped_whether_there_is_an_account_or_not(posting):
    await posting.person(ADA)
    for email in (ADA, "nobody@example.org"):
        body = {"type": "recovery", "email": email, "token": "123456"}
        statuses = [
            (await posting.client.post("/auth/verify", json=body)).status_code for _ in range(11)
        ]
        assert statuses == [403] * 10 + [429]


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "https://evil.example.org/reset-password",
        "https://studio.example.org.evil.org/",
        "https://studio.example.org@evil.org/",
        "https://studio.example.org\\@evil.org/",
        "http://studio.example.org/reset-password",
        "//evil.org",
        "javascript:alert(1)",
        "https://[",
        "https://studio.example.org/\r\nSet-Cookie: x=y",
    ],
)
def test_links_lead_to_studio_only(wanted):
    assert one_time.landing(STUDIO, wanted, Purpose.RECOVERY) == f"{STUDIO}/reset-password"
    assert one_time.landing(STUDIO, wanted, Purpose.SIGN_UP) == f"{STUDIO}/"


def test_a_page_of_studio_is_kept_without_what_would_hide_the_session():
    wanted = f"{STUDIO}/join?token=x&slug=acme#old"
    assert one_time.landing(STUDIO, wanted, Purpose.SIGN_UP) == wanted.partition("#")[0]


def test_a_challenge_is_answered_by_what_it_was_made_from_only():
    # the example of RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = Challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "s256")
    assert one_time.answers(challenge, verifier)
    assert not one_time.answers(challenge, verifier + "x")
    assert not one_time.answers(challenge, challenge.challenge)
    assert one_time.answers(Challenge("x" * 43, "plain"), "x" * 43)
