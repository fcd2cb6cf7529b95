"""How large are a project's database and files? Asked of its own database, as the reading role."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from supaplane_api.caller import OrganizationAccess, ProjectAccess
from supaplane_api.inside.ask import shown
from supaplane_api.pgmeta import questions
from supaplane_api.problems import Problem
from supaplane_api.services import Services
from supaplane_contract import ComponentName

AT_ONCE = 8
"""Projects that are asked at the same time."""
MOST = 200
"""Projects that are asked for one page; of the others nothing is told."""
DATABASE_SIZE = "select pg_database_size(current_database())::text as bytes"
FILES_SIZE = (
    "select coalesce(sum((metadata->>'size')::bigint), 0)::text as bytes from storage.objects"
)


@dataclass(frozen=True)
class Measured:
    """What one project uses, in bytes; None: it could not be looked up, or does not exist."""

    ref: str
    name: str
    database: int | None
    files: int | None


async def organization(
    services: Services, access: OrganizationAccess, only: str | None = None
) -> list[Measured]:
    """The projects of the organization that this member sees, or the one of that ref."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(project: ProjectAccess) -> Measured | None:
        async with gate:
            return await measure(services, project)

    found = await asyncio.gather(*(one(project) for project in _projects(access, only)[:MOST]))
    return [measured for measured in found if measured is not None]


def _projects(access: OrganizationAccess, only: str | None) -> Sequence[ProjectAccess]:
    there = access.organization
    return [
        ProjectAccess(access.caller, at, row)
        for row in access.caller.projects
        if row.organization_id == there.organization_id
        and only in (None, row.ref)
        and (at := there.at(row.ref)) is not None
    ]


async def measure(services: Services, access: ProjectAccess) -> Measured | None:
    """What the project uses; None when it is gone. Never raises for a project that is silent."""
    try:
        view = shown(services, access)
    except Problem:
        return None
    database = await _bytes(services, access, DATABASE_SIZE)
    has_files = view.seen is not None and ComponentName.STORAGE.value in view.seen.components
    files = None
    if database is not None and has_files:
        files = await _bytes(services, access, FILES_SIZE)
    return Measured(view.row.ref, view.name, database, files)


async def _bytes(services: Services, access: ProjectAccess, sql: str) -> int | None:
    try:
        found = await questions.rows(services, access, sql)
        return int(found[0]["bytes"])
    except (Problem, LookupError, TypeError, ValueError):
        return None
