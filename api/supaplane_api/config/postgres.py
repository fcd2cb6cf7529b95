"""Parameters of PostgreSQL, as many as the Management API knows by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import TheClient, TheServices
from supaplane_api.problems import Invalid
from supaplane_api.projects.change import Wish
from supaplane_api.schema import Body, Sparse
from supaplane_api.services import Services
from supaplane_contract import ProjectSpec, shares

from .edge import READ, WRITTEN, Configurer, Reader, look, wish

v1 = APIRouter(
    prefix="/v1/projects/{ref}/config/database/postgres", tags=["configuration of services"]
)
Amount = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,15}(kB|MB|GB|TB)?$")] | None
Duration = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,12}(us|ms|s|min|h|d)?$")] | None
Workers = Annotated[int, Field(ge=0, le=1024)] | None
Whole = Annotated[int, Field(ge=0, le=2_147_483_640)] | None


class Parameters(Sparse):
    """Parameters that the size or somebody set; the others are PostgreSQL's own, and left out."""

    effective_cache_size: str | None = None
    logical_decoding_work_mem: str | None = None
    maintenance_work_mem: str | None = None
    track_activity_query_size: str | None = None
    max_connections: int | None = None
    max_locks_per_transaction: int | None = None
    max_parallel_maintenance_workers: int | None = None
    max_parallel_workers: int | None = None
    max_parallel_workers_per_gather: int | None = None
    max_replication_slots: int | None = None
    max_slot_wal_keep_size: str | None = None
    max_standby_archive_delay: str | None = None
    max_standby_streaming_delay: str | None = None
    max_wal_size: str | None = None
    max_wal_senders: int | None = None
    max_worker_processes: int | None = None
    session_replication_role: str | None = None
    shared_buffers: str | None = None
    statement_timeout: str | None = None
    track_commit_timestamp: bool | None = None
    wal_keep_size: str | None = None
    wal_sender_timeout: str | None = None
    work_mem: str | None = None
    checkpoint_timeout: str | None = None
    hot_standby_feedback: bool | None = None


class ParametersChange(Body):
    """Parameters to set; null takes one back."""

    effective_cache_size: Amount = None
    logical_decoding_work_mem: Amount = None
    maintenance_work_mem: Amount = None
    track_activity_query_size: Amount = None
    max_connections: Annotated[int, Field(ge=1, le=262_143)] | None = None
    max_locks_per_transaction: Annotated[int, Field(ge=10, le=2_147_483_640)] | None = None
    max_parallel_maintenance_workers: Workers = None
    max_parallel_workers: Workers = None
    max_parallel_workers_per_gather: Workers = None
    max_replication_slots: Whole = None
    max_slot_wal_keep_size: Amount = None
    max_standby_archive_delay: Duration = None
    max_standby_streaming_delay: Duration = None
    max_wal_size: Amount = None
    max_wal_senders: Whole = None
    max_worker_processes: Annotated[int, Field(ge=0, le=262_143)] | None = None
    session_replication_role: Literal["origin", "replica", "local"] | None = None
    shared_buffers: Amount = None
    statement_timeout: Duration = None
    track_commit_timestamp: bool | None = None
    wal_keep_size: Amount = None
    wal_sender_timeout: Duration = None
    work_mem: Amount = None
    checkpoint_timeout: Duration = None
    hot_standby_feedback: bool | None = None
    restart_database: bool | None = None
    """A changed parameter always restarts the database here."""


@v1.get("", openapi_extra=READ, response_model_exclude_none=True)
async def parameters(services: TheServices, access: Reader) -> Parameters:
    """The parameters that the size or somebody set."""
    return told((await look(services, access)).spec)


@v1.put("", openapi_extra=WRITTEN, response_model_exclude_none=True)
async def replace_parameters(
    services: TheServices, client: TheClient, access: Configurer, body: ParametersChange
) -> Parameters:
    """Sets these parameters and takes back the others of this list; the database restarts."""
    return await _change(services, access, client.address, body, whole=True)


@v1.patch("", openapi_extra=WRITTEN, response_model_exclude_none=True)
async def change_parameters(
    services: TheServices, client: TheClient, access: Configurer, body: ParametersChange
) -> Parameters:
    """Sets these parameters; the database restarts."""
    return await _change(services, access, client.address, body, whole=False)


async def _change(
    services: Services,
    access: ProjectAccess,
    address: str | None,
    body: ParametersChange,
    *,
    whole: bool,
) -> Parameters:
    sent = body.model_dump(exclude_unset=True)
    if sent.pop("restart_database", None) is False:
        raise Invalid("restart_database: a changed parameter always restarts the database here")
    if whole:
        sent = dict.fromkeys(Parameters.model_fields) | sent

    def wish_of(spec: ProjectSpec) -> Wish:
        now = told(spec).model_dump()
        changed = {name: value for name, value in sent.items() if value != now[name]}
        return Wish({("database", "parameters", k): _text(v) for k, v in changed.items()})

    await wish(services, access, "database.parameters.change", address, wish_of)
    return told((await look(services, access)).spec)


def told(spec: ProjectSpec) -> Parameters:
    """The parameters as they are told; what cannot be told as its type is left out."""
    found: dict[str, Any] = {}
    for name, text in shares.postgres_parameters(spec).items():
        field = Parameters.model_fields.get(name)
        if field is not None:
            found[name] = _value(text, field.annotation)
    return Parameters(**found)


def _value(text: str, kind: Any) -> Any:
    if kind == int | None:
        return int(text) if text.isascii() and text.isdigit() else None
    if kind == bool | None:
        return {"on": True, "true": True, "off": False, "false": False}.get(text.lower())
    return text


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "on" if value else "off"
    return None if value is None else str(value)
