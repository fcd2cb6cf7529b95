"""What does the configuration of auth come to in the spec, and the other way round? Pure.

One table says it: `supaplane_contract.auth_settings`. Keys are those of the Management API in lower
case. Values that nobody but auth should know lie in a Secret to which the spec refers; they are
told as the Management API tells them, by an HMAC, which comes back unchanged from a form that
nobody touched.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from supaplane_api.problems import Invalid
from supaplane_api.projects.fields import Path
from supaplane_contract import ProjectSpec
from supaplane_contract.auth_settings import Setting, converted, table

from .auth_rules import check

HIDDEN = "********"
"""In the place of a secret, for those who may not see secrets."""
SMTP = "auth.smtp."
PASSWORD = "smtp_pass"
Values = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to write."""

    fields: Mapping[Path, Any]
    secrets: Mapping[str, str | None] = field(repr=False)
    """Values for the Secret; None takes one away."""


def answer(
    spec: ProjectSpec, secrets: Mapping[str, str], *, ref: str, site_url: str, hidden: bool
) -> Values:
    """Every key with its value. `secrets` by key; `site_url` is what holds without one."""
    said = {
        key: HIDDEN if hidden else fingerprint(value, ref)
        for key, value in secrets.items()
        if value
    }
    return {key: _value(key, row, spec, said, site_url) for key, row in table().items()}


def fingerprint(value: str, ref: str) -> str:
    """A secret as it is told: HMAC-SHA256 with the ref as key, in hexadecimal."""
    return hmac.new(ref.encode(), value.encode(), hashlib.sha256).hexdigest()


def references(spec: ProjectSpec) -> dict[str, tuple[str, str]]:
    """Name and key of the Secret that holds each secret setting."""
    found = {key: (ref.name, ref.key) for key, ref in spec.auth.secret_refs.items()}
    smtp = spec.auth.smtp
    if smtp and smtp.password_ref:
        found[PASSWORD] = (smtp.password_ref.name, smtp.password_ref.key)
    return found


def plan(sent: Values, spec: ProjectSpec, current: Values, *, secret_name: str) -> Plan:
    """What the sent values change. Raises Invalid naming the key that cannot be carried out.

    None means: as if it had never been set. Values that are as they are change nothing.
    """
    changed = {k: v for k, v in sent.items() if _normal(k, v) != current[k]}
    check(current | {k: _normal(k, v) for k, v in changed.items()}, changed.keys())
    fields: dict[Path, Any] = {}
    secrets: dict[str, str | None] = {}
    for key, value in changed.items():
        row = table()[key]
        if row.refused:
            raise Invalid(f"{key}: {row.refused}")
        if row.field.startswith(SMTP):
            continue
        if row.field:
            fields[row.path] = _typed(key, value)
        elif row.secret:
            secrets[key] = value or None
            fields["auth", "secretRefs", key] = _reference(secret_name, key) if value else None
            fields["auth", "settings", key] = None
        else:
            fields["auth", "settings", key] = _setting(key, row, value)
            fields["auth", "secretRefs", key] = None
    mail = {k: v for k, v in changed.items() if table()[k].field.startswith(SMTP)}
    if mail:
        fields["auth", "smtp"] = _mail(mail, spec, secrets, secret_name)
    return Plan(fields, secrets)


def _value(
    key: str, row: Setting, spec: ProjectSpec, secrets: Mapping[str, str], site_url: str
) -> Any:
    auth = spec.auth
    if row.field:
        return _field(key, row, spec, secrets, site_url)
    if key in auth.secret_refs:
        return secrets.get(key, "") if row.secret else row.default
    text = auth.settings.get(key)
    if text is None:
        return row.default
    if row.secret:
        return HIDDEN
    try:
        converted(row.kind, text)
    except ValueError:
        return row.default  # the operator says what is wrong with it
    if row.kind == "boolean":
        return text == "true"
    return text if row.kind == "text" else int(text)


def _field(
    key: str, row: Setting, spec: ProjectSpec, secrets: Mapping[str, str], site_url: str
) -> Any:
    if key == PASSWORD:
        return secrets.get(PASSWORD, "")
    found: Any = spec.model_dump(mode="json", by_alias=True, include={"auth"})
    for step in row.path:
        found = found.get(step) if found is not None else None
    if key == "site_url":
        return found or site_url
    if key == "mailer_autoconfirm":
        return spec.auth.smtp is None if found is None else found
    if key == "uri_allow_list":
        return ",".join(found)
    if key == "smtp_port":
        return "" if found is None else str(found)
    return row.default if found is None else found


def _normal(key: str, value: Any) -> Any:
    """A sent value in the form in which it would be told."""
    row = table()[key]
    if value is None:
        return row.default
    return str(value) if key == "smtp_port" else value


def _typed(key: str, value: Any) -> Any:
    """The value of a field of the spec; None takes it away."""
    if key == "uri_allow_list":
        targets = (part.strip() for part in (value or "").split(","))
        return list(dict.fromkeys(target for target in targets if target))
    return None if value == "" else value


def _setting(key: str, row: Setting, value: Any) -> str | None:
    """The text of a setting; None for what holds anyway."""
    if value is None or value == row.default:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        converted(row.kind, text)
    except ValueError as error:
        raise Invalid(f"{key}: {error}") from None
    return text


def _reference(name: str, key: str) -> dict[str, str]:
    return {"name": name, "key": key}


def _mail(
    sent: Values, spec: ProjectSpec, secrets: dict[str, str | None], secret_name: str
) -> Values | None:
    """The mail server after the change; None: there is none any more."""
    smtp = spec.auth.smtp
    before: Values = smtp.model_dump(mode="json", by_alias=True, exclude_none=True) if smtp else {}
    after = dict(before)
    for key, value in sent.items():
        name = table()[key].path[-1]
        after.pop(name, None)
        if key == PASSWORD:
            secrets[PASSWORD] = value or None
            value = value and _reference(secret_name, PASSWORD)
        if value not in (None, ""):
            after[name] = _port(value) if key == "smtp_port" else value
    if "host" not in after:
        secrets[PASSWORD] = None
        if after.keys() - before.keys():
            raise Invalid("smtp_host: name the mail server too")
        return None
    if "adminEmail" not in after:
        raise Invalid("smtp_admin_email: a mail server needs the address that mails come from")
    if ("user" in after) != ("passwordRef" in after):
        raise Invalid("smtp_pass: user name and password belong together: give both, or neither")
    return dict.fromkeys(before) | after


def _port(value: Any) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise Invalid("smtp_port: must be the number of a port")
    return int(text)
