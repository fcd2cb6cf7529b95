"""Pages of a project: its state, its lifecycle and its keys."""

from __future__ import annotations

from tests.api.shapes import ANY, Or, Word

from .answers import (
    APP,
    DATABASE_STATUS,
    DETAIL,
    KEYS,
    PLAN,
    PROJECT_STATUS,
    RESULT,
    VARIANT,
    VERSIONS,
)
from .calls import (
    ANALYTICS,
    DATABASE,
    RUNNING,
    P,
    R,
    Row,
    ask,
    change,
    get,
    refused,
    same,
    write,
)

PAGES: dict[str, list[Row]] = {
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
        *refused(
            f"POST {R}/branches",
            f"POST {P}/notifications/advisor/exceptions",
            f"GET {R}/actions/x",
            f"GET {R}/actions/x/logs",
        ),
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
        write("PATCH", P, {"name": "Other"}, {"id": float, "ref": str, "name": str}),
        write(
            "POST",
            f"{P}/restart-services",
            {"restartRequest": {"services": ["postgrest"]}},
            ANY,
            RUNNING,
        ),
        write("POST", f"{P}/restart", {}, ANY, RUNNING),
        write("POST", f"{P}/pause"),
        write("POST", f"{P}/restore", {}, {"id": float, "status": str, "back_ups": [dict]}),
        write("DELETE", f"{P}/billing/addons/ci_micro"),
        write(
            "POST",
            f"{P}/billing/addons",
            {"addon_type": "compute_instance", "addon_variant": "ci_small"},
        ),
        same(
            "PATCH",
            f"{P}/settings/sensitivity",
            {"is_sensitive": False},
            {"is_sensitive": bool},
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
        write("POST", f"{P}/transfer", {"target_organization_slug": "{taker}"}),
        change("DELETE", P, None, {"id": float, "ref": str, "name": str}),
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
}
