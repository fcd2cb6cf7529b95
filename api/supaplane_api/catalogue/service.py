"""What is a project made of, told from the size table and from what the operator saw? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from supaplane_api.problems import Invalid
from supaplane_api.projects import keys, listing
from supaplane_api.projects.views import CLOUD_PROVIDER, View, Views
from supaplane_api.settings import Settings
from supaplane_contract import SIZES, ComponentName, Phase, Size, quantities
from supaplane_contract.status import ComponentPhase

from .schemas import (
    Addons,
    AuthInfo,
    AvailableAddon,
    Card,
    CardDatabase,
    CardPage,
    Compute,
    DatabaseEntry,
    Health,
    RestInfo,
    SelectedAddon,
    Variant,
)

SERVICES = {
    "auth": ComponentName.AUTH,
    "db": ComponentName.DB,
    "db_postgres_user": ComponentName.DB,
    "pg_bouncer": ComponentName.POOLER,
    "pooler": ComponentName.POOLER,
    "realtime": ComponentName.REALTIME,
    "rest": ComponentName.REST,
    "storage": ComponentName.STORAGE,
}
"""Names of services in the health answer, and the component that is each."""
EVERY_DATABASE_STATUS = frozenset(
    {"ACTIVE_HEALTHY", "ACTIVE_UNHEALTHY", "COMING_UP", "GOING_DOWN", "INIT_FAILED"}
    | {"RESTORING", "RESTARTING", "RESIZING"}
)
_OFFERED = tuple(size for size in Size if size is not Size.DEV)


def database_status(view: View) -> str:
    """The project's phase in the fewer words that Studio has for databases."""
    return view.status if view.status in EVERY_DATABASE_STATUS else "UNKNOWN"


def addons(view: View) -> Addons:
    """The size and the sizes; a size unknown to this version is not among the choices."""
    variants = [_variant(size) for size in _OFFERED]
    chosen = [v for v in variants if v.identifier == f"ci_{view.size}"]
    return Addons(
        ref=view.row.ref,
        selected_addons=[SelectedAddon(variant=variant) for variant in chosen],
        available_addons=[AvailableAddon(name="Compute size", variants=variants)],
    )


def _variant(size: Size) -> Variant:
    profile = SIZES[size]
    memory = quantities.parse(profile.components[ComponentName.DB].limits.memory)
    return Variant(
        identifier=f"ci_{size.value}",
        name=size.value,
        meta=Compute(
            cpu_cores=profile.cores,
            memory_gb=float(memory / 2**30),
            connections_direct=profile.max_connections,
            connections_pooler=profile.pooler_clients,
        ),
    )


def database(view: View, settings: Settings) -> DatabaseEntry:
    """The project's one database."""
    host, port = keys.database_address(view, settings)
    return DatabaseEntry(
        identifier=view.row.ref,
        status=database_status(view),
        region=view.region,
        cloud_provider=CLOUD_PROVIDER,
        size=view.size,
        inserted_at=view.row.created_at.isoformat(),
        db_host=host,
        db_port=port,
        restUrl=f"{keys.api_url(view, settings)}/rest/v1/",
    )


def wanted_services(given: Iterable[str]) -> list[str]:
    """Names out of `a,b` or `a` and `b`. Raises Invalid for one that is not known."""
    found = [name.strip() for text in given for name in text.split(",") if name.strip()]
    for name in found:
        if name not in SERVICES:
            raise Invalid(f"services: known are {', '.join(sorted(SERVICES))}")
    return list(dict.fromkeys(found)) or ["auth", "db", "realtime", "rest", "storage"]


def health(view: View, name: str) -> Health:
    """How a service is, as the operator sees its pods."""
    component = view.seen.component(SERVICES[name].value) if view.seen else None
    if component is None:
        spoken = view.seen is not None and view.seen.phase is not None
        status: Literal["UNHEALTHY", "COMING_UP"] = "UNHEALTHY" if spoken else "COMING_UP"
        return Health(
            name=name,
            status=status,
            healthy=False,
            info=RestInfo(db_schema="") if name == "rest" and spoken else None,
            error=f"This project does not run {SERVICES[name].value}" if spoken else None,
        )
    if component.phase == ComponentPhase.READY:
        info = _info(view, name, component.version)
        return Health(name=name, status="ACTIVE_HEALTHY", healthy=True, info=info)
    if component.phase in (ComponentPhase.PENDING, ComponentPhase.STARTING):
        return Health(name=name, status="COMING_UP", healthy=False, error=component.message)
    message = component.message or f"It is {component.phase or 'in a state that is not known'}"
    return Health(name=name, status="UNHEALTHY", healthy=False, error=message)


def _info(view: View, name: str, version: str | None) -> AuthInfo | RestInfo | None:
    if name == "auth":
        return AuthInfo(version=version or "")
    return RestInfo(db_schema=keys.schemas_of(view)) if name == "rest" else None


def cards(
    found: Views, *, limit: int, offset: int, sort: listing.Sort, search: str, statuses: str
) -> CardPage:
    """The part of an organization's list between `offset` and `offset + limit`."""
    wanted = {status for status in statuses.split(",") if status}
    unknown = wanted - {phase.value for phase in Phase} - {"UNKNOWN", "REMOVED"}
    if unknown:
        raise Invalid("statuses: name statuses of projects, separated by commas")
    pagination, cut = listing.page(
        found, limit=limit, offset=offset, sort=sort, search=search, statuses=wanted
    )
    return CardPage(pagination=pagination, projects=[_card(view) for view in cut])


def _card(view: View) -> Card:
    place = {"region": view.region, "cloud_provider": CLOUD_PROVIDER}
    return Card(
        ref=view.row.ref,
        name=view.name,
        status=view.status,
        inserted_at=view.row.created_at.isoformat(),
        databases=[
            CardDatabase(
                identifier=view.row.ref,
                status=database_status(view),
                infra_compute_size=view.size,
                disk_volume_size_gb=view.volume_gigabytes,
                **place,
            )
        ],
        **place,
    )
