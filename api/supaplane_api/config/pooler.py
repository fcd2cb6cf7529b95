"""The configuration of the connection pooler, which older clients call PgBouncer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import TheClient, TheServices
from supaplane_api.inside.ask import shown
from supaplane_api.projects.change import Wish
from supaplane_api.projects.fields import Path
from supaplane_api.projects.keys import database_address
from supaplane_api.schema import Answer, Body, Sparse
from supaplane_api.services import Services
from supaplane_api.settings import Settings
from supaplane_api.text import Word
from supaplane_contract import ComponentName, ProjectSpec, names

from .edge import READ, SHOWN, WRITTEN, Configurer, Project, Reader, look, refuse_others, wish

router = APIRouter(prefix="/projects/{ref}/config", tags=["configuration of services"])
v1 = APIRouter(prefix="/v1/projects/{ref}/config/database", tags=["configuration of services"])
PORT = 6543
"""Where it gives connections back after each transaction; the other port is for sessions."""
Count = Annotated[int, Field(ge=1, le=100_000)]
CARRIED = {
    "pool_mode": "poolMode",
    "default_pool_size": "defaultPoolSize",
    "max_client_conn": "maxClientConnections",
}
"""Names here, and in `spec.pooler`."""


class Bouncer(Sparse):
    """The pooler, as the database settings show it; absent sizes are the size's."""

    pgbouncer_enabled: bool
    pool_mode: Literal["transaction", "session"]
    default_pool_size: int | None = None
    max_client_conn: int | None = None
    ignore_startup_parameters: str = ""
    connection_string: str
    db_host: str
    db_port: int
    db_name: str = "postgres"
    db_user: str
    db_dns_name: str
    ssl_enforced: bool = False
    inserted_at: str


class BouncerChange(Body):
    """A change of the pooler."""

    pool_mode: Literal["transaction", "session"] | None = None
    default_pool_size: Count | None = None
    max_client_conn: Count | None = None
    pgbouncer_enabled: bool | None = None
    ignore_startup_parameters: Word | None = None
    query_wait_timeout: int | None = None
    reserve_pool_size: int | None = None
    server_idle_timeout: int | None = None
    server_lifetime: int | None = None


class BouncerChanged(Sparse):
    """The pooler after a change."""

    pgbouncer_enabled: bool
    pgbouncer_status: Literal["ENABLED", "DISABLED", "RELOADING"]
    pool_mode: Literal["transaction", "session"]
    default_pool_size: int | None = None
    max_client_conn: int | None = None
    ignore_startup_parameters: str = ""


class BouncerStatus(Answer):
    """Whether the pooler runs."""

    active: bool


class Supavisor(Answer):
    """One way to the database through the pooler."""

    identifier: str
    database_type: Literal["PRIMARY"] = "PRIMARY"
    is_using_scram_auth: bool = True
    db_user: str
    db_host: str
    db_port: int
    db_name: str = "postgres"
    connection_string: str
    connectionString: str
    default_pool_size: int | None
    max_client_conn: int | None
    pool_mode: Literal["transaction", "session"]


class PoolerChange(Body):
    """A change of the pooler."""

    pool_mode: Literal["transaction", "session"] | None = None
    default_pool_size: Count | None = None


class PoolerChanged(Answer):
    """The pooler after a change."""

    pool_mode: str
    default_pool_size: int | None


@router.get("/pgbouncer", openapi_extra=READ, response_model_exclude_none=True)
@v1.get("/pgbouncer", openapi_extra=READ, response_model_exclude_none=True)
async def bouncer(services: TheServices, access: Reader) -> Bouncer:
    """The pooler."""
    return _bouncer(await look(services, access), services.settings)


@router.patch("/pgbouncer", openapi_extra=WRITTEN, response_model_exclude_none=True)
async def change_bouncer(
    services: TheServices, client: TheClient, access: Configurer, body: BouncerChange
) -> BouncerChanged:
    """Changes the pooler: mode, connections of each user, clients."""
    await _change(services, access, client.address, body)
    project = await look(services, access)
    on = _enabled(project)
    state: Literal["ENABLED", "RELOADING"] = "ENABLED" if project.settled else "RELOADING"
    return BouncerChanged(
        pgbouncer_enabled=on, pgbouncer_status=state if on else "DISABLED", **_sizes(project.spec)
    )


@router.get("/pgbouncer/status", openapi_extra=SHOWN)
async def bouncer_status(services: TheServices, access: Reader) -> BouncerStatus:
    """Whether the pooler is there to be asked."""
    seen = shown(services, access).seen
    part = seen.component(ComponentName.POOLER.value) if seen else None
    return BouncerStatus(active=part is not None and part.phase == "Ready")


@router.get("/supavisor", openapi_extra=READ)
@v1.get("/pooler", openapi_extra=READ)
async def supavisor(services: TheServices, access: Reader) -> list[Supavisor]:
    """The ways to the database through the pooler; none where the project has no pooler."""
    return _ways(await look(services, access), services.settings)


@v1.patch("/pooler", openapi_extra=WRITTEN)
async def change_supavisor_v1(
    services: TheServices, client: TheClient, access: Configurer, body: PoolerChange
) -> PoolerChanged:
    """Changes the pooler: mode, and connections of each user."""
    await _change(services, access, client.address, body)
    sizes = _sizes((await look(services, access)).spec)
    return PoolerChanged(**{name: sizes[name] for name in PoolerChanged.model_fields})


async def _change(
    services: Services, access: ProjectAccess, address: str | None, body: Body
) -> None:
    sent = body.model_dump(exclude_unset=True)
    told = _bouncer(await look(services, access), services.settings).model_dump()
    refuse_others(sent, told, CARRIED)
    fields: dict[Path, Any] = {("pooler", CARRIED[k]): sent[k] for k in CARRIED if k in sent}
    await wish(services, access, "pooler.config.change", address, lambda _: Wish(fields))


def _enabled(project: Project) -> bool:
    """Whether the project has a pooler: what the operator runs, else what the spec says."""
    seen = project.view.seen
    if seen is not None and seen.parts:
        return ComponentName.POOLER.value in seen.components
    return project.spec.pooler.enabled is not False


def _sizes(spec: ProjectSpec) -> dict[str, Any]:
    pooler = spec.pooler
    return {
        "pool_mode": pooler.pool_mode.value,
        "default_pool_size": pooler.default_pool_size,
        "max_client_conn": pooler.max_client_connections,
    }


def _address(project: Project, settings: Settings) -> tuple[str, int]:
    """Host and port of the pooler: as the operator says, or the name reserved for it."""
    endpoints = project.status.endpoints
    host, _, port = ((endpoints and endpoints.pooler) or "").rpartition(":")
    if host and port.isascii() and port.isdigit():
        return host, int(port)
    return names.pooler_host(project.view.row.ref, settings.domain_base), PORT


def _string(user: str, host: str, port: int) -> str:
    return f"postgresql://{user}:[YOUR-PASSWORD]@{host}:{port}/postgres"


def _bouncer(project: Project, settings: Settings) -> Bouncer:
    row = project.view.row
    host, port = _address(project, settings)
    user = f"postgres.{row.ref}"
    return Bouncer(
        pgbouncer_enabled=_enabled(project),
        connection_string=_string(user, host, port),
        db_host=host,
        db_port=port,
        db_user=user,
        db_dns_name=database_address(project.view, settings)[0],
        inserted_at=row.created_at.isoformat(),
        **_sizes(project.spec),
    )


def _ways(project: Project, settings: Settings) -> list[Supavisor]:
    if not _enabled(project):
        return []
    host, port = _address(project, settings)
    user = f"postgres.{project.view.row.ref}"
    text = _string(user, host, port)
    return [
        Supavisor(
            identifier=project.view.row.ref,
            db_user=user,
            db_host=host,
            db_port=port,
            connection_string=text,
            connectionString=text,
            **_sizes(project.spec),
        )
    ]
