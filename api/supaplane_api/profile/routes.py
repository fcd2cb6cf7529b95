"""The caller's own account over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from supaplane_api.auth.limits import network_of
from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount, Anyone, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import BUSY, DATABASE

from .schemas import Feedback, PasswordCheck, PasswordChecked, Permission, Profile, Result

router = APIRouter(prefix="/profile", tags=["profile"])
CallerHere = Annotated[Caller, Depends(AnyAccount())]


@router.get("", openapi_extra=may_answer(DATABASE))
async def profile(caller: CallerHere) -> Profile:
    """The account behind the token."""
    return Profile.of(caller)


@router.get("/permissions", openapi_extra=may_answer(DATABASE))
async def permissions(caller: CallerHere) -> list[Permission]:
    """What the caller may do, one entry per organization."""
    return [Permission.of(membership) for membership in caller.memberships]


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
