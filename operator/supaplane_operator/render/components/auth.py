"""How does GoTrue run: sign-up, sign-in, users?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from supaplane_contract.spec import ComponentName
from supaplane_operator.render import auth_settings, objects, urls
from supaplane_operator.render.context import Project
from supaplane_operator.render.part import Access, Part, Pod, Route
from supaplane_operator.render.workload import RESTRICTED

PORT: Final = 9999
USER: Final = 1000
"""`supabase` in the image."""
WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"


def pod(project: Project) -> Pod:
    health = ("/health", "http")
    plain, secret = auth_settings.variables(project)
    return Pod(
        container={
            "securityContext": RESTRICTED,
            # migrations run before it listens
            "startupProbe": objects.http_probe(
                *health, periodSeconds=2, timeoutSeconds=3, failureThreshold=150
            ),
            "readinessProbe": objects.http_probe(*health, periodSeconds=5, timeoutSeconds=3),
            "livenessProbe": objects.http_probe(
                *health, periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
        },
        env={**_environment(project), **_mail(project), **_callbacks(project, plain), **plain},
        secret_env={
            "GOTRUE_DB_DATABASE_URL": project.database_url("supabase_auth_admin"),
            "GOTRUE_JWT_KEYS": project.credential("jwt-keys"),
            "GOTRUE_JWT_SECRET": project.credential("jwt-secret"),
            **_mail_password(project),
            **secret,
        },
        spec={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    )


def _environment(project: Project) -> dict[str, str]:
    auth = project.spec.auth
    hosts = urls.public_hosts(project.spec, project.ref, project.platform)
    targets = auth.additional_redirect_urls
    return {
        "API_EXTERNAL_URL": project.auth_url,
        "GOTRUE_API_HOST": "0.0.0.0",
        "GOTRUE_API_PORT": str(PORT),
        "GOTRUE_DB_DRIVER": "postgres",
        "GOTRUE_DB_MAX_POOL_SIZE": str(project.connections(ComponentName.AUTH)),
        "GOTRUE_DISABLE_SIGNUP": _flag(auth.disable_signup),
        "GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED": _flag(auth.enable_anonymous_sign_ins),
        "GOTRUE_EXTERNAL_EMAIL_ENABLED": _flag(auth.enable_email_signup),
        "GOTRUE_EXTERNAL_PHONE_ENABLED": _flag(auth.enable_phone_signup),
        "GOTRUE_JWT_ADMIN_ROLES": "service_role",
        "GOTRUE_JWT_AUD": "authenticated",
        "GOTRUE_JWT_DEFAULT_GROUP_NAME": "authenticated",
        "GOTRUE_JWT_EXP": str(auth.jwt_expiry_seconds),
        "GOTRUE_JWT_ISSUER": project.auth_url,
        "GOTRUE_MAILER_AUTOCONFIRM": _flag(_auto_confirm(project)),
        # links in mails keep the host that the person came by, if it is one of these
        "GOTRUE_MAILER_EXTERNAL_HOSTS": ",".join(hosts),
        # Versions differ: some add this to the path of API_EXTERNAL_URL, some put it in its
        # place. The gateway serves both.
        **{
            f"GOTRUE_MAILER_URLPATHS_{kind}": "/verify"
            for kind in ("CONFIRMATION", "EMAIL_CHANGE", "INVITE", "RECOVERY")
        },
        "GOTRUE_SITE_URL": auth.site_url or project.public_url,
        **({"GOTRUE_URI_ALLOW_LIST": ",".join(targets)} if targets else {}),
    }


def _auto_confirm(project: Project) -> bool:
    """Without a mail server nobody could ever confirm anything."""
    auth = project.spec.auth
    return auth.smtp is None if auth.auto_confirm_email is None else auth.auto_confirm_email


def _mail(project: Project) -> dict[str, str]:
    smtp = project.spec.auth.smtp
    if smtp is None:
        return {}
    values = {
        "GOTRUE_SMTP_ADMIN_EMAIL": smtp.admin_email,
        "GOTRUE_SMTP_HOST": smtp.host,
        "GOTRUE_SMTP_PORT": str(smtp.port),
        "GOTRUE_SMTP_SENDER_NAME": smtp.sender_name,
        "GOTRUE_SMTP_USER": smtp.user,
    }
    return {name: value for name, value in values.items() if value is not None}


def _mail_password(project: Project) -> dict[str, str]:
    smtp = project.spec.auth.smtp
    if smtp is None or smtp.password_ref is None:
        return {}
    ref = smtp.password_ref
    return {"GOTRUE_SMTP_PASS": project.user_secret(ref.name, ref.key)}


def _callbacks(project: Project, settings: Mapping[str, str]) -> dict[str, str]:
    """Where providers send people back to; GoTrue refuses a provider without one."""
    return {
        f"GOTRUE_EXTERNAL_{provider}_REDIRECT_URI": f"{project.auth_url}/callback"
        for provider in auth_settings.enabled_providers(settings)
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"


def routes(project: Project) -> tuple[Route, ...]:
    issuer_path = "/auth/v1"
    return (
        Route(1, "/auth/v1/verify", Access.OPEN, rewrite="/verify"),
        # the same, in mails of versions that put the path in the place of API_EXTERNAL_URL's
        Route(1, "/verify", Access.OPEN),
        Route(2, "/auth/v1/callback", Access.OPEN, rewrite="/callback"),
        Route(3, "/auth/v1/authorize", Access.OPEN, rewrite="/authorize"),
        Route(
            4,
            "/auth/v1/.well-known/jwks.json",
            Access.OPEN,
            rewrite="/.well-known/jwks.json",
            exact=True,
        ),
        Route(5, f"{WELL_KNOWN}{issuer_path}", Access.OPEN, rewrite=WELL_KNOWN, exact=True),
        Route(6, "/auth/v1/sso/saml/acs", Access.OPEN, rewrite="/sso/saml/acs"),
        Route(7, "/auth/v1/sso/saml/metadata", Access.OPEN, rewrite="/sso/saml/metadata"),
        Route(10, "/auth/v1/", Access.KEY, rewrite="/"),
    )


def inputs(project: Project) -> Mapping[str, Any]:
    auth = project.spec.auth
    refs = [*auth.secret_refs.values()]
    if auth.smtp and auth.smtp.password_ref:
        refs.append(auth.smtp.password_ref)
    return {
        "authUrl": project.auth_url,
        "hosts": urls.public_hosts(project.spec, project.ref, project.platform),
        "siteUrl": auth.site_url or project.public_url,
        "connections": project.connections(ComponentName.AUTH),
        "secrets": [[ref.name, ref.key, project.user_secret(ref.name, ref.key)] for ref in refs],
    }


PART = Part(
    name=ComponentName.AUTH,
    pod=pod,
    ports={"http": PORT},
    needs=frozenset({ComponentName.DB}),
    credentials=("jwt-keys", "jwt-secret", "password-supabase-auth-admin"),
    routes=routes,
    inputs=inputs,
    internet=True,
)
