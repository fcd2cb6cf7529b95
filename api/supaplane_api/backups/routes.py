"""Which backups are there, and can one be brought back? None are made, so none can."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.pgmeta import questions
from supaplane_api.problems import (
    CLUSTER,
    CREDENTIALS,
    DATABASE,
    SERVICE,
    SNAPSHOT,
    NotOffered,
)
from supaplane_api.schema import Answer, Empty
from supaplane_contract import Phase

router = APIRouter(prefix="/database/{ref}", tags=["backups"])
"""Served at the root and below /platform."""
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Changer = Annotated[ProjectAccess, Depends(OnProject(Right.SCHEMA_CHANGE))]
SHOWN = may_answer(DATABASE, SNAPSHOT)
_HOOKS = "select to_regclass('supabase_functions.hooks') is not null as enabled"


class Backup(Answer):
    """A backup."""

    id: int
    inserted_at: str
    isPhysicalBackup: bool
    project_id: int
    status: str


class PhysicalBackups(Answer):
    """The span of time that physical backups cover; nothing, for there are none."""


class Backups(Answer):
    """The backups of a project. None are made by this platform yet."""

    backups: tuple[Backup, ...] = ()
    physicalBackupData: PhysicalBackups = PhysicalBackups()
    pitr_enabled: bool = False
    walg_enabled: bool = False
    region: str
    tierKey: str = "FREE"
    """Read by Studio of 2024."""


class Downloadable(Answer):
    """Backups that can be fetched: none."""

    backups: tuple[Backup, ...] = ()
    status: Literal["ok", "project-not-active"]


class CloneStatus(Answer):
    """Which projects were made out of this one: none."""

    id: int
    ref: str
    clones: tuple[Empty, ...] = ()


@router.get("/backups", openapi_extra=SHOWN)
async def backups(services: TheServices, access: Reader) -> Backups:
    """The backups of the project: none are made by this platform."""
    return Backups(region=shown(services, access).region)


@router.get("/backups/downloadable-backups", openapi_extra=SHOWN)
async def downloadable(services: TheServices, access: Reader) -> Downloadable:
    """Backups that can be fetched: none."""
    active = shown(services, access).status in (Phase.ACTIVE_HEALTHY, Phase.ACTIVE_UNHEALTHY)
    return Downloadable(status="ok" if active else "project-not-active")


@router.get("/clone/status", openapi_extra=SHOWN)
async def clone_status(services: TheServices, access: Reader) -> CloneStatus:
    """Which projects were made out of this one: none, for none can be."""
    row = shown(services, access).row
    return CloneStatus(id=row.id, ref=row.ref)


@router.post(
    "/hook-enable",
    status_code=201,
    openapi_extra=may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, SERVICE, not_offered=True),
)
async def enable_hooks(services: TheServices, access: Changer) -> Empty:
    """Database webhooks: every project is made with them, which is looked up here."""
    found = await questions.rows(services, access, _HOOKS)
    if not found or found[0].get("enabled") is not True:
        raise NotOffered(
            "The schema of database webhooks is missing in this project, and cannot be made here"
        )
    return Empty()
