"""What does a body of `POST /platform/projects` ask for, and can it be had? Pure.

Every field that we know is either carried out or refused: nothing is promised by silence. Fields
that a newer Studio adds are unknown here, ignored and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from supaplane_api.problems import Invalid
from supaplane_api.settings import Settings
from supaplane_contract import ComponentName, ProjectSpec, Size

from .schemas import CreateProject
from .views import DEFAULT_VERSION

LEAST_STRENGTH = 3
PROVIDERS = frozenset({"AWS", "AWS_K8S", "AWS_NIMBUS", "FLY", "K8S"})


@dataclass(frozen=True)
class _Refusal:
    """A field, when it asks for what cannot be done, and what to do instead."""

    field: str
    asks: Callable[[Any], bool]
    why: str


_REFUSALS = (
    _Refusal("high_availability", bool, "is not offered; the database runs once per project"),
    _Refusal("kps_enabled", bool, "is not offered; leave it out"),
    _Refusal("data_api_use_api_schema", bool, "is not offered; name data_api_exposed_schemas"),
    _Refusal(
        "template_url", bool, "is not offered; run the template's SQL after the project is up"
    ),
    _Refusal("db_sql", bool, "is not offered; run the SQL after the project is up"),
    _Refusal("db_pricing_tier_id", lambda v: v != "tier_free", "there are no paid plans here"),
    _Refusal("plan", lambda v: v != "free", "there are no paid plans here"),
    _Refusal("release_channel", lambda v: v != "ga", "only ga is offered"),
    _Refusal(
        "postgres_engine",
        lambda v: v != DEFAULT_VERSION,
        f"only {DEFAULT_VERSION} is offered; OrioleDB and older versions are not",
    ),
    _Refusal(
        "cloud_provider",
        lambda v: v.upper() not in PROVIDERS,
        f"send one of {', '.join(sorted(PROVIDERS))}, or leave it out",
    ),
)


def refuse_the_impossible(wish: CreateProject) -> None:
    """Raises Invalid for a known field that asks for what cannot be done."""
    for refusal in _REFUSALS:
        value = getattr(wish, refusal.field)
        if value is not None and value != "" and refusal.asks(value):
            raise Invalid(f"{refusal.field}: {refusal.why}")
    version = _old_version(wish.custom_supabase_internal_requests)
    if version is not None and version.split(".")[0] != DEFAULT_VERSION:
        raise Invalid(
            f"custom_supabase_internal_requests: only PostgreSQL {DEFAULT_VERSION} is offered"
        )


def spec_of(wish: CreateProject, *, ref: str, organization: str, settings: Settings) -> ProjectSpec:
    """The spec to send. Raises Invalid for what the contract refuses."""
    fields: dict[str, Any] = {
        "ref": ref,
        "display_name": wish.name,
        "organization": organization,
        "region": _region(wish),
        "size": _size(wish.desired_instance_size),
        **_platform_defaults(settings),
    }
    if wish.auth_site_url:
        fields["auth"] = {"site_url": wish.auth_site_url}
    if wish.data_api_exposed_schemas is not None:
        schemas = wish.data_api_exposed_schemas
        fields["rest"] = {"schemas": schemas} if schemas else {"enabled": False}
    try:
        return ProjectSpec.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise Invalid(
            f"{_SENT_AS.get(str(first['loc'][0]), first['loc'][0])}: {first['msg']}"
        ) from None


_SENT_AS = {
    "auth": "auth_site_url",
    "rest": "data_api_exposed_schemas",
    "size": "desired_instance_size",
    "display_name": "name",
}


def _platform_defaults(settings: Settings) -> dict[str, Any]:
    database: dict[str, Any] = {}
    if settings.postgres_disk_size:
        database["storage"] = {"size": settings.postgres_disk_size}
    if settings.postgres_default_version:
        database["version"] = settings.postgres_default_version
    fields: dict[str, Any] = {"database": database} if database else {}
    if settings.postgres_docker_image:
        fields["images"] = {ComponentName.DB: settings.postgres_docker_image}
    return fields


def _size(wanted: str | None) -> Size:
    if not wanted:
        return Size.NANO
    try:
        return Size(wanted)
    except ValueError:
        offered = ", ".join(size.value for size in Size)
        raise Invalid(f"desired_instance_size: offered are {offered}") from None


def _region(wish: CreateProject) -> str:
    selected = wish.region_selection.code if wish.region_selection else None
    return wish.db_region or wish.region or selected or "local"


def _old_version(requests: Mapping[str, Any] | None) -> str | None:
    """`ami.search_tags["tag:postgresVersion"]`, which Studio v1.24 sends."""
    value: Any = requests
    for key in ("ami", "search_tags", "tag:postgresVersion"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value else None
