"""The configuration of auth: read from the SupabaseProject, written to it, secrets beside it."""

import hashlib
import hmac
import json

import pytest

from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import from_secret_data, names
from supaplane_contract.auth_settings import table
from supaplane_kube.resources import SECRETS

HOME = names.DEFAULT_HOME_NAMESPACE
HOOK_SECRET = "v1,whsec_" + "A" * 40


@pytest.fixture
async def shop(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization, name="Shop")
    return person, organization, made["ref"]


def path(ref):
    return f"/platform/auth/{ref}/config"


def auth_of(bench, ref):
    return bench.kube.peek(PROJECTS, HOME, ref)["spec"].get("auth", {})


def stored(bench, ref):
    secret = bench.kube.peek(SECRETS, HOME, names.auth_secret(ref))
    return from_secret_data(secret) if secret else {}


def told(value, ref):
    return hmac.new(ref.encode(), value.encode(), hashlib.sha256).hexdigest()


async def test_every_key_is_answered_with_what_holds(shop):
    person, _, ref = shop
    answer = (await person.get(path(ref))).json()
    assert answer.keys() == {key.upper() for key in table()}
    assert answer["SITE_URL"].startswith(f"https://{ref}.")
    assert (answer["JWT_EXP"], answer["URI_ALLOW_LIST"]) == (3600, "")
    assert (answer["MAILER_OTP_EXP"], answer["MFA_TOTP_ENROLL_ENABLED"]) == (86400, True)
    assert (answer["SMTP_HOST"], answer["SMTP_PASS"], answer["SMTP_PORT"]) == ("", "", "")
    assert answer["MAILER_AUTOCONFIRM"] is True  # nobody could confirm anything without mail
    small = (await person.get(f"/v1/projects/{ref}/config/auth")).json()
    assert small == {key.lower(): value for key, value in answer.items()}


async def test_changes_become_fields_and_settings_of_the_resource(bench, shop):
    person, _, ref = shop
    change = {
        "SITE_URL": "https://shop.example.org",
        "URI_ALLOW_LIST": "https://a.example.org, https://b.example.org",
        "DISABLE_SIGNUP": True,
        "PASSWORD_MIN_LENGTH": 12,
        "SESSIONS_TIMEBOX": 24,
        "MFA_TOTP_ENROLL_ENABLED": False,
    }
    answer = await person.patch(path(ref), change)
    assert answer.status_code == 200
    assert {key: answer.json()[key] for key in change} == change | {
        "URI_ALLOW_LIST": "https://a.example.org,https://b.example.org"
    }
    assert auth_of(bench, ref) == {
        "siteUrl": "https://shop.example.org",
        "additionalRedirectUrls": ["https://a.example.org", "https://b.example.org"],
        "disableSignup": True,
        "settings": {
            "password_min_length": "12",
            "sessions_timebox": "24",
            "mfa_totp_enroll_enabled": "false",
        },
    }
    rows = await bench.sql("SELECT details FROM audit_log WHERE action = 'auth.config.change'")
    assert "auth.settings.password_min_length" in rows[0][0]["fields"]


async def test_what_is_as_good_as_unset_is_taken_out_of_the_resource(bench, shop):
    """GoTrue does not start with a time box of nothing."""
    person, _, ref = shop
    await person.patch(path(ref), {"SESSIONS_TIMEBOX": 24, "PASSWORD_MIN_LENGTH": 12})
    answer = await person.patch(path(ref), {"SESSIONS_TIMEBOX": 0, "PASSWORD_MIN_LENGTH": None})
    assert (answer.json()["SESSIONS_TIMEBOX"], answer.json()["PASSWORD_MIN_LENGTH"]) == (0, 6)
    assert auth_of(bench, ref).get("settings") in (None, {})


async def test_a_form_that_nobody_touched_changes_nothing(bench, shop):
    person, _, ref = shop
    await person.patch(path(ref), {"EXTERNAL_GITHUB_SECRET": "hush", "JWT_EXP": 600})
    current = (await person.get(path(ref))).json()
    before = len(bench.kube.writes)
    answer = await person.patch(path(ref), current)
    assert (answer.status_code, answer.json()) == (200, current)
    assert len(bench.kube.writes) == before


async def test_keys_of_a_newer_studio_are_ignored_and_counted(bench, shop):
    person, _, ref = shop
    before = len(bench.kube.writes)
    answer = await person.patch(path(ref), {"TELEPATHY_ENABLED": True})
    assert answer.status_code == 200
    assert "TELEPATHY_ENABLED" not in answer.json()
    assert len(bench.kube.writes) == before
    counted = (await bench.client.get("/metrics")).text
    assert 'unknown_body_fields_total{route="/auth/{ref}/config"} 1.0' in counted


async def test_a_secret_lies_beside_the_resource_and_is_told_as_an_hmac(bench, shop):
    person, _, ref = shop
    change = {"EXTERNAL_GITHUB_ENABLED": True, "EXTERNAL_GITHUB_SECRET": "hush hush"}
    answer = await person.patch(path(ref), change)
    assert answer.json()["EXTERNAL_GITHUB_SECRET"] == told("hush hush", ref)
    assert "hush" not in json.dumps(bench.kube.peek(PROJECTS, HOME, ref))
    reference = {"name": names.auth_secret(ref), "key": "external_github_secret"}
    assert auth_of(bench, ref)["secretRefs"] == {"external_github_secret": reference}
    assert stored(bench, ref) == {"external_github_secret": "hush hush"}
    assert "hush" not in str(await bench.sql("SELECT details::text FROM audit_log"))


async def test_a_secret_that_is_replaced_wakes_the_operator_although_the_spec_stays(bench, shop):
    person, _, ref = shop
    await person.patch(path(ref), {"EXTERNAL_GITHUB_SECRET": "first"})
    live = bench.kube.peek(PROJECTS, HOME, ref)
    await person.patch(path(ref), {"EXTERNAL_GITHUB_SECRET": "second"})
    after = bench.kube.peek(PROJECTS, HOME, ref)
    touched = names.ANNOTATION_TOUCHED
    assert after["spec"] == live["spec"]
    assert after["metadata"]["annotations"][touched] != live["metadata"]["annotations"][touched]
    assert stored(bench, ref) == {"external_github_secret": "second"}


async def test_a_secret_that_is_taken_back_is_gone_everywhere(bench, shop):
    person, _, ref = shop
    await person.patch(path(ref), {"EXTERNAL_GITHUB_SECRET": "hush"})
    answer = await person.patch(path(ref), {"EXTERNAL_GITHUB_SECRET": ""})
    assert answer.json()["EXTERNAL_GITHUB_SECRET"] == ""
    assert auth_of(bench, ref).get("secretRefs") in (None, {})
    assert stored(bench, ref) == {}


async def test_a_mail_server_is_set_changed_and_removed(bench, shop):
    person, _, ref = shop
    server = {
        "SMTP_HOST": "mail.example.org",
        "SMTP_PORT": "2525",
        "SMTP_USER": "shop",
        "SMTP_PASS": "letters",
        "SMTP_ADMIN_EMAIL": "shop@example.org",
        "SMTP_SENDER_NAME": "Shop",
    }
    answer = await person.patch(path(ref), server)
    assert answer.status_code == 200, answer.text
    expected = server | {"SMTP_PASS": told("letters", ref)}
    assert {key: answer.json()[key] for key in server} == expected
    assert answer.json()["MAILER_AUTOCONFIRM"] is False
    assert auth_of(bench, ref)["smtp"] == {
        "host": "mail.example.org",
        "port": 2525,
        "user": "shop",
        "passwordRef": {"name": names.auth_secret(ref), "key": "smtp_pass"},
        "adminEmail": "shop@example.org",
        "senderName": "Shop",
    }
    assert stored(bench, ref) == {"smtp_pass": "letters"}
    await person.patch(path(ref), {"SMTP_SENDER_NAME": None, "SMTP_PORT": 587})
    assert "senderName" not in auth_of(bench, ref)["smtp"]
    assert auth_of(bench, ref)["smtp"]["port"] == 587
    assert (await person.patch(path(ref), dict.fromkeys(server, ""))).status_code == 200
    assert "smtp" not in auth_of(bench, ref)
    assert stored(bench, ref) == {}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"MAILER_TEMPLATES_INVITE_CONTENT": "<p>Come</p>"}, "mailer_templates_invite_content"),
        ({"DB_MAX_POOL_SIZE_UNIT": "percent"}, "db_max_pool_size_unit"),
        ({"PASSWORD_MIN_LENGTH": -1}, "password_min_length"),
        ({"PASSWORD_MIN_LENGTH": "12"}, "PASSWORD_MIN_LENGTH"),
        ({"SITE_URL": "nowhere"}, "siteUrl"),
        ({"JWT_EXP": 1}, "jwtExpirySeconds"),
        ({"SMTP_USER": "shop"}, "smtp_host"),
        ({"SMTP_HOST": "mail.example.org"}, "smtp_admin_email"),
        ({"SMTP_HOST": "m", "SMTP_ADMIN_EMAIL": "a@b", "SMTP_USER": "u"}, "smtp_pass"),
        ({"SMTP_HOST": "m", "SMTP_ADMIN_EMAIL": "a@b", "SMTP_PORT": "x"}, "smtp_port"),
        ({"SECURITY_CAPTCHA_ENABLED": True}, "security_captcha_secret"),
        ({"HOOK_SEND_SMS_ENABLED": True}, "hook_send_sms_uri"),
        ({"HOOK_SEND_SMS_URI": "ftp://a"}, "hook_send_sms_uri"),
        ({"HOOK_SEND_SMS_SECRETS": "short"}, "hook_send_sms_secrets"),
        ({"MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS": True}, "mailer_autoconfirm"),
    ],
)
async def test_what_cannot_be_is_refused_by_name_and_nothing_is_written(bench, shop, change, word):
    person, _, ref = shop
    before = len(bench.kube.writes)
    answer = await person.patch(path(ref), change)
    assert answer.status_code == 400
    assert word in answer.json()["message"]
    assert len(bench.kube.writes) == before


async def test_a_setting_of_gitops_is_not_taken_and_no_secret_is_written(bench, shop):
    person, _, ref = shop
    live = bench.kube.peek(PROJECTS, HOME, ref)
    fields = {"f:auth": {"f:settings": {"f:password_min_length": {}}}}
    live["metadata"]["managedFields"] = [
        {"manager": "argocd", "operation": "Apply", "fieldsV1": {"f:spec": fields}}
    ]
    bench.kube.put(PROJECTS, live)
    change = {"PASSWORD_MIN_LENGTH": 12, "EXTERNAL_GITHUB_SECRET": "hush"}
    answer = await person.patch(path(ref), change)
    assert answer.status_code == 409
    assert "argocd" in answer.json()["message"]
    assert stored(bench, ref) == {}
    assert (await person.patch(path(ref), {"SMS_OTP_LENGTH": 8})).status_code == 200


async def test_somebody_elses_secret_of_that_name_is_left_alone(bench, shop):
    person, _, ref = shop
    name = names.auth_secret(ref)
    theirs = {"metadata": {"name": name, "namespace": HOME}, "data": {"a": "Yg=="}}
    bench.kube.put(SECRETS, theirs)
    answer = await person.patch(path(ref), {"EXTERNAL_GITHUB_SECRET": "hush"})
    assert answer.status_code == 409
    assert bench.kube.peek(SECRETS, HOME, name)["data"] == {"a": "Yg=="}
    assert auth_of(bench, ref) == {}


async def test_hooks_have_a_path_of_their_own(bench, shop):
    person, _, ref = shop
    change = {
        "HOOK_SEND_EMAIL_ENABLED": True,
        "HOOK_SEND_EMAIL_URI": "https://hooks.example.org/mail",
        "HOOK_SEND_EMAIL_SECRETS": HOOK_SECRET,
        "JWT_EXP": 60,
    }
    answer = await person.patch(f"{path(ref)}/hooks", change)
    assert answer.status_code == 200, answer.text
    assert answer.json()["HOOK_SEND_EMAIL_URI"] == "https://hooks.example.org/mail"
    assert answer.json()["JWT_EXP"] == 3600
    assert stored(bench, ref) == {"hook_send_email_secrets": HOOK_SECRET}


async def test_a_paused_project_is_configured_for_when_it_comes_back(bench, shop):
    person, _, ref = shop
    await bench.says(ref, phase="INACTIVE")
    assert (await person.patch(path(ref), {"JWT_EXP": 600})).json()["JWT_EXP"] == 600


async def test_a_project_that_goes_is_not_configured(bench, shop):
    person, _, ref = shop
    live = bench.kube.peek(PROJECTS, HOME, ref)
    live["metadata"] |= {"deletionTimestamp": "2026-11-22T12:00:00Z", "finalizers": ["a/b"]}
    bench.kube.put(PROJECTS, live)
    assert (await person.patch(path(ref), {"JWT_EXP": 600})).status_code == 409


async def test_who_may_see_no_secrets_sees_no_hmac_of_them(bench, shop):
    person, organization, ref = shop
    await person.patch(path(ref), {"EXTERNAL_GITHUB_SECRET": "hush"})
    reader = await bench.member(organization, "Read-only")
    answer = (await reader.get(path(ref))).json()
    assert answer["EXTERNAL_GITHUB_SECRET"] == "********"
    assert (await reader.patch(path(ref), {"JWT_EXP": 600})).status_code == 403


def test_what_the_resource_takes_for_a_secret_is_one_in_the_table():
    import re

    from supaplane_contract.components import _SECRET

    for key, row in table().items():
        if re.search(_SECRET, key) and not row.refused:
            assert row.secret or row.field, key
