"""Changes in the life of a project over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import CLUSTER, DATABASE, SNAPSHOT, Invalid
from supaplane_api.projects.views import CLOUD_PROVIDER
from supaplane_contract import DesiredState, Phase, Size

from . import service
from .schemas import (
    AddonWish,
    ChangeDisk,
    Deleted,
    Done,
    PauseStatus,
    Resize,
    Restart,
    RestartServices,
    Restore,
    Restored,
    Transfer,
    TransferPreview,
)

router = APIRouter(prefix="/projects/{ref}", tags=["project lifecycle"])
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Runner = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_RUN))]
Deleter = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_DELETE))]
Giver = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_TRANSFER))]
WISHED = may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True)
PARTLY = may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True, not_offered=True)
WRITTEN = Done(message="The change is under way: see the project's status")
PAUSED = frozenset({Phase.INACTIVE, Phase.PAUSE_FAILED, Phase.RESTORE_FAILED})


@router.post("/pause", status_code=201, openapi_extra=WISHED)
async def pause(services: TheServices, client: TheClient, access: Runner) -> Done:
    """Stops all pods; the data is kept."""
    shown(services, access)
    await service.run(services, access, DesiredState.PAUSED, client.address)
    return WRITTEN


@router.get("/pause/status", openapi_extra=may_answer(DATABASE, SNAPSHOT))
async def pause_status(services: TheServices, access: Reader) -> PauseStatus:
    """Whether a paused project can be brought back."""
    view = shown(services, access)
    paused = view.status in PAUSED
    since = view.seen.phase_since if view.seen and view.status == Phase.INACTIVE else None
    return PauseStatus(can_restore=paused, last_paused_on=since)


@router.post("/restore", openapi_extra=WISHED)
async def restore(
    services: TheServices, client: TheClient, access: Runner, body: Restore | None = None
) -> Restored:
    """Brings a paused project back, with the version that it had."""
    view = shown(services, access)
    wish = body or Restore()
    if wish.postgres_engine not in (None, "", view.database_version):
        raise Invalid(f"postgres_engine: the project has PostgreSQL {view.database_version}")
    if wish.release_channel not in (None, "", "ga"):
        raise Invalid("release_channel: only ga is offered")
    await service.run(services, access, DesiredState.RUNNING, client.address)
    coming = view.status in {*PAUSED, Phase.PAUSING}
    return Restored(
        id=view.row.id,
        ref=view.row.ref,
        status=Phase.RESTORING.value if coming else view.status,
        region=view.region,
        cloud_provider=CLOUD_PROVIDER,
        organization_id=view.row.organization_id,
    )


@router.post("/restart", status_code=201, openapi_extra=WISHED)
async def restart(
    services: TheServices, client: TheClient, access: Runner, body: Restart | None = None
) -> Done:
    """Restarts everything, the database last."""
    service.own_database(access, body.database_identifier if body else None)
    await service.restart(services, access, shown(services, access), (), client.address)
    return WRITTEN


@router.post("/restart-services", status_code=201, openapi_extra=PARTLY)
async def restart_services(
    services: TheServices, client: TheClient, access: Runner, body: RestartServices
) -> Done:
    """Restarts some services."""
    wish = body.restartRequest
    service.own_database(access, wish.database_identifier)
    await service.restart(services, access, shown(services, access), wish.services, client.address)
    return WRITTEN


@router.post("/billing/addons", status_code=201, openapi_extra=PARTLY)
async def choose_addon(
    services: TheServices, client: TheClient, access: Runner, body: AddonWish
) -> Done:
    """Another compute size; other add-ons are not offered."""
    shown(services, access)
    await service.resize_compute(
        services, access, body.addon_type, body.addon_variant, client.address
    )
    return WRITTEN


@router.delete("/billing/addons/{addon_variant}", openapi_extra=PARTLY)
async def drop_addon(
    services: TheServices, client: TheClient, access: Runner, addon_variant: str
) -> Done:
    """Back to the smallest size, from the size that the project has."""
    size = shown(services, access).size
    if addon_variant != f"{service.COMPUTE}{size}":
        raise Invalid(f"addon_variant: the project has {service.COMPUTE}{size}")
    smallest = f"{service.COMPUTE}{Size.NANO.value}"
    await service.resize_compute(services, access, "compute_instance", smallest, client.address)
    return WRITTEN


@router.post("/resize", status_code=201, openapi_extra=WISHED)
async def resize(services: TheServices, client: TheClient, access: Runner, body: Resize) -> Done:
    """A larger volume for the database, as Studio of 2024 and 2025 asks for it."""
    view = shown(services, access)
    await service.grow_disk(services, access, view, body.volume_size_gb, client.address)
    return WRITTEN


@router.post("/disk", status_code=201, openapi_extra=PARTLY)
async def change_disk(
    services: TheServices, client: TheClient, access: Runner, body: ChangeDisk
) -> Done:
    """A larger volume for the database."""
    view = shown(services, access)
    service.only_larger(body.attributes)
    await service.grow_disk(services, access, view, body.attributes.size_gb, client.address)
    return WRITTEN


@router.post("/transfer/preview", status_code=201, openapi_extra=may_answer(DATABASE, SNAPSHOT))
async def transfer_preview(services: TheServices, access: Giver, body: Transfer) -> TransferPreview:
    """Whether a transfer would succeed. Changes nothing."""
    shown(services, access)
    return service.preview(access, body.target_organization_slug)


@router.post("/transfer", status_code=201, openapi_extra=WISHED)
async def transfer(services: TheServices, client: TheClient, access: Giver, body: Transfer) -> Done:
    """Gives the project to another organization of the caller's."""
    shown(services, access)
    await service.transfer(services, access, body.target_organization_slug, client.address)
    return Done(message="The project belongs to that organization now")


@router.delete("", openapi_extra=WISHED)
async def delete(services: TheServices, client: TheClient, access: Deleter) -> Deleted:
    """Deletes the project. Its deletion policy says what becomes of the data: kept by default."""
    view = shown(services, access)
    await service.delete(services, access, client.address)
    return Deleted(id=view.row.id, ref=view.row.ref, name=view.name)
