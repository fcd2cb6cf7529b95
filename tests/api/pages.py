"""Which calls do Studio's pages make, what does each need, and what must be in its answer?

Typed by hand from Studio's source of 2024 to 2026. `test_pages.py` holds the API to it, in every
phase of a project; docs/studio.md shows it by page (`python tests/api/pages.py` writes it there).
Placeholders: `{slug}` an organization, `{ref}` a project, `{user}` any id, `{content}` a query.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.api.shapes import ANY, Or, Word

DOCUMENT = Path(__file__).parents[2] / "docs" / "studio.md"
BEGIN, END = "<!-- pages: begin -->\n", "<!-- pages: end -->\n"


class Needs(Enum):
    """What has to run for a call to be answered with success."""

    NOTHING = "the platform"
    DATABASE = "the project's postgres-meta"
    GATEWAY = "the project's gateway"
    ANALYTICS = "the project's Logflare, if it has one"
    LOOKS = "the platform; looks into the project if it can"
    REFUSED = "refused: 501"
    ABSENT = "there is none: 404"


@dataclass(frozen=True)
class Call:
    """One call of a page. `shape` is what the page takes out of the answer."""

    page: str
    method: str
    path: str
    needs: Needs = Needs.NOTHING
    shape: Any = ANY
    body: Any = None
    changes: bool = False
    """Whether something is different afterwards: then it is in the audit log."""

    @property
    def of_a_project(self) -> bool:
        """Whether the project's phase can matter."""
        return "{ref}" in self.path

    @property
    def pattern(self) -> str:
        """Without its query."""
        return self.path.partition("?")[0]


NOTHING, DATABASE, GATEWAY = Needs.NOTHING, Needs.DATABASE, Needs.GATEWAY
ANALYTICS, LOOKS, REFUSED, ABSENT = Needs.ANALYTICS, Needs.LOOKS, Needs.REFUSED, Needs.ABSENT

Row = tuple[str, str, Any, Needs, Any, bool]


def get(path: str, shape: Any = ANY, needs: Needs = NOTHING) -> Row:
    return "GET", path, shape, needs, None, False


def head(path: str, needs: Needs = NOTHING) -> Row:
    return "HEAD", path, ANY, needs, None, False


def ask(path: str, body: Any, shape: Any = ANY, needs: Needs = NOTHING) -> Row:
    """A POST that changes nothing."""
    return "POST", path, shape, needs, body, False


def change(
    method: str, path: str, body: Any = None, shape: Any = ANY, needs: Needs = NOTHING
) -> Row:
    return method, path, shape, needs, body, True


def refused(*lines: str) -> list[Row]:
    """Calls that answer 501, as `POST /path`."""
    pairs = (line.split() for line in lines)
    return [(method, path, ANY, REFUSED, None, False) for method, path in pairs]


PLAN = Word("free", "pro", "team", "enterprise", "platform")
DATABASE_STATUS = Word(
    "ACTIVE_HEALTHY",
    "ACTIVE_UNHEALTHY",
    "COMING_UP",
    "GOING_DOWN",
    "INIT_FAILED",
    "INIT_READ_REPLICA",
    "INIT_READ_REPLICA_FAILED",
    "REMOVED",
    "RESIZING",
    "RESTARTING",
    "RESTORING",
    "UNKNOWN",
)
PROJECT_STATUS = Word(
    "ACTIVE_HEALTHY",
    "ACTIVE_UNHEALTHY",
    "COMING_UP",
    "GOING_DOWN",
    "INACTIVE",
    "INIT_FAILED",
    "PAUSE_FAILED",
    "PAUSING",
    "REMOVED",
    "RESIZING",
    "RESTARTING",
    "RESTORE_FAILED",
    "RESTORING",
    "UNKNOWN",
    "UPGRADING",
)
PROFILE = {
    "id": float,
    "gotrue_id": str,
    "auth0_id": Or(str, None),
    "primary_email": str,
    "username": str,
    "first_name": Or(str, None),
    "last_name": Or(str, None),
    "mobile": Or(str, None),
    "is_alpha_user": bool,
    "is_sso_user": bool,
    "free_project_limit": Or(float, None),
    "disabled_features": [str],
}
ORGANIZATION = {
    "id": float,
    "slug": str,
    "name": str,
    "billing_email": Or(str, None),
    "billing_partner": Or(str, None),
    "is_owner": bool,
    "opt_in_tags": [str],
    "plan": {"id": PLAN, "name": str},
    "restriction_data": Or(dict, None),
    "restriction_status": Or(str, None),
    "stripe_customer_id": Or(str, None),
    "subscription_id": Or(str, None),
    "usage_billing_enabled": bool,
    "organization_requires_mfa": bool,
    "organization_missing_address": bool,
    "organization_missing_tax_id": bool,
}
LISTED = {
    "id": float,
    "ref": str,
    "name": str,
    "status": PROJECT_STATUS,
    "organization_id": float,
    "organization_slug": str,
    "cloud_provider": str,
    "region": str,
    "inserted_at": str,
    "subscription_id": Or(str, None),
    "is_branch_enabled": bool,
    "is_physical_backups_enabled": Or(bool, None),
    "preview_branch_refs": [str],
}
PAGE = {"count": float, "limit": float, "offset": float}
DETAIL = {
    "id": float,
    "ref": str,
    "name": str,
    "organization_id": float,
    "status": PROJECT_STATUS,
    "cloud_provider": str,
    "region": str,
    "inserted_at": str,
    "updated_at": str,
    "connectionString": str,
    "restUrl": str,
    "db_host": str,
    "dbVersion": str,
    "is_branch_enabled": bool,
    "is_physical_backups_enabled": Or(bool, None),
    "high_availability": bool,
}
KEYS = [{"api_key": str, "name": str, "tags": str}]
APP = {"db_schema": str, "endpoint": str}
VARIANT = {
    "identifier": str,
    "name": str,
    "price": float,
    "price_type": Word("fixed", "usage"),
    "price_interval": Word("hourly", "monthly"),
    "price_description": str,
}
CONTENT = {
    "id": str,
    "name": str,
    "type": Word("sql", "report", "log_sql"),
    "visibility": str,
    "owner_id": float,
    "project_id": float,
    "inserted_at": str,
    "updated_at": str,
}
BUCKET = {"id": str, "name": str, "public": bool, "created_at": str, "updated_at": str}
RESULT = {"result": [dict], "error": Or(str, dict, None)}
FIGURES = {
    "data": [dict],
    "yAxisLimit": float,
    "format": str,
    "total": float,
    "totalAverage": float,
}
VERSIONS = {
    "available_versions": [{"postgres_engine": str, "release_channel": str, "version": str}]
}
ENTITLEMENT = {
    "feature": {"key": str, "type": Word("boolean", "numeric", "set")},
    "hasAccess": bool,
    "type": Word("boolean", "numeric", "set"),
    "config": dict,
}
METRIC = {
    "metric": str,
    "usage": float,
    "usage_original": float,
    "cost": float,
    "available_in_plan": bool,
    "unlimited": bool,
    "capped": bool,
    "pricing_strategy": Word("UNIT", "PACKAGE", "TIERED", "NONE"),
    "project_allocations": [{"name": str, "ref": str, "usage": float}],
    "unit_price_desc": str,
}
AUTH = {
    "SITE_URL": Or(str, None),
    "URI_ALLOW_LIST": Or(str, None),
    "DISABLE_SIGNUP": Or(bool, None),
    "JWT_EXP": Or(float, None),
    "EXTERNAL_EMAIL_ENABLED": Or(bool, None),
    "EXTERNAL_GITHUB_ENABLED": Or(bool, None),
    "MAILER_AUTOCONFIRM": Or(bool, None),
    "MAILER_OTP_EXP": Or(float, None),
    "PASSWORD_MIN_LENGTH": Or(float, None),
    "RATE_LIMIT_EMAIL_SENT": Or(float, None),
    "SECURITY_CAPTCHA_ENABLED": Or(bool, None),
    "SESSIONS_TIMEBOX": Or(float, None),
    "SMTP_HOST": Or(str, None),
    "SMTP_PASS": Or(str, None),
}
FUNCTION = {
    "id": str,
    "slug": str,
    "name": str,
    "status": Word("ACTIVE", "REMOVED", "THROTTLED"),
    "version": float,
    "created_at": float,
    "updated_at": float,
    "verify_jwt": Or(bool, None),
    "import_map": Or(bool, None),
    "entrypoint_path": Or(str, None),
    "import_map_path": Or(str, None),
}
QUERY = {
    "id": "00000000-0000-4000-8000-000000000000",
    "name": "Q",
    "type": "sql",
    "visibility": "user",
    "content": {"sql": "select 1"},
}
HOOK = {
    "HOOK_CUSTOM_ACCESS_TOKEN_ENABLED": True,
    "HOOK_CUSTOM_ACCESS_TOKEN_URI": "pg-functions://postgres/public/hook",
}
ROLE = {"id": float, "name": str, "description": Or(str, None), "base_role_id": float}

P, R, ORG = "/platform/projects/{ref}", "/v1/projects/{ref}", "/platform/organizations/{slug}"
A, D, M, S = (f"/platform/{word}/{{ref}}" for word in ("auth", "database", "pg-meta", "storage"))
B = f"{S}/buckets/photos/objects"
PERIOD = "iso_timestamp_start=2026-11-01T00:00:00Z&iso_timestamp_end=2026-12-01T00:00:00Z"

PAGES: dict[str, list[Row]] = {
    "start": [
        ask("/platform/telemetry/feature-flags/track", {}),
        ask("/platform/telemetry/reset", None),
        ("PATCH", "/platform/notifications", [dict], NOTHING, [], False),
        get("/platform/profile", PROFILE),
        get(
            "/platform/profile/permissions",
            [
                {
                    "organization_id": Or(float, None),
                    "organization_slug": str,
                    "project_ids": Or([float], None),
                    "project_refs": Or([str], None),
                    "actions": [str],
                    "resources": [str],
                    "condition": ANY,
                    "restrictive": Or(bool, None),
                }
            ],
        ),
        get("/platform/organizations", [ORGANIZATION]),
        get("/platform/notifications?status=new&limit=10&offset=0", [dict]),
        get(
            "/platform/notifications/summary",
            {"has_critical": bool, "has_warning": bool, "unread_count": float},
        ),
        ("PATCH", "/platform/notifications/archive-all", dict, NOTHING, None, False),
        get("/platform/telemetry/feature-flags", dict),
        get("/platform/deployment-mode", {"is_cli_mode": bool}),
        ask("/platform/telemetry/event", {}),
        ask("/platform/profile/audit-login", None),
    ],
    "account": [
        change("PATCH", "/platform/profile", {"first_name": "Ada"}, PROFILE),
        change(
            "POST",
            "/platform/profile/access-tokens",
            {"name": "mine"},
            {"id": float, "name": str, "token": str, "token_alias": str, "created_at": str},
        ),
        *refused("DELETE /platform/integrations/github/authorization"),
        get(
            "/platform/profile/access-tokens",
            [
                {
                    "id": float,
                    "name": str,
                    "token_alias": str,
                    "created_at": str,
                    "expires_at": Or(str, None),
                    "last_used_at": Or(str, None),
                }
            ],
        ),
        get("/platform/profile/scoped-access-tokens", {"tokens": [dict]}),
        get(f"/platform/profile/audit?{PERIOD}", {"result": [ANY], "retention_period": float}),
        *refused("POST /platform/profile/scoped-access-tokens", "POST /platform/cli/login"),
    ],
    "projects": [
        get("/platform/projects", Or([LISTED], {"pagination": PAGE, "projects": [LISTED]})),
        get(
            f"{ORG}/projects?limit=24&offset=0&sort=name_asc",
            {
                "pagination": PAGE,
                "projects": [
                    {
                        "ref": str,
                        "name": str,
                        "status": PROJECT_STATUS,
                        "region": str,
                        "cloud_provider": str,
                        "inserted_at": str,
                        "is_branch": bool,
                        "databases": [
                            {
                                "identifier": str,
                                "type": Word("PRIMARY", "READ_REPLICA"),
                                "status": DATABASE_STATUS,
                                "region": str,
                                "cloud_provider": str,
                            }
                        ],
                    }
                ],
            },
        ),
        get("/platform/projects-resource-warnings", [dict]),
        get("/platform/stripe/invoices/overdue", [dict]),
        get("/platform/integrations", [dict]),
        get("/platform/integrations/{slug}?expand=true", [dict]),
    ],
    "new project": [
        change(
            "POST",
            "/platform/projects",
            {"name": "Second", "organization_slug": "{slug}", "db_pass": "violet-harbor-92-sad"},
            LISTED | {"endpoint": str, "anon_key": str, "service_key": str},
        ),
        get(
            "/platform/projects/available-regions?cloud_provider=AWS&organization_slug=x",
            {
                "all": {"smartGroup": [dict], "specific": [{"code": str, "name": str}]},
                "recommendations": {"smartGroup": Or(dict, None), "specific": [dict]},
            },
        ),
        ask(f"{ORG}/available-versions", {"provider": "AWS", "region": "local"}, VERSIONS),
        get(f"{ORG}/members/reached-free-project-limit", [dict]),
    ],
    "organization": [
        change("POST", "/platform/organizations", {"name": "Second"}, ORGANIZATION),
        get(ORG, {key: shape for key, shape in ORGANIZATION.items() if key != "is_owner"}),
        get(f"{ORG}/entitlements", {"entitlements": [ENTITLEMENT]}),
        get(
            f"{ORG}/billing/subscription",
            {
                "plan": {"id": PLAN, "name": str},
                "usage_billing_enabled": bool,
                "billing_via_partner": bool,
                "billing_cycle_anchor": float,
                "current_period_start": float,
                "current_period_end": float,
                "next_invoice_at": float,
                "customer_balance": float,
                "payment_method_type": str,
                "addons": [dict],
                "project_addons": [dict],
                "scheduled_plan_change": Or(dict, None),
            },
        ),
        get(f"{ORG}/audit?{PERIOD}", {"result": [ANY], "retention_period": float}),
        change("PATCH", ORG, {"name": "Acme"}, {"id": float, "name": str, "slug": str}),
        *refused(
            f"GET {ORG}/sso", f"GET {ORG}/apps", f"GET {ORG}/oauth/apps", f"POST {ORG}/oauth/apps"
        ),
    ],
    "team": [
        change("POST", f"{ORG}/members/invitations", {"email": "eve@example.org", "role_id": 3}),
        get(
            f"{ORG}/members",
            [
                {
                    "gotrue_id": str,
                    "primary_email": Or(str, None),
                    "username": str,
                    "role_ids": [float],
                    "mfa_enabled": bool,
                    "is_sso_user": Or(bool, None),
                    "metadata": dict,
                }
            ],
        ),
        get(f"{ORG}/members/invitations", {"invitations": [dict]}),
        get(f"{ORG}/members/mfa/enforcement", {"enforced": bool}),
        get(f"{ORG}/roles", {"org_scoped_roles": [ROLE], "project_scoped_roles": [ROLE]}),
    ],
    "usage": [
        get(f"{ORG}/usage", {"usage_billing_enabled": bool, "usages": [METRIC]}, LOOKS),
        get(f"{ORG}/usage/daily", {"usages": [dict]}),
        get(f"{ORG}/daily-stats?metric=EGRESS&interval=1d", {"usages": [dict]}),
    ],
    "billing": [
        get(f"{ORG}/billing/plans", {"plans": [{"id": PLAN, "name": str, "is_current": bool}]}),
        get(f"{ORG}/billing/invoices?limit=10&offset=0", [dict]),
        head(f"{ORG}/billing/invoices"),
        get(f"{ORG}/billing/invoices/upcoming", {"amount_total": float, "lines": [dict]}),
        get(f"{ORG}/customer", {"email": str, "address": Or(dict, None)}),
        get(f"{ORG}/payments", {"data": [dict], "defaultPaymentMethodId": Or(str, None)}),
        get(f"{ORG}/tax-ids", {"tax_id": Or(dict, None)}),
        *refused(
            f"PUT {ORG}/billing/subscription",
            f"POST {ORG}/billing/subscription/preview",
            f"POST {ORG}/billing/credits/redeem",
            f"GET {ORG}/documents/soc2-type-2-report",
            f"PUT {ORG}/tax-ids",
            f"POST {ORG}/payments/setup-intent",
            f"PUT {ORG}/customer",
        ),
    ],
    "integrations": [
        get("/platform/integrations/github/authorization", Or(dict, None)),
        get("/platform/integrations/github/connections?organization_id=1", {"connections": [dict]}),
        get(
            "/platform/integrations/github/repositories",
            {"repositories": [dict], "partial_response_due_to_sso": bool},
        ),
        *refused(
            "POST /platform/integrations/github/authorization",
            "POST /platform/integrations/github/connections",
            "POST /platform/integrations/vercel",
        ),
    ],
    "project": [
        get(f"{R}/actions?limit=1", [dict]),
        get(P, DETAIL),
        get(f"{P}/status", {"status": PROJECT_STATUS}),
        get(
            f"{R}/health?services=auth,realtime,rest,storage,db",
            [
                {
                    "name": str,
                    "healthy": bool,
                    "status": Word("COMING_UP", "ACTIVE_HEALTHY", "UNHEALTHY"),
                }
            ],
        ),
        get(f"{R}/upgrade/status", {"databaseUpgradeStatus": Or(dict, None)}),
        get(f"{R}/branches", [dict]),
        get(f"{P}/members", {"members": [{"user_id": str, "primary_email": str, "username": str}]}),
        get(f"{P}/run-lints", [{"name": str, "title": str, "cache_key": str}], DATABASE),
        get(f"{P}/notifications/advisor/exceptions", {"exceptions": [dict]}),
        get(f"{P}/analytics/endpoints/usage.api-counts?interval=1hr", RESULT, ANALYTICS),
        get(f"{P}/analytics/endpoints/usage.api-requests-count", RESULT, ANALYTICS),
        *refused(f"POST {R}/branches", f"POST {P}/notifications/advisor/exceptions"),
    ],
    "connect": [
        get(
            f"{P}/databases",
            [
                {
                    "identifier": str,
                    "status": DATABASE_STATUS,
                    "region": str,
                    "cloud_provider": str,
                    "size": str,
                    "inserted_at": str,
                    "db_host": str,
                    "db_name": str,
                    "db_port": float,
                    "db_user": str,
                    "restUrl": str,
                    "connectionString": Or(str, None),
                }
            ],
        ),
        get(f"{P}/databases-statuses", [{"identifier": str, "status": DATABASE_STATUS}]),
        get(f"{P}/load-balancers", [dict]),
        get(
            f"{P}/billing/addons",
            {
                "ref": str,
                "selected_addons": [{"type": str, "variant": VARIANT}],
                "available_addons": [{"type": str, "name": str, "variants": [VARIANT]}],
            },
        ),
    ],
    "general settings": [
        change("DELETE", P, None, {"id": float, "ref": str, "name": str}),
        get(
            f"{P}/settings",
            {
                "ref": str,
                "name": str,
                "status": str,
                "db_dns_name": str,
                "db_host": str,
                "db_name": str,
                "db_port": float,
                "db_user": str,
                "db_ip_addr_config": str,
                "ssl_enforced": bool,
                "app_config": APP,
                "service_api_keys": KEYS,
            },
        ),
        get(
            "/platform/props/project/{ref}/settings",
            {
                "project": {"id": float, "ref": str, "db_host": str},
                "services": [{"app": {"id": float}, "app_config": APP, "service_api_keys": KEYS}],
            },
        ),
        get(
            f"{R}/upgrade/eligibility",
            {
                "eligible": bool,
                "current_app_version": str,
                "latest_app_version": str,
                "duration_estimate_hours": float,
                "target_upgrade_versions": [dict],
                "legacy_auth_custom_roles": [str],
                "objects_to_be_dropped": [str],
                "unsupported_extensions": [str],
                "user_defined_objects_in_internal_schemas": [str],
                "validation_errors": [ANY],
            },
        ),
        get(f"{P}/service-versions", {"supabase-postgres": str}),
        get(f"{P}/restore/versions", VERSIONS),
        get(
            f"{P}/pause/status",
            {
                "can_restore": bool,
                "last_paused_on": Or(str, None),
                "latest_downloadable_backup_id": Or(float, None),
                "max_days_till_restore_disabled": float,
                "remaining_days_till_restore_disabled": Or(float, None),
            },
        ),
        change("PATCH", P, {"name": "Other"}, {"id": float, "ref": str, "name": str}),
        change("POST", f"{P}/restart-services", {"restartRequest": {"services": ["postgrest"]}}),
        change("POST", f"{P}/restart", {}),
        change("POST", f"{P}/pause"),
        change("POST", f"{P}/restore", {}, {"id": float, "status": str, "back_ups": [dict]}),
        change(
            "POST",
            f"{P}/billing/addons",
            {"addon_type": "compute_instance", "addon_variant": "ci_small"},
        ),
        (
            "PATCH",
            f"{P}/settings/sensitivity",
            {"is_sensitive": bool},
            NOTHING,
            {"is_sensitive": False},
            False,
        ),
        ask(
            f"{P}/transfer/preview",
            {"target_organization_slug": "x"},
            {
                "valid": bool,
                "errors": [{"key": str, "message": str}],
                "warnings": [dict],
                "info": [dict],
                "members_exceeding_free_project_limit": [dict],
                "source_subscription_plan": PLAN,
                "target_subscription_plan": Or(PLAN, None),
                "has_access_to_target_organization": bool,
                "has_permissions_on_source_organization": bool,
            },
        ),
        *refused(f"POST {R}/upgrade", f"POST {R}/readonly/temporary-disable"),
    ],
    "API keys": [
        *refused(
            f"PUT {R}/api-keys/legacy?enabled=false",
            f"PATCH {R}/api-keys/{{user}}",
            f"DELETE {R}/api-keys/{{user}}",
        ),
        get(f"{R}/api-keys?reveal=false", [{"name": str, "api_key": Or(str, None), "type": str}]),
        get(f"{R}/api-keys/anon-key?reveal=false", {"name": str, "api_key": Or(str, None)}),
        get(f"{R}/api-keys/legacy", {"enabled": bool}),
        change("POST", f"{P}/api-keys/temporary?authorization_exp=300", None, {"api_key": str}),
        get(
            "/platform/project/{ref}/api",
            {
                "autoApiService": {
                    "app_config": APP,
                    "protocol": str,
                    "endpoint": str,
                    "restUrl": str,
                    "project": {"ref": str},
                    "defaultApiKey": str,
                    "serviceApiKey": Or(str, None),
                    "service_api_keys": KEYS,
                }
            },
        ),
        *refused(f"POST {R}/api-keys"),
    ],
    "auth settings": [
        *refused(
            f"POST {R}/config/auth/signing-keys/legacy",
            f"DELETE {R}/config/auth/third-party-auth/{{user}}",
        ),
        get(f"{A}/config", AUTH),
        change("PATCH", f"{A}/config", {"SITE_URL": "https://app.example.org"}, AUTH),
        change("PATCH", f"{A}/config/hooks", HOOK, AUTH),
        get(f"{R}/config/auth/third-party-auth", [dict]),
        get(
            f"{R}/config/auth/signing-keys",
            {"keys": [{"id": str, "algorithm": str, "status": str, "created_at": str}]},
        ),
        *refused(f"POST {R}/config/auth/signing-keys", f"POST {R}/config/auth/third-party-auth"),
    ],
    "data API settings": [
        get(
            f"{P}/config/postgrest",
            {
                "db_schema": str,
                "db_extra_search_path": str,
                "max_rows": float,
                "db_anon_role": str,
                "role_claim_key": str,
                "jwt_secret?": Or(str, None),
            },
        ),
        change(
            "PATCH",
            f"{P}/config/postgrest",
            {"max_rows": 500},
            {"db_schema": str, "db_extra_search_path": str, "max_rows": float},
        ),
        get(f"{P}/config/secrets/update-status", {"update_status": Or(dict, None)}),
        get(
            "/platform/props/project/{ref}/jwt-secret-update-status",
            {"jwtSecretUpdateStatus": Or(dict, None)},
        ),
        change(
            "PATCH",
            f"{P}/config/secrets",
            {
                "jwt_secret": "plum-kettle-plum-kettle-plum-kettle",
                "change_tracking_id": "7f3a1f2e-0000-4000-8000-000000000002",
            },
            {"message": str},
        ),
    ],
    "database settings": [
        change("PATCH", f"{P}/config/pgbouncer", {"default_pool_size": 5}, {"pool_mode?": str}),
        change("POST", f"{R}/custom-hostname/initialize", {"custom_hostname": "shop.example.net"}),
        ("DELETE", f"{R}/network-bans", ANY, REFUSED, {"ipv4_addresses": ["192.0.2.1"]}, False),
        (
            "PUT",
            f"{R}/ssl-enforcement",
            ANY,
            REFUSED,
            {"requestedConfig": {"database": True}},
            False,
        ),
        get(
            f"{P}/config/pgbouncer",
            {
                "pgbouncer_enabled": bool,
                "pool_mode": Word("transaction", "session", "statement"),
                "connection_string": str,
                "db_host": str,
                "db_port": float,
                "db_name": str,
                "db_user": str,
                "db_dns_name": str,
                "ssl_enforced": bool,
                "inserted_at": str,
            },
        ),
        get(f"{P}/config/pgbouncer/status", {"active": bool}),
        get(
            f"{P}/config/supavisor",
            [
                {
                    "identifier": str,
                    "database_type": Word("PRIMARY", "READ_REPLICA"),
                    "is_using_scram_auth": bool,
                    "connection_string": str,
                    "connectionString": str,
                    "db_host": str,
                    "db_port": float,
                    "db_name": str,
                    "db_user": str,
                    "default_pool_size": Or(float, None),
                    "max_client_conn": Or(float, None),
                    "pool_mode": Word("transaction", "session"),
                }
            ],
        ),
        get(f"{R}/config/database/postgres", dict),
        get(
            f"{R}/ssl-enforcement",
            {"appliedSuccessfully": bool, "currentConfig": {"database": bool}},
        ),
        get(
            f"{R}/network-restrictions",
            {
                "entitlement": Word("allowed", "disallowed"),
                "config": {"dbAllowedCidrs": [str], "dbAllowedCidrsV6": [str]},
                "status": Word("stored", "applied"),
            },
        ),
        ask(f"{R}/network-bans/retrieve", None, {"banned_ipv4_addresses": [str]}),
        get(f"{R}/custom-hostname", ANY, ABSENT),
        change(
            "PATCH", f"{P}/db-password", {"password": "Xk9-vine-harbor-oblique"}, {"message": str}
        ),
        *refused(f"POST {R}/read-replicas/setup", f"POST {R}/read-replicas/remove"),
    ],
    "storage and realtime settings": [
        change("PATCH", f"{P}/config/realtime", {"max_concurrent_users": 50}),
        get(
            f"{P}/config/storage",
            {
                "fileSizeLimit": float,
                "features": {
                    "imageTransformation": {"enabled": bool},
                    "s3Protocol": {"enabled": bool},
                    "icebergCatalog": {"enabled": bool, "maxCatalogs": float},
                    "vectorBuckets": {"enabled": bool, "maxBuckets": float},
                },
                "capabilities": {"list_v2": bool, "iceberg_catalog": bool},
                "external": {"upstreamTarget": Word("main", "canary")},
                "migrationVersion": str,
                "databasePoolMode": str,
            },
        ),
        change("PATCH", f"{P}/config/storage", {"fileSizeLimit": 1_000_000}),
        get(
            f"{P}/config/realtime",
            {
                "private_only": Or(bool, None),
                "connection_pool": Or(float, None),
                "max_concurrent_users": Or(float, None),
                "max_events_per_second": Or(float, None),
                "max_bytes_per_second": Or(float, None),
                "max_channels_per_client": Or(float, None),
                "max_joins_per_second": Or(float, None),
                "max_payload_size_in_kb": Or(float, None),
                "max_presence_events_per_second": Or(float, None),
                "presence_enabled": bool,
                "suspend": Or(bool, None),
            },
        ),
    ],
    "edge functions": [
        get(f"{R}/functions", [FUNCTION]),
        get(f"{R}/functions/none", ANY, ABSENT),
        get(f"{R}/secrets", [{"name": str, "value": str}]),
        change("POST", f"{R}/secrets", [{"name": "GREETING", "value": "plum kettle"}]),
    ],
    "disk and compute": [
        change("POST", f"{P}/resize", {"volume_size_gb": 400}),
        *refused(f"POST {P}/disk/custom-config"),
        get(
            f"{P}/disk/util",
            {
                "timestamp": str,
                "metrics": {
                    "fs_avail_bytes": float,
                    "fs_size_bytes": float,
                    "fs_used_bytes": float,
                },
            },
            DATABASE,
        ),
        get(f"{P}/disk", {"attributes": {"type": str, "size_gb": float, "iops": float}}),
        get(
            f"{P}/disk/custom-config",
            {
                "growth_percent": Or(float, None),
                "max_size_gb": Or(float, None),
                "min_increment_gb": Or(float, None),
            },
        ),
        change("POST", f"{P}/disk", {"attributes": {"type": "gp3", "size_gb": 500, "iops": 0}}),
    ],
    "SQL editor": [
        change("PUT", f"{P}/content", QUERY),
        change("DELETE", f"{P}/content?ids={{content}}", None, [{"id": str}]),
        ask(f"{M}/query?key=x", {"query": "select 1"}, [dict], DATABASE),
        ask(f"{M}/query/format", {"query": "select 1"}, str, DATABASE),
        *refused(f"POST {M}/query/validate"),
        get(f"{P}/content?type=sql", {"data": [CONTENT]}),
        get(f"{P}/content/count?type=sql", {"favorites": float, "private": float, "shared": float}),
        get(f"{P}/content/folders", {"data": {"contents": [CONTENT], "folders": [dict]}}),
        get(f"{P}/content/item/{{content}}", CONTENT | {"content": dict}),
        change("POST", f"{P}/content/folders", {"name": "F"}, {"id": str, "name": str}),
    ],
    "database": [
        get(f"{M}/tables?included_schemas=public", [dict], DATABASE),
        get(f"{M}/types", [dict], DATABASE),
        get(f"{M}/views", [dict], DATABASE),
        get(f"{M}/materialized-views", [dict], DATABASE),
        get(f"{M}/foreign-tables", [dict], DATABASE),
        get(f"{M}/policies", [dict], DATABASE),
        get(f"{M}/triggers", [dict], DATABASE),
        get(f"{M}/publications", [dict], DATABASE),
        get(f"{M}/column-privileges", [dict], DATABASE),
        change("POST", f"{M}/tables", {"name": "t"}, ANY, DATABASE),
        ask(f"{D}/hook-enable", None, dict, DATABASE),
        *refused(
            f"PUT {R}/database/migrations", f"GET {R}/jit-access", f"GET {R}/database/jit/list"
        ),
    ],
    "backups": [
        get(
            f"{D}/backups",
            {
                "backups": [dict],
                "physicalBackupData": dict,
                "pitr_enabled": bool,
                "walg_enabled": bool,
                "region": str,
            },
        ),
        get(
            f"{D}/backups/downloadable-backups",
            {
                "backups": [dict],
                "status": Word("ok", "physical-backups-enabled", "project-not-active"),
            },
        ),
        get(f"{D}/clone/status", {"clones": [dict], "id": float, "ref": str}),
        *refused(
            f"POST {D}/backups/restore",
            f"POST {D}/backups/restore-physical",
            f"POST {D}/backups/pitr",
            f"POST {D}/backups/download",
            f"POST {D}/backups/enable-physical-backups",
            f"GET {D}/clone",
            f"POST {D}/clone",
        ),
    ],
    "users": [
        get(
            f"{A}/users?limit=20&offset=0&keywords=&verified=verified",
            {"users": [dict], "total": float},
            DATABASE,
        ),
        change(
            "POST",
            f"{A}/users",
            {"email": "new@example.org", "password": "plum kettle 9", "email_confirm": True},
            {"id": str},
            GATEWAY,
        ),
        change("PATCH", f"{A}/users/{{user}}", {"ban_duration": "24h"}, {"id": str}, GATEWAY),
        change("DELETE", f"{A}/users/{{user}}/factors", None, dict, GATEWAY),
        change("DELETE", f"{A}/users/{{user}}", None, ANY, GATEWAY),
        change("POST", f"{A}/invite", {"email": "new@example.org"}, dict, GATEWAY),
        change("POST", f"{A}/magiclink", {"email": "new@example.org"}, dict, GATEWAY),
        change("POST", f"{A}/recover", {"email": "new@example.org"}, dict, GATEWAY),
        change("POST", f"{A}/otp", {"phone": "+4912345"}, dict, GATEWAY),
        *refused(f"POST {A}/validate/spam"),
    ],
    "storage": [
        *refused(f"DELETE {S}/credentials/{{user}}"),
        get(f"{S}/buckets", [BUCKET], GATEWAY),
        get(f"{S}/buckets/photos", BUCKET, GATEWAY),
        ask(f"{B}/list", {"path": "", "options": {"limit": 100}}, [{"name": str}], GATEWAY),
        change(
            "POST", f"{B}/sign", {"path": "a.png", "expiresIn": 60}, {"signedUrl": str}, GATEWAY
        ),
        change(
            "POST",
            f"{B}/sign-multi",
            {"path": ["a.png"], "expiresIn": 60},
            [{"path": Or(str, None), "error": Or(str, None), "signedUrl": str}],
            GATEWAY,
        ),
        ask(f"{B}/public-url", {"path": "a.png"}, {"publicUrl": str}),
        ask(f"{B}/download", {"path": "a.png"}, ANY, GATEWAY),
        change("POST", f"{B}/move", {"from": "a.png", "to": "b.png"}, ANY, GATEWAY),
        change("DELETE", B, {"paths": ["a.png"]}, ANY, GATEWAY),
        change("POST", f"{S}/buckets", {"id": "new", "public": False}, ANY, GATEWAY),
        change("PATCH", f"{S}/buckets/photos", {"public": True}, ANY, GATEWAY),
        change("POST", f"{S}/buckets/photos/empty", None, ANY, GATEWAY),
        change("DELETE", f"{S}/buckets/photos", None, ANY, GATEWAY),
        get(f"{S}/credentials", {"data": [{"id": str, "description": str, "created_at": str}]}),
        get(f"{S}/archive", {"archive_empty": bool, "file_url": str, "fileUrl": str}),
        *refused(
            f"POST {S}/credentials",
            f"POST {S}/archive",
            f"GET {S}/vector-buckets",
            f"GET {S}/analytics-buckets",
        ),
    ],
    "API docs": [
        get(f"{P}/api/rest", dict, GATEWAY),
        head(f"{P}/api/rest", GATEWAY),
        change("POST", f"{P}/api/graphql", {"query": "{ __typename }"}, dict, GATEWAY),
        get(f"{R}/types/typescript?included_schemas=public", {"types": str}, DATABASE),
    ],
    "logs and reports": [
        get(f"{P}/analytics/endpoints/functions.req-stats?interval=1hr", RESULT, ANALYTICS),
        get(f"{P}/analytics/endpoints/functions.resource-usage?interval=1hr", RESULT, ANALYTICS),
        *refused(
            f"PUT {P}/analytics/log-drains/{{user}}",
            f"DELETE {P}/analytics/log-drains/{{user}}",
            f"DELETE {P}/notifications/advisor/exceptions",
        ),
        get(f"{P}/analytics/endpoints/logs.all?sql=select+1&project=x", RESULT, ANALYTICS),
        ask(f"{P}/analytics/endpoints/logs.all", {"sql": "select 1"}, RESULT, ANALYTICS),
        get(f"{P}/analytics/endpoints/auth.metrics?interval=1day", RESULT, ANALYTICS),
        get(f"{P}/analytics/endpoints/functions.combined-stats?interval=1hr", RESULT, ANALYTICS),
        get(f"{P}/analytics/log-drains", [dict]),
        get(f"{P}/infra-monitoring?attribute=cpu_usage", FIGURES),
        get(
            f"{P}/infra-monitoring?attributes=cpu_usage,ram_usage",
            {"data": [dict], "series": {"cpu_usage?": dict}},
        ),
        get(f"{P}/daily-stats?attribute=total_requests", FIGURES),
        *refused(f"POST {P}/analytics/log-drains"),
    ],
    "elsewhere": [
        *refused(
            "GET /platform/replication/{ref}/destinations",
            f"GET {P}/privatelink/associations",
            "POST /platform/feedback/send",
            "POST /platform/stripe/setup-intent",
            "GET /platform/cloud-marketplace/buyers/x/onboarding-info",
            "GET /v1/branches/x",
            "GET /v1/organizations/{slug}/project-claim/x",
        ),
        get("/platform/profile/scoped-access-tokens/{user}", ANY, ABSENT),
    ],
}
CALLS = [
    Call(page, method, path, needs, shape, body, changes)
    for page, rows in PAGES.items()
    for method, path, shape, needs, body, changes in rows
]


def table(calls: Iterable[Call]) -> str:
    """The calls by page, in Markdown."""
    by_row: dict[tuple[str, Needs], list[str]] = {}
    for call in calls:
        short = re.sub(r"^/platform", "", call.pattern)
        short = re.sub(r"/(buckets|api-keys)/(photos|anon-key)", r"/\1/{id}", short)
        lines = by_row.setdefault((call.page, call.needs), [])
        lines.append(f"`{call.method} {re.sub(r'{(user|content)}', '{id}', short)}`")
    rows = [
        f"| {page} | {needs.value} | {', '.join(dict.fromkeys(lines))} |"
        for (page, needs), lines in by_row.items()
    ]
    return "\n".join(["| page | takes | calls |", "|---|---|---|", *rows, ""])


def documented(text: str) -> str:
    """The document with today's table in it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table(CALLS)}{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(documented(DOCUMENT.read_text()))
