"""Likely mistakes in the database over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.pgmeta import questions
from supaplane_api.problems import CLUSTER, CREDENTIALS, DATABASE, SERVICE, SNAPSHOT
from supaplane_api.schema import Answer

from .checks import GUIDE, Category, Finding, Level, findings
from .statement import STATEMENT

router = APIRouter(prefix="/projects/{ref}", tags=["database"])
"""Served at the root and below /platform."""
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Asker = Annotated[ProjectAccess, Depends(OnProject(Right.SQL_RUN))]


class Lint(Answer):
    """A likely mistake."""

    name: str
    title: str
    level: Level
    facing: str = "EXTERNAL"
    categories: tuple[Category, ...]
    description: str
    detail: str
    remediation: str
    metadata: dict[str, str]
    cache_key: str


class LintException(Answer):
    """A finding that nobody wants to see again; none can be kept."""

    id: str


class Exceptions(Answer):
    """Findings that nobody wants to see again: none."""

    exceptions: tuple[LintException, ...] = ()


@router.get(
    "/run-lints", openapi_extra=may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, SERVICE)
)
async def run_lints(services: TheServices, access: Asker) -> list[Lint]:
    """Looks for likely mistakes: the checks are those of docs/studio.md and no others."""
    found = await questions.rows(services, access, STATEMENT)
    return [_lint(finding) for finding in findings(found)]


@router.get("/notifications/advisor/exceptions", openapi_extra=may_answer(DATABASE, SNAPSHOT))
async def exceptions(services: TheServices, access: Reader) -> Exceptions:
    """Findings that nobody wants to see again: none can be kept."""
    shown(services, access)
    return Exceptions()


def _lint(finding: Finding) -> Lint:
    check = finding.check
    return Lint(
        name=check.name,
        title=check.title,
        level=check.level,
        categories=(check.category,),
        description=check.description,
        detail=finding.detail,
        remediation=f"{GUIDE}?lint={check.name}",
        metadata={"schema": finding.schema, "name": finding.name, "type": finding.kind},
        cache_key=finding.key,
    )
