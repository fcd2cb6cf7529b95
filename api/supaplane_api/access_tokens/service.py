"""Making and revoking access tokens."""

from __future__ import annotations

from supaplane_api import audit
from supaplane_api.caller import Caller
from supaplane_api.problems import Clash, Invalid, Missing
from supaplane_api.services import Services

from . import alias, mint, repository, stored
from .repository import AccessToken
from .schemas import CreateToken

MOST = 100


async def create(
    services: Services, caller: Caller, wish: CreateToken, address: str | None
) -> tuple[AccessToken, str]:
    """The row and the token, which nobody sees again. Raises Invalid, Clash."""
    now = services.outside.now()
    if wish.expires_at is not None and (wish.expires_at.tzinfo is None or wish.expires_at <= now):
        raise Invalid("expires_at: give a time to come, with its zone, or leave it out")
    token = mint(services.outside.random_bytes)
    async with services.database.transaction() as connection:
        if len(await repository.of_account(connection, caller.account_id)) >= MOST:
            raise Clash(f"There are {MOST} access tokens already: delete one that is not used")
        row = await repository.insert(
            connection,
            account_id=caller.account_id,
            name=wish.name,
            token_hash=stored(token),
            token_alias=alias(token),
            expires_at=wish.expires_at,
            now=now,
        )
        await audit.record(
            connection,
            "access_token.create",
            actor=audit.Actor(caller.account_id, caller.email, address),
            now=now,
            details={"name": wish.name, "id": row.id},
        )
    return row, token


async def delete(services: Services, caller: Caller, id: int, address: str | None) -> AccessToken:
    """Revokes a token: it is refused from the next request on. Raises Missing."""
    async with services.database.transaction() as connection:
        row = await repository.delete(connection, account_id=caller.account_id, id=id)
        if row is None:
            raise Missing("You have no access token of this number")
        await audit.record(
            connection,
            "access_token.delete",
            actor=audit.Actor(caller.account_id, caller.email, address),
            now=services.outside.now(),
            details={"name": row.name, "id": row.id},
        )
    return row
