"""Access tokens over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE

from . import repository, service
from .schemas import CreateToken, NewToken, Token

router = APIRouter(prefix="/profile/access-tokens", tags=["profile"])
Reader = Annotated[Caller, Depends(AnyAccount())]
Writer = Annotated[Caller, Depends(AnyAccount(session_only=True))]


@router.get("", openapi_extra=may_answer(DATABASE))
async def access_tokens(services: TheServices, caller: Reader) -> list[Token]:
    """The caller's access tokens, the newest first."""
    found = await services.database.read(lambda c: repository.of_account(c, caller.account_id))
    return [Token.of(token) for token in found]


@router.post("", status_code=201, openapi_extra=may_answer(DATABASE, conflicts=True, refuses=True))
async def create(
    services: TheServices, client: TheClient, caller: Writer, body: CreateToken
) -> NewToken:
    """Makes an access token, which is shown this once."""
    row, token = await service.create(services, caller, body, client.address)
    return NewToken(**Token.of(row).model_dump(), token=token)


@router.delete("/{id}", openapi_extra=may_answer(DATABASE, not_found=True, refuses=True))
async def delete(
    services: TheServices,
    client: TheClient,
    caller: Writer,
    id: Annotated[int, Path(ge=1, lt=2**63)],
) -> Token:
    """Revokes an access token at once."""
    return Token.of(await service.delete(services, caller, id, client.address))
