"""Which outside services are connected? None, told in the shapes that pages expect."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from supaplane_api.access import Right
from supaplane_api.caller import Caller, OrganizationAccess
from supaplane_api.deps import AnyAccount, Member
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE
from supaplane_api.schema import Answer

router = APIRouter(prefix="/integrations", tags=["platform"])
"""Served at the root and below /platform."""
CallerHere = Annotated[Caller, Depends(AnyAccount())]
InOrganization = Annotated[OrganizationAccess, Depends(Member(Right.ORGANIZATION_READ))]
ANSWERS = may_answer(DATABASE)


class Integration(Answer):
    """An outside service; there are none."""

    id: str


class Connections(Answer):
    """Projects that follow a repository: none."""

    connections: tuple[Integration, ...] = ()


class Repositories(Answer):
    """Repositories that could be followed: none are known."""

    repositories: tuple[Integration, ...] = ()
    partial_response_due_to_sso: bool = False


@router.get("", openapi_extra=ANSWERS)
async def integrations(caller: CallerHere) -> list[Integration]:
    """Outside services of the caller's organizations: none."""
    return []


@router.get("/github/authorization", openapi_extra=ANSWERS)
async def github_authorization(caller: CallerHere) -> None:
    """Whether the caller let the platform into GitHub: null, it cannot be let in."""


@router.get("/github/connections", openapi_extra=ANSWERS)
async def github_connections(caller: CallerHere) -> Connections:
    """Projects that follow a repository: none."""
    return Connections()


@router.get("/github/repositories", openapi_extra=ANSWERS)
async def github_repositories(caller: CallerHere) -> Repositories:
    """Repositories that could be followed: none are known."""
    return Repositories()


@router.get("/{slug}", openapi_extra=ANSWERS)
async def organization_integrations(access: InOrganization) -> list[Integration]:
    """Outside services of one organization: none."""
    return []
