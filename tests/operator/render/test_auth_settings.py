"""Do auth's further settings reach GoTrue as it wants them?"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from supaplane_contract.auth_settings import Setting, table
from supaplane_operator.render import RenderInput, project

MakeInput = Callable[..., RenderInput]


def variables(input: RenderInput) -> tuple[dict[str, str], dict[str, str]]:
    """Plain and secret variables of auth."""
    manifests = [m for m in project(input).manifests if m["metadata"]["name"] == "auth"]
    workload = next(m for m in manifests if m["kind"] == "Deployment")
    secret = next(m for m in manifests if m["kind"] == "Secret")
    entries = workload["spec"]["template"]["spec"]["containers"][0]["env"]
    plain = {e["name"]: e.get("value", "") for e in entries if "valueFrom" not in e}
    return plain, {k: base64.b64decode(v).decode() for k, v in secret["data"].items()}


def with_settings(make_input: MakeInput, **settings: str) -> tuple[dict[str, str], dict[str, str]]:
    return variables(make_input({"auth": {"settings": settings}}))


def test_a_setting_becomes_its_variable(make_input: MakeInput) -> None:
    plain, _ = with_settings(
        make_input, password_min_length="012", mfa_totp_enroll_enabled="true", sms_provider="twilio"
    )
    assert plain["GOTRUE_PASSWORD_MIN_LENGTH"] == "12"
    assert plain["GOTRUE_MFA_TOTP_ENROLL_ENABLED"] == "true"
    assert plain["GOTRUE_SMS_PROVIDER"] == "twilio"


def test_numbers_of_seconds_and_hours_become_durations(make_input: MakeInput) -> None:
    plain, _ = with_settings(make_input, smtp_max_frequency="60", sessions_timebox="24")
    assert plain["GOTRUE_SMTP_MAX_FREQUENCY"] == "60s"
    assert plain["GOTRUE_SESSIONS_TIMEBOX"] == "24h"


def test_a_provider_that_is_on_knows_where_to_send_people_back_to(make_input: MakeInput) -> None:
    plain, _ = with_settings(
        make_input, external_github_enabled="true", external_gitlab_enabled="false"
    )
    back = "https://abcdefghijklmnopqrst.example.com/auth/v1/callback"
    assert plain["GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI"] == back
    assert "GOTRUE_EXTERNAL_GITLAB_REDIRECT_URI" not in plain
    assert "GOTRUE_EXTERNAL_EMAIL_REDIRECT_URI" not in plain


def test_further_client_ids_are_added_to_the_first(make_input: MakeInput) -> None:
    plain, _ = with_settings(
        make_input,
        external_google_client_id="web",
        external_google_additional_client_ids="ios,android",
    )
    assert plain["GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID"] == "web,ios,android"
    alone, _ = with_settings(make_input, external_apple_additional_client_ids="ios")
    assert alone["GOTRUE_EXTERNAL_APPLE_CLIENT_ID"] == "ios"


def test_a_secret_lies_in_the_secret_however_it_was_given(make_input: MakeInput) -> None:
    plain, secret = with_settings(make_input, sms_test_otp="4915112345678=123456")
    assert "GOTRUE_SMS_TEST_OTP" not in plain
    assert secret["GOTRUE_SMS_TEST_OTP"] == "4915112345678=123456"
    spec = {"auth": {"secretRefs": {"external_github_secret": {"name": "g", "key": "k"}}}}
    plain, secret = variables(make_input(spec, secrets={("g", "k"): "value"}))
    assert "GOTRUE_EXTERNAL_GITHUB_SECRET" not in plain
    assert secret["GOTRUE_EXTERNAL_GITHUB_SECRET"] == "value"


def test_every_row_of_the_table_says_exactly_one_thing() -> None:
    for key, row in table().items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", key)
        said = [row.env, row.appends, row.field, row.refused]
        assert sum(map(bool, said)) == 1, key
        assert row.env in ("", "GOTRUE_" + key.upper()) or key == "refresh_token_rotation_enabled"


def test_no_two_keys_set_the_same_variable_and_none_sets_one_of_ours(
    make_input: MakeInput,
) -> None:
    rows: Mapping[str, Setting] = table()
    known = [row.env for row in rows.values() if row.env]
    assert len(known) == len(set(known))
    plain, secret = variables(make_input({}))
    ours = {*plain, *secret} - {"GOTRUE_DB_MAX_POOL_SIZE"}
    assert not ours & set(known)


def test_the_fields_that_the_table_points_to_exist() -> None:
    from supaplane_contract.spec import Auth

    for row in table().values():
        if row.field:
            model: Any = Auth
            for name in row.field.removeprefix("auth.").split("."):
                fields = {f.alias or n: f for n, f in model.model_fields.items()}
                assert name in fields, row.field
                model = fields[name].annotation
                model = getattr(model, "__args__", [model])[0]
