"""The configuration of Realtime: how much of it clients may use, and whether it runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from supaplane_api.deps import TheClient, TheServices
from supaplane_api.projects.change import Wish
from supaplane_api.projects.fields import Path
from supaplane_api.schema import Answer, Body
from supaplane_contract import ProjectSpec

from .edge import READ, WRITTEN, Configurer, Reader, look, refuse_others, wish

router = APIRouter(prefix="/projects/{ref}/config/realtime", tags=["configuration of services"])
v1 = APIRouter(prefix="/v1/projects/{ref}/config/realtime", tags=["configuration of services"])
Limit = Annotated[int, Field(ge=1, le=1_000_000)] | None
CARRIED = {
    "max_concurrent_users": "maxConcurrentUsers",
    "max_events_per_second": "maxEventsPerSecond",
    "suspend": "enabled",
}
"""Names here, and in `spec.realtime`."""


class Realtime(Answer):
    """The configuration of Realtime; null: as the release has it."""

    private_only: bool | None = None
    connection_pool: int | None = None
    max_concurrent_users: int | None
    max_events_per_second: int | None
    max_bytes_per_second: int | None = None
    max_channels_per_client: int | None = None
    max_joins_per_second: int | None = None
    max_presence_events_per_second: int | None = None
    max_payload_size_in_kb: int | None = None
    presence_enabled: bool = True
    suspend: bool


class RealtimeChange(Body):
    """A change of Realtime."""

    private_only: bool | None = None
    connection_pool: Limit = None
    max_concurrent_users: Limit = None
    max_events_per_second: Limit = None
    max_bytes_per_second: Limit = None
    max_channels_per_client: Limit = None
    max_joins_per_second: Limit = None
    max_presence_events_per_second: Limit = None
    max_payload_size_in_kb: Limit = None
    presence_enabled: bool | None = None
    suspend: bool | None = None


@router.get("", openapi_extra=READ)
@v1.get("", openapi_extra=READ)
async def config(services: TheServices, access: Reader) -> Realtime:
    """How Realtime is set up."""
    return told((await look(services, access)).spec)


@router.patch("", status_code=204, openapi_extra=WRITTEN)
@v1.patch("", status_code=204, openapi_extra=WRITTEN)
async def change_config(
    services: TheServices, client: TheClient, access: Configurer, body: RealtimeChange
) -> None:
    """Changes Realtime: clients at once, events per second, and whether it runs."""
    sent = body.model_dump(exclude_unset=True)
    current = told((await look(services, access)).spec).model_dump()
    refuse_others(sent, current, CARRIED)
    if sent.get("suspend") == current["suspend"]:
        sent.pop("suspend")
    address = client.address
    await wish(services, access, "realtime.config.change", address, lambda _: Wish(fields(sent)))


def told(spec: ProjectSpec) -> Realtime:
    """The configuration as it is told."""
    realtime = spec.realtime
    return Realtime(
        max_concurrent_users=realtime.max_concurrent_users,
        max_events_per_second=realtime.max_events_per_second,
        suspend=realtime.enabled is False,
    )


def fields(sent: dict[str, Any]) -> dict[Path, Any]:
    """What was sent, as fields of the spec; null: as if never set."""
    given = {CARRIED[key]: value for key, value in sent.items() if key in CARRIED}
    if "enabled" in given:
        given["enabled"] = False if given["enabled"] else None
    return {("realtime", name): value for name, value in given.items()}
