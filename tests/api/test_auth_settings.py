"""Each key of auth's configuration can be set and is told back, or is refused with the reason."""

import copy

import pytest

from supaplane_api.config import auth
from supaplane_api.problems import Invalid
from supaplane_contract import ProjectSpec
from supaplane_contract.auth_settings import table

from .pages.answers import AUTH
from .shapes import missing

REF = "a" * 20
SECRET = "v1,whsec_" + "A" * 40
MAIL = {"smtp_host": "mail.example.org", "smtp_admin_email": "a@example.org"}
LOGIN = {"smtp_user": "shop", "smtp_pass": "letters"}
VALUES = {
    "smtp_host": "other.example.org",
    "site_url": "https://shop.example.org",
    "uri_allow_list": "https://a.example.org,https://b.example.org",
    "smtp_port": "2525",
    "smtp_admin_email": "b@example.org",
    "security_captcha_provider": "turnstile",
}
"""Where not any value of the kind will do."""
TOGETHER = {
    "security_captcha_enabled": {
        "security_captcha_provider": "hcaptcha",
        "security_captcha_secret": "s",
    },
    "saml_enabled": {"saml_private_key": "key"},
    "passkey_enabled": dict.fromkeys(
        ("webauthn_rp_id", "webauthn_rp_display_name", "webauthn_rp_origins"), "example.org"
    ),
    "mailer_allow_unverified_email_sign_ins": {"mailer_autoconfirm": False},
    **{key: MAIL for key in table() if key.startswith("smtp_")},
    "smtp_user": MAIL | LOGIN,
    "smtp_pass": MAIL | LOGIN,
    **{
        key: {key.replace("_enabled", "_uri"): "pg-functions://postgres/public/hook"}
        for key in table()
        if key.startswith("hook_") and key.endswith("_enabled")
    },
}
"""What must be sent with a key."""


def value_for(key, current):
    """Another value than the present one."""
    if key in VALUES:
        return VALUES[key]
    if key.startswith("hook_") and key.endswith(("_uri", "_secrets")):
        return SECRET if key.endswith("_secrets") else "pg-functions://postgres/public/other"
    kind = table()[key].kind
    if kind == "boolean":
        return not current
    return "a text" if kind == "text" else (current or 0) + 60


def told(spec, secrets):
    return auth.answer(spec, secrets, ref=REF, site_url="https://x.example.org", hidden=False)


def written(spec, plan):
    """The spec after the plan, as the API server would keep it."""
    raw = copy.deepcopy(spec.model_dump(mode="json", by_alias=True, exclude_none=True))
    for path, value in plan.fields.items():
        at = raw
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = value
        if value is None:
            del at[path[-1]]
    return ProjectSpec.model_validate(raw)


@pytest.mark.parametrize("refused", [False, True])
def test_a_key_that_is_set_is_told_as_it_was_set_or_is_refused_with_the_reason(refused):
    keys = [key for key, row in table().items() if bool(row.refused) == refused]
    assert keys
    spec = ProjectSpec()
    before = told(spec, {})
    for key in keys:
        sent = TOGETHER.get(key, {}) | {key: value_for(key, before[key])}
        if refused:
            with pytest.raises(Invalid, match=f"^{key}: {table()[key].refused}"):
                auth.plan(sent, spec, before, secret_name="s")
        else:
            holds(key, sent, spec, before)


def holds(key, sent, spec, before):
    plan = auth.plan(sent, spec, before, secret_name="s")
    after = told(written(spec, plan), {k: v for k, v in plan.secrets.items() if v})
    secret = key in plan.secrets
    assert after[key] == (auth.fingerprint(sent[key], REF) if secret else sent[key]), key
    assert after[key] != before[key], key
    assert secret == (table()[key].secret or key == auth.PASSWORD), key
    upper = {name.upper(): value for name, value in after.items()}
    assert list(missing(AUTH, upper)) == [], key


def test_no_key_that_studio_reads_is_unknown():
    assert {key.lower() for key in AUTH} <= table().keys()
