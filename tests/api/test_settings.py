"""The program does not start unsafely, and no variable is believed to work that does not."""

import json
import stat

import pytest

from supaplane_api import settings as module
from supaplane_api.__main__ import main, parser
from supaplane_api.settings import NOT_HONOURED, Settings, SettingsWrong, load, not_honoured

GOOD = {
    "DATABASE_URL": "postgresql://supaplane@db.example.org/supaplane",
    "JWT_SECRET": "6f1d2c3b4a5968778695a4b3c2d1e0f06f1d2c3b",
    "ENCRYPTION_SECRET": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    "DOMAIN_BASE": "projects.example.org",
}


def test_a_whole_environment_starts_in_production():
    settings = load(GOOD)
    assert settings.production
    assert settings.host == "0.0.0.0"
    assert settings.signup_allowed is False
    assert settings.home_namespaces == ("supaplane-projects",)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"JWT_SECRET": ""}, "JWT_SECRET"),
        ({"JWT_SECRET": "short"}, "JWT_SECRET"),
        ({"JWT_SECRET": "a" * 64}, "JWT_SECRET"),
        ({"JWT_SECRET": "super-secret-jwt-token-with-at-least-32-characters-long"}, "JWT_SECRET"),
        ({"ENCRYPTION_SECRET": ""}, "ENCRYPTION_SECRET"),
        ({"ENCRYPTION_SECRET": GOOD["JWT_SECRET"]}, "ENCRYPTION_SECRET"),
        ({"DOMAIN_BASE": ""}, "DOMAIN_BASE"),
        ({"DOMAIN_BASE": "not a host"}, "DOMAIN_BASE"),
        ({"DOMAIN_BASE": "x.localhost"}, "DOMAIN_BASE"),
        ({"DOMAIN_STUDIO_URL": "studio.example.org"}, "DOMAIN_STUDIO_URL"),
        ({"PORT": "99999"}, "PORT"),
        ({"ALLOW_SIGNUP": "perhaps"}, "ALLOW_SIGNUP"),
        ({"POSTGRES_DISK_SIZE": "a lot"}, "POSTGRES_DISK_SIZE"),
        ({"POSTGRES_DEFAULT_VERSION": "15.1.0.147"}, "POSTGRES_DEFAULT_VERSION"),
        ({"SUPAPLANE_ENVIRONMENT": "staging"}, "SUPAPLANE_ENVIRONMENT"),
        ({"SUPAPLANE_HOME_NAMESPACES": " , "}, "SUPAPLANE_HOME_NAMESPACES"),
    ],
)
def test_what_is_unsafe_or_wrong_is_named_and_refused(change, named):
    with pytest.raises(SettingsWrong) as refused:
        load(GOOD | change)
    assert named in str(refused.value)
    for secret in ("super-secret-jwt", "aaaaaaaa"):
        assert secret not in str(refused.value)


MAIL = {
    "SMTP_HOST": "mail.example.org",
    "SMTP_FROM": "Supaplane <platform@example.org>",
    "SMTP_USER": "supaplane",
    "SMTP_PASSWORD": "walnut gravel 7",
    "MAIL_LINKS_BASE": "https://api.example.org",
    "DOMAIN_STUDIO_URL": "https://studio.example.org",
}


@pytest.mark.parametrize(
    ("change", "port"),
    [
        ({}, 587),
        ({"SMTP_TLS": "tls"}, 465),
        ({"SMTP_TLS": "none", "SMTP_USER": "", "SMTP_PASSWORD": ""}, 25),
        ({"SMTP_PORT": "2525"}, 2525),
    ],
)
def test_mail_that_is_set_as_a_whole_starts(change, port):
    settings = load(GOOD | MAIL | {"ALLOW_SIGNUP": "true"} | change)
    assert settings.sends_mail
    assert settings.mail_port == port
    assert settings.confirms_signups
    assert "walnut" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SMTP_HOST": ""}, "SMTP_FROM"),
        ({"SMTP_HOST": ""}, "MAIL_LINKS_BASE"),
        ({"SMTP_HOST": ""}, "SMTP_PASSWORD"),
        ({"SMTP_FROM": ""}, "SMTP_FROM"),
        ({"SMTP_FROM": "not an address"}, "SMTP_FROM"),
        ({"SMTP_FROM": "a@example.org, b@example.org"}, "SMTP_FROM"),
        ({"SMTP_USER": ""}, "SMTP_USER"),
        ({"SMTP_PASSWORD": ""}, "SMTP_PASSWORD"),
        ({"SMTP_TLS": "none"}, "SMTP_TLS"),
        ({"SMTP_TLS": "maybe"}, "SMTP_TLS"),
        ({"MAIL_LINKS_BASE": ""}, "MAIL_LINKS_BASE"),
        ({"MAIL_LINKS_BASE": "api.example.org"}, "MAIL_LINKS_BASE"),
        ({"DOMAIN_STUDIO_URL": ""}, "DOMAIN_STUDIO_URL"),
    ],
)
def test_mail_that_is_half_set_is_refused(change, named):
    with pytest.raises(SettingsWrong) as refused:
        load(GOOD | MAIL | change)
    assert named in str(refused.value)
    assert "walnut" not in str(refused.value)


def test_addresses_are_taken_unproven_only_where_that_is_said():
    with pytest.raises(SettingsWrong, match="SIGNUP_AUTOCONFIRM"):
        load(GOOD | {"ALLOW_SIGNUP": "true"})
    settings = load(GOOD | {"ALLOW_SIGNUP": "true", "SIGNUP_AUTOCONFIRM": "true"})
    assert not settings.confirms_signups


def test_every_problem_is_told_at_once():
    with pytest.raises(SettingsWrong) as refused:
        load({})
    for name in ("DATABASE_URL", "JWT_SECRET", "ENCRYPTION_SECRET", "DOMAIN_BASE"):
        assert name in str(refused.value)


def test_development_needs_nothing_and_keeps_its_secrets(tmp_path):
    environ = {"SUPAPLANE_ENVIRONMENT": "development", "SUPAPLANE_HOME": str(tmp_path / "home")}
    first, second = load(environ), load(environ)
    assert first.secret("jwt_secret") == second.secret("jwt_secret")
    assert first.secret("jwt_secret") != first.secret("encryption_secret")
    assert first.host == "127.0.0.1"
    assert first.signup_allowed is True
    assert first.confirms_signups is False
    kept = tmp_path / "home" / "development-secrets.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    given = load(environ | {"JWT_SECRET": "mine"})
    assert given.secret("jwt_secret") == b"mine"
    assert given.secret("encryption_secret").decode() in json.loads(kept.read_text()).values()


def test_secrets_are_nowhere_in_the_settings_text():
    assert GOOD["JWT_SECRET"] not in repr(load(GOOD)) + str(load(GOOD))


def test_variables_that_do_nothing_are_reported():
    assert not_honoured(GOOD) == []
    warnings = not_honoured(GOOD | {"DOMAIN_DNS_HOOK_URL": "https://dns.example.org"})
    assert len(warnings) == 1
    assert "DOMAIN_DNS_HOOK_URL" in warnings[0]
    assert not set(NOT_HONOURED) & {module.variable(field) for field in Settings.model_fields}


def test_help_explains_every_variable():
    text = parser().format_help()
    for name, field in Settings.model_fields.items():
        assert module.variable(name) in text
        assert field.description, name


def test_a_wrong_environment_ends_with_an_exit_code(monkeypatch, capsys):
    for name in Settings.model_fields:
        monkeypatch.delenv(module.variable(name), raising=False)
    assert main([]) == 2
    assert "JWT_SECRET" in capsys.readouterr().err
