"""The caller's own account over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from supaplane_api.auth.limits import network_of
from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount, Anyone, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import BUSY, DATABASE

from . import repository, service
from .schemas import (
    Feedback,
    PasswordCheck,
    PasswordChecked,
    Permission,
    Profile,
    Result,
    SessionOfAccount,
    UpdateProfile,
)

router = APIRouter(prefix="/profile", tags=["profile"])
CallerHere = Annotated[Caller, Depends(AnyAccount())]
SessionHere = Annotated[Caller, Depends(AnyAccount(session_only=True))]


@router.get("", openapi_extra=may_answer(DATABASE))
async def profile(caller: CallerHere) -> Profile:
    """The account behind the token."""
    return Profile.of(caller)


@router.post("", status_code=201, openapi_extra=may_answer(DATABASE))
async def create(caller: CallerHere) -> Profile:
    """The same: an account has a profile from its first moment."""
    return Profile.of(caller)


@router.patch("", openapi_extra=may_answer(DATABASE))
async def update(
    services: TheServices, client: TheClient, caller: CallerHere, body: UpdateProfile
) -> Profile:
    """Changes the names of the account."""
    return Profile.of(await service.update(services, caller, body, client.address))


@router.get("/permissions", openapi_extra=may_answer(DATABASE))
async def permissions(
    caller: Annotated[Caller, Depends(AnyAccount(with_projects=True))],
) -> list[Permission]:
    """What the caller may do, per organization, and per project where a role is limited."""
    return [
        entry
        for membership in caller.memberships
        if not caller.is_kept_out(membership)
        for entry in Permission.of(membership, caller.projects)
    ]


@router.get("/sessions", openapi_extra=may_answer(DATABASE))
async def sessions(services: TheServices, caller: CallerHere) -> list[SessionOfAccount]:
    """Where the account is signed in, the newest first."""
    now = services.outside.now()
    rows = await services.database.read(
        lambda connection: repository.sessions(connection, caller.account_id, now)
    )
    return [
        SessionOfAccount(
            id=str(row.id),
            created_at=row.created_at.isoformat(),
            refreshed_at=row.refreshed_at.isoformat(),
            expires_at=row.expires_at.isoformat(),
            address=row.address,
            user_agent=row.user_agent,
            current=row.id == caller.session_id,
        )
        for row in rows
    ]


@router.delete(
    "/sessions/{id}", status_code=204, openapi_extra=may_answer(DATABASE, not_found=True)
)
async def end_session(
    services: TheServices, client: TheClient, caller: SessionHere, id: UUID
) -> Response:
    """Ends a session: its tokens are refused at once."""
    await service.end_session(services, caller, id, client.address)
    return Response(status_code=204)


@router.post(
    "/password-check",
    dependencies=[Depends(Anyone())],
    openapi_extra=may_answer(BUSY, limited=True),
)
async def password_check(
    services: TheServices, client: TheClient, body: PasswordCheck
) -> PasswordChecked:
    """How hard a password is to guess. Studio's form for a new project demands 4."""
    services.limits.estimate.take(network_of(client.address))
    found = await services.passwords.strength(body.password)
    feedback = Feedback(warning=found.warning, suggestions=list(found.suggestions))
    return PasswordChecked(result=Result(score=found.score, feedback=feedback))
