"""Second factors over HTTP, as GoTrue's clients use them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE

from . import factors, totp
from .routes import answer_of
from .schemas import Challenge, Enrol, Enrolled, FactorId, Session, Totp, Verify

router = APIRouter(prefix="/auth/factors", tags=["auth"])
Strong = Annotated[Caller, Depends(AnyAccount(session_only=True))]
HalfWay = Annotated[Caller, Depends(AnyAccount(session_only=True, before_factor=True))]


@router.post("", openapi_extra=may_answer(DATABASE, conflicts=True))
async def enrol(services: TheServices, caller: Strong, body: Enrol) -> Enrolled:
    """A new factor. It counts from its first right code on."""
    made = await factors.enrol(services, caller, body.friendly_name)
    return Enrolled(
        id=str(made.id),
        friendly_name=body.friendly_name,
        totp=Totp(qr_code=totp.picture(made.uri), secret=totp.text_of(made.secret), uri=made.uri),
    )


@router.post("/{id}/challenge", openapi_extra=may_answer(DATABASE, not_found=True))
async def challenge(services: TheServices, caller: HalfWay, id: UUID) -> Challenge:
    """Asks for a code."""
    made, expires_at = await factors.challenge(services, caller, id)
    return Challenge(id=str(made), expires_at=int(expires_at.timestamp()))


@router.post("/{id}/verify", openapi_extra=may_answer(DATABASE, not_found=True, limited=True))
async def verify(
    services: TheServices, client: TheClient, caller: HalfWay, id: UUID, body: Verify
) -> Session:
    """Gives the code: the session goes on with `aal2`."""
    signed_in = await factors.verify(services, caller, id, body.challenge_id, body.code, client)
    return await answer_of(services, signed_in)


@router.delete("/{id}", openapi_extra=may_answer(DATABASE, not_found=True))
async def unenrol(services: TheServices, client: TheClient, caller: Strong, id: UUID) -> FactorId:
    """Takes a factor away."""
    await factors.unenrol(services, caller, id, client)
    return FactorId(id=str(id))
