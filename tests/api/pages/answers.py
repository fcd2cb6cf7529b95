"""Shapes that more than one page reads."""

from __future__ import annotations

from pathlib import Path

import yaml
from tests.api.shapes import Or, Word

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
ROLE = {"id": float, "name": str, "description": Or(str, None), "base_role_id": float}
_TYPES = {
    "switch": bool,
    "switch or null": Or(bool, None),
    "number": float,
    "number or null": Or(float, None),
    "text": str,
    "text or null": Or(str, None),
}
_AUTH = yaml.safe_load((Path(__file__).parents[1] / "auth_config.yaml").read_text())
AUTH = {key: _TYPES[type] for key, type in _AUTH.items()}
"""The configuration of auth, every key."""
