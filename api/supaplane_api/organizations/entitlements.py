"""What may an organization use? Everything that this platform can do; there are no paid plans.

Keys, kinds and shapes are those that Studio of 2026 asks for. A key that is missing there counts as
"not allowed", so each is told; one that this platform cannot do is told as not allowed.
"""

from __future__ import annotations

from typing import Final, Literal

from supaplane_api.audit_log.routes import SHOWN_DAYS
from supaplane_api.config.storage import LARGEST_FILE
from supaplane_api.projects.side_secrets import MOST_BYTES
from supaplane_api.schema import Answer
from supaplane_contract import Size


class Feature(Answer):
    """What is asked for."""

    key: str
    type: Literal["boolean", "numeric", "set"]


class Allowed(Answer):
    """Yes or no."""

    enabled: bool


class Amount(Answer):
    """So much of it."""

    enabled: bool
    unlimited: bool
    value: int
    unit: str


class Choice(Answer):
    """One out of these."""

    enabled: bool
    set: tuple[str, ...]


class Entitlement(Answer):
    """One thing that an organization may use, or not."""

    feature: Feature
    hasAccess: bool
    type: Literal["boolean", "numeric", "set"]
    config: Allowed | Amount | Choice


class Entitlements(Answer):
    """All of them."""

    entitlements: tuple[Entitlement, ...]


_YES: Final = (
    "auth.advanced_auth_settings",
    "auth.custom_jwt_template",
    "auth.hooks",
    "auth.leaked_password_protection",
    "auth.mfa_enhanced_security",
    "auth.mfa_phone",
    "auth.mfa_web_authn",
    "auth.password_hibp",
    "auth.performance_settings",
    "auth.saml_2",
    "auth.user_sessions",
    "custom_domain",
    "dedicated_pooler",
    "instances.disk_modifications",
    "project_pausing",
    "project_restore_after_expiry",
    "project_scoped_roles",
    "security.enforce_mfa",
    "storage.image_transformations",
    "storage.max_file_size.configurable",
)
_NO: Final = (
    "assistant.advance_model",
    "auth.platform.sso",
    "backup.restore_to_new_project",
    "branching_persistent",
    "instances.high_availability",
    "instances.orioledb",
    "instances.read_replicas",
    "integrations.github_connections",
    "ipv4",
    "log_drains",
    "observability.dashboard_advanced_metrics",
    "project_cloning",
    "replication.etl",
    "security.private_link",
    "security.questionnaire",
    "security.soc2_report",
    "storage.iceberg_catalog",
    "storage.vector_buckets",
    "vanity_subdomain",
)
_LIMITED: Final = {
    "backup.retention_days": (0, "days"),
    "branching_limit": (0, "branches"),
    "function.max_count": (64, "functions"),
    "function.size_limit_mb": (MOST_BYTES // 1_000_000, "MB"),
    "security.audit_logs_days": (SHOWN_DAYS, "days"),
    "storage.max_file_size": (LARGEST_FILE, "bytes"),
}
"""What is refused beyond these; 0: not to be had at all."""
_UNLIMITED: Final = {
    "log.retention_days": "days",
    "realtime.max_bytes_per_second": "bytes",
    "realtime.max_channels_per_client": "channels",
    "realtime.max_concurrent_users": "users",
    "realtime.max_events_per_second": "events",
    "realtime.max_joins_per_second": "joins",
    "realtime.max_payload_size_in_kb": "KB",
    "realtime.max_presence_events_per_second": "events",
}
_SETS: Final = {
    "instances.compute_update_available_sizes": tuple(
        f"ci_{size.value}" for size in Size if size is not Size.DEV
    ),
    "pitr.available_variants": (),
    "security.member_roles": ("Owner", "Administrator", "Developer", "Read-only"),
}


def entitlements() -> Entitlements:
    """All keys, in their order."""
    whole = [_boolean(key, enabled=True) for key in _YES]
    whole += [_boolean(key, enabled=False) for key in _NO]
    whole += [_numeric(key, unit, None) for key, unit in _UNLIMITED.items()]
    whole += [_numeric(key, unit, most) for key, (most, unit) in _LIMITED.items()]
    whole += [_set(key, values) for key, values in _SETS.items()]
    return Entitlements(entitlements=tuple(sorted(whole, key=lambda one: one.feature.key)))


def _boolean(key: str, *, enabled: bool) -> Entitlement:
    feature = Feature(key=key, type="boolean")
    return Entitlement(
        feature=feature, hasAccess=enabled, type="boolean", config=Allowed(enabled=enabled)
    )


def _numeric(key: str, unit: str, most: int | None) -> Entitlement:
    """None: as much as is wanted."""
    there = most is None or most > 0
    amount = Amount(enabled=there, unlimited=most is None, value=most or 0, unit=unit)
    feature = Feature(key=key, type="numeric")
    return Entitlement(feature=feature, hasAccess=there, type="numeric", config=amount)


def _set(key: str, values: tuple[str, ...]) -> Entitlement:
    there = bool(values)
    feature = Feature(key=key, type="set")
    return Entitlement(
        feature=feature, hasAccess=there, type="set", config=Choice(enabled=there, set=values)
    )
