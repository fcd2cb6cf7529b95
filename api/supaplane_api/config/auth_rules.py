"""With which settings would GoTrue refuse to start? They are refused here, before they are written.

From `Validate` and `ApplyDefaults` in GoTrue's internal/conf/configuration.go, and from the formats
of hook secrets beside it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from supaplane_api.problems import Invalid

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "security_captcha_enabled": ("security_captcha_secret",),
    "saml_enabled": ("saml_private_key",),
    "passkey_enabled": ("webauthn_rp_id", "webauthn_rp_display_name", "webauthn_rp_origins"),
}
"""A switch, and what has to be there once it is on."""
_HOOK = re.compile(r"(hook_[a-z_]+)_(enabled|uri|secrets)")
_HOOK_SECRET = re.compile(
    r"v1,whsec_[A-Za-z0-9+/=]{32,88}|v1a,whpk_[A-Za-z0-9+/=]{32,}:whsk_[A-Za-z0-9+/=]{32,}"
)
_HOOK_SCHEMES = ("http://", "https://", "pg-functions://")
_CAPTCHAS = ("hcaptcha", "turnstile")


def check(after: Mapping[str, Any], changed: Collection[str]) -> None:
    """Raises Invalid when one of the changed settings does not go with the others."""
    for switch, needed in _NEEDS.items():
        if after[switch] and not {switch, *needed}.isdisjoint(changed):
            for key in needed:
                if not after[key]:
                    raise Invalid(f"{key}: is needed while {switch} is on")
    if {"security_captcha_provider", "security_captcha_enabled"} & set(changed):
        _captcha(after)
    both = ("mailer_autoconfirm", "mailer_allow_unverified_email_sign_ins")
    if all(after[key] for key in both) and set(both) & set(changed):
        raise Invalid(f"{both[1]}: cannot be on together with {both[0]}")
    for key in changed:
        if found := _HOOK.fullmatch(key):
            _hook(found[1], after, changed)


def _captcha(after: Mapping[str, Any]) -> None:
    if after["security_captcha_enabled"] and after["security_captcha_provider"] not in _CAPTCHAS:
        raise Invalid(f"security_captcha_provider: known are {', '.join(_CAPTCHAS)}")


def _hook(hook: str, after: Mapping[str, Any], changed: Collection[str]) -> None:
    uri, secrets = after[f"{hook}_uri"], after[f"{hook}_secrets"]
    if uri and not uri.startswith(_HOOK_SCHEMES):
        raise Invalid(f"{hook}_uri: must begin with one of {', '.join(_HOOK_SCHEMES)}")
    if after[f"{hook}_enabled"] and not uri:
        raise Invalid(f"{hook}_uri: is needed while {hook}_enabled is on")
    if after[f"{hook}_enabled"] and uri.startswith("http") and not secrets:
        raise Invalid(f"{hook}_secrets: a hook that is called by HTTP needs one")
    if secrets and f"{hook}_secrets" in changed:
        for secret in secrets.split("|"):
            if not _HOOK_SECRET.fullmatch(secret):
                raise Invalid(f"{hook}_secrets: must be like v1,whsec_ and base64, joined by |")
