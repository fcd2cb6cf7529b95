"""Pages that configure a project."""

from __future__ import annotations

from tests.api.shapes import ANY, Or, Word

from .answers import AUTH
from .calls import ABSENT, DATABASE, REFUSED, SERVING, A, P, R, Row, ask, get, refused, same, write

HOOK = {
    "HOOK_CUSTOM_ACCESS_TOKEN_ENABLED": True,
    "HOOK_CUSTOM_ACCESS_TOKEN_URI": "pg-functions://postgres/public/hook",
}

PAGES: dict[str, list[Row]] = {
    "auth settings": [
        *refused(
            f"POST {R}/config/auth/signing-keys/legacy",
            f"DELETE {R}/config/auth/third-party-auth/{{user}}",
        ),
        get(f"{A}/config", AUTH),
        write("PATCH", f"{A}/config", {"SITE_URL": "https://app.example.org"}, AUTH),
        write("PATCH", f"{A}/config/hooks", HOOK, AUTH),
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
        write(
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
        write(
            "PATCH",
            f"{P}/config/secrets",
            {
                "jwt_secret": "plum-kettle-plum-kettle-plum-kettle",
                "change_tracking_id": "7f3a1f2e-0000-4000-8000-000000000002",
            },
            {"message": str},
            SERVING,
        ),
    ],
    "database settings": [
        write("PATCH", f"{P}/config/pgbouncer", {"default_pool_size": 5}, {"pool_mode?": str}),
        write("POST", f"{R}/custom-hostname/initialize", {"custom_hostname": "shop.example.net"}),
        same("DELETE", f"{R}/network-bans", {"ipv4_addresses": ["192.0.2.1"]}, ANY, REFUSED),
        same("PUT", f"{R}/ssl-enforcement", {"requestedConfig": {"database": True}}, ANY, REFUSED),
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
        same("POST", f"{R}/custom-hostname/activate", None, ANY, ABSENT),
        same("POST", f"{R}/custom-hostname/reverify", None, ANY, ABSENT),
        write("DELETE", f"{R}/custom-hostname"),
        write(
            "POST",
            f"{R}/network-restrictions/apply",
            {"dbAllowedCidrs": ["192.0.2.0/24"]},
            {"entitlement": str, "config": dict, "status": str},
        ),
        write(
            "PATCH",
            f"{P}/db-password",
            {"password": "Xk9-vine-harbor-oblique"},
            {"message": str},
            SERVING,
        ),
        *refused(f"POST {R}/read-replicas/setup", f"POST {R}/read-replicas/remove"),
    ],
    "storage and realtime settings": [
        write("PATCH", f"{P}/config/realtime", {"max_concurrent_users": 50}),
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
        write("PATCH", f"{P}/config/storage", {"fileSizeLimit": 1_000_000}),
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
    "disk and compute": [
        write("POST", f"{P}/resize", {"volume_size_gb": 400}),
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
        write("POST", f"{P}/disk", {"attributes": {"type": "gp3", "size_gb": 500, "iops": 0}}),
    ],
}
