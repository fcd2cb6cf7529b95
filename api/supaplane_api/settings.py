"""What can be set from outside, and is it safe to start with?

Every variable here is honoured. Those of the earlier program that this version does nothing with
are named in NOT_HONOURED and reported at start, so that nobody believes that they work.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from email.utils import getaddresses
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from supaplane_contract import names
from supaplane_contract.fields import HOST_PATTERN, STORAGE_PATTERN

NOT_HONOURED: Mapping[str, str] = {
    "SERVICE_VERSION_URL": "releases are the operator's: set it there",
    "DOMAIN_DNS_HOOK_URL": "names in DNS are the operator's: set it there",
    "DOMAIN_DNS_HOOK_KEY": "names in DNS are the operator's: set it there",
}
SECRET_LENGTH = 32
_PREFIXED = frozenset(
    {"environment", "home", "home_namespaces", "log_level", "url_port", "url_scheme"}
)
"""Fields whose variable begins with SUPAPLANE_; most of them are the operator's too."""
_PLACEHOLDER = re.compile(r"secret|change.?me|password|example|default|your[-_ ]|test", re.I)


class SettingsWrong(ValueError):
    """The program must not start like this; the message lists every problem and its cure."""


class Environment(StrEnum):
    """How strict the start is."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


class MailTls(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


MAIL_PORTS: Mapping[MailTls, int] = {
    MailTls.STARTTLS: 587,
    MailTls.TLS: 465,
    MailTls.NONE: 25,
}


class Settings(BaseModel):
    """The environment, typed. Secrets never appear in its text."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    environment: Environment = Environment.PRODUCTION
    """`production` refuses to start with weak or missing secrets; `development` makes its own."""
    home: Path = Path(".supaplane")
    """Development only: where the embedded database and the secrets are kept."""
    database_url: SecretStr | None = None
    """PostgreSQL for accounts and permissions. Without it, in development: an embedded one."""
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    """Most connections to the database, per process."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port to listen on; 0 takes a free one."""
    listen_host: str | None = None
    """Address to listen on. Absent: 0.0.0.0 in production, 127.0.0.1 in development."""
    forwarded_allow_ips: str = "127.0.0.1"
    """Proxies whose X-Forwarded-For is believed, separated by commas."""
    jwt_secret: SecretStr | None = None
    """Root of the key that signs access tokens of accounts."""
    jwt_secret_previous: SecretStr | None = None
    """The JWT_SECRET from before a change: its tokens are taken until they end."""
    encryption_secret: SecretStr | None = None
    """Root of the keys that protect what the database holds; refresh tokens hang on it."""
    access_token_seconds: Annotated[int, Field(ge=300, le=86400)] = 3600
    """Life of an access token."""
    session_days: Annotated[int, Field(ge=1, le=365)] = 30
    """A sign-in that is not refreshed for so long ends."""
    allow_signup: bool | None = None
    """Whether anybody may make an account. Absent: only in development."""
    signups_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 300
    """Most sign-ups from one address."""
    signup_autoconfirm: bool | None = None
    """Whether new accounts may be used before anybody has shown that the address is theirs.
    Absent: only in development and without SMTP_HOST."""
    smtp_host: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Server that takes mail to people. Absent: no mail is sent."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of the mail server. Absent: 587, 465 with SMTP_TLS=tls, 25 with SMTP_TLS=none."""
    smtp_user: str | None = None
    """Name to sign in with at the mail server."""
    smtp_password: SecretStr | None = None
    """Password to sign in with at the mail server."""
    smtp_from: str | None = None
    """Sender of mails, as in Supaplane <platform@example.org>."""
    smtp_tls: MailTls = MailTls.STARTTLS
    """starttls, tls (from the first byte) or none. Certificates are checked."""
    mail_links_base: str | None = None
    """URL at which people's browsers reach this program; links in mails lead there, and from there
    to DOMAIN_STUDIO_URL."""
    domain_studio_url: str | None = None
    """URL of Studio: the only origin from which browsers may call."""
    domain_base: Annotated[str, Field(pattern=HOST_PATTERN, max_length=200)] = "supaplane.localhost"
    """Projects are reached at <ref>.<DOMAIN_BASE>."""
    url_scheme: Literal["http", "https"] = "https"
    """Scheme of a project's URLs until the operator has said what they are."""
    url_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port in a project's URLs until the operator has said what they are. Absent: none."""
    kubeconfig: str | None = None
    """Outside a cluster: the kubeconfig to use."""
    home_namespaces: tuple[str, ...] = (names.DEFAULT_HOME_NAMESPACE,)
    """Namespaces whose SupabaseProjects are shown; new ones are made in the first."""
    postgres_disk_size: Annotated[str, Field(pattern=STORAGE_PATTERN)] | None = None
    """Size of the database volume of new projects, as in 8Gi. Absent: as their size has it."""
    postgres_default_version: Literal["17"] | None = None
    """Major version of PostgreSQL in new projects. Absent: as the CRD has it."""
    postgres_docker_image: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """Image of the database in new projects. Absent: as the release has it."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 1024 * 1024
    """Largest request body."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least level that is logged."""

    @field_validator("home_namespaces", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def production(self) -> bool:
        """Whether people trust this with their data."""
        return self.environment is Environment.PRODUCTION

    @property
    def signup_allowed(self) -> bool:
        """Whether anybody may make an account."""
        return not self.production if self.allow_signup is None else self.allow_signup

    @property
    def sends_mail(self) -> bool:
        """Whether people can be written to."""
        return self.smtp_host is not None

    @property
    def mail_port(self) -> int:
        """Port of the mail server."""
        return self.smtp_port or MAIL_PORTS[self.smtp_tls]

    @property
    def confirms_signups(self) -> bool:
        """Whether a new account has to confirm its address before it signs in."""
        if self.signup_autoconfirm is None:
            return self.production or self.sends_mail
        return not self.signup_autoconfirm

    @property
    def studio_url(self) -> str:
        """Where Studio's pages are; empty where none is configured."""
        return (self.domain_studio_url or "").rstrip("/")

    @property
    def host(self) -> str:
        """Address to listen on."""
        return self.listen_host or ("0.0.0.0" if self.production else "127.0.0.1")

    @property
    def studio_origin(self) -> str | None:
        """Scheme, host and port of Studio, as browsers send it."""
        if not self.domain_studio_url:
            return None
        parts = urlsplit(self.domain_studio_url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def issuer(self) -> str:
        """Who issues our tokens: those of another platform with the same secret are refused."""
        return f"https://{self.domain_base}/auth"

    def project_url(self, ref: str) -> str:
        """Where the API of a project is reached, as far as this program knows."""
        port = f":{self.url_port}" if self.url_port else ""
        return f"{self.url_scheme}://{names.api_host(ref, self.domain_base)}{port}"

    def secret(self, name: Literal["jwt_secret", "encryption_secret"]) -> bytes:
        """The secret's bytes. Only after `load` or `with_development_secrets`."""
        value: SecretStr | None = getattr(self, name)
        assert value is not None
        return value.get_secret_value().encode()


def variable(field: str) -> str:
    """The environment variable that a field is read from."""
    return f"SUPAPLANE_{field.upper()}" if field in _PREFIXED else field.upper()


def load(environ: Mapping[str, str]) -> Settings:
    """Reads and judges the environment. Raises SettingsWrong with every problem at once."""
    given = {field: environ.get(variable(field)) for field in Settings.model_fields}
    try:
        settings = Settings.model_validate({k: v for k, v in given.items() if v})
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        lines = [f"{variable(str(e['loc'][0]))}: {e['msg']}" for e in details]
        raise SettingsWrong("\n".join(lines)) from None
    wrong = problems_of(settings)
    if wrong:
        raise SettingsWrong("\n".join(wrong))
    return settings if settings.production else with_development_secrets(settings)


def problems_of(settings: Settings) -> list[str]:
    """Why the program must not start like this; empty: it may."""
    found = []
    if settings.studio_origin is not None and not re.match(
        r"^https?://[^/]+$", settings.studio_origin
    ):
        found.append("DOMAIN_STUDIO_URL: give a URL, as in https://studio.example.org")
    url = settings.database_url.get_secret_value() if settings.database_url else None
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        found.append("DATABASE_URL: give a URL, as in postgresql://user@host:5432/supaplane")
    if not settings.home_namespaces:
        found.append("SUPAPLANE_HOME_NAMESPACES: name at least one namespace")
    found += _mail_problems(settings)
    if not settings.production:
        return found
    if url is None:
        found.append("DATABASE_URL: is required in production")
    for name in ("jwt_secret", "encryption_secret"):
        value: SecretStr | None = getattr(settings, name)
        weak = weakness(value.get_secret_value() if value else None)
        if weak:
            found.append(f"{name.upper()}: {weak}; make one with: openssl rand -hex 32")
    if settings.jwt_secret and settings.jwt_secret == settings.encryption_secret:
        found.append("ENCRYPTION_SECRET: must differ from JWT_SECRET")
    if "domain_base" not in settings.model_fields_set or settings.domain_base.endswith("localhost"):
        found.append("DOMAIN_BASE: is required in production, as in projects.example.org")
    return found


def _mail_problems(settings: Settings) -> list[str]:
    """Mail is set as a whole or not at all."""
    found = []
    if settings.smtp_host is None:
        half = ("smtp_port", "smtp_user", "smtp_password", "smtp_from", "mail_links_base")
        found += [
            f"{variable(name)}: does nothing without SMTP_HOST; set both or neither"
            for name in half
            if getattr(settings, name) is not None
        ]
        if settings.signup_allowed and settings.confirms_signups:
            found.append(
                "ALLOW_SIGNUP: without SMTP_HOST nobody can confirm an address; set it, or"
                " SIGNUP_AUTOCONFIRM=true to take addresses unproven"
            )
        return found
    if not _is_sender(settings.smtp_from):
        found.append("SMTP_FROM: give an address, as in Supaplane <platform@example.org>")
    if (settings.smtp_user is None) != (settings.smtp_password is None):
        found.append("SMTP_USER, SMTP_PASSWORD: set both or neither")
    if settings.smtp_password is not None and settings.smtp_tls is MailTls.NONE:
        found.append("SMTP_TLS: none would send SMTP_PASSWORD in clear; use starttls or tls")
    if not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", settings.mail_links_base or ""):
        found.append("MAIL_LINKS_BASE: give the URL of this API, as in https://api.example.org")
    if settings.studio_origin is None:
        found.append("DOMAIN_STUDIO_URL: is required with SMTP_HOST: links of mails lead there")
    return found


def _is_sender(text: str | None) -> bool:
    """Whether it is one address, with a name or without."""
    if not text or not text.isprintable():
        return False
    addresses = getaddresses([text])
    return len(addresses) == 1 and bool(re.fullmatch(r"[^@\s]+@[^@\s]+", addresses[0][1]))


def weakness(secret: str | None) -> str | None:
    """Why a secret cannot be relied upon; None: it can."""
    if not secret:
        return "is required in production"
    if len(secret) < SECRET_LENGTH:
        return f"is shorter than {SECRET_LENGTH} characters"
    if len(set(secret)) < 10:
        return "has too few different characters"
    if _PLACEHOLDER.search(secret):
        return "looks like a placeholder"
    return None


def with_development_secrets(settings: Settings) -> Settings:
    """The same with secrets of this folder, so that sessions survive a restart."""
    if settings.jwt_secret and settings.encryption_secret:
        return settings
    known = _kept_secrets(settings.home / "development-secrets.json")
    missing = {
        name: SecretStr(known[name])
        for name in ("jwt_secret", "encryption_secret")
        if getattr(settings, name) is None
    }
    return settings.model_copy(update=missing)


def _kept_secrets(file: Path) -> dict[str, str]:
    if file.exists():
        kept: dict[str, str] = json.loads(file.read_text())
        return kept
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = {name: secrets.token_hex(32) for name in ("jwt_secret", "encryption_secret")}
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(made, out)
    return made


def not_honoured(environ: Mapping[str, str]) -> list[str]:
    """Warnings about variables that are set and do nothing."""
    return [
        f"{name} is set, but this version does nothing with it: {why}"
        for name, why in NOT_HONOURED.items()
        if environ.get(name)
    ]
