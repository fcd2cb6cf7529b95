"""Second factors: enrolling one, giving its code, and taking it away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from supaplane_api import audit
from supaplane_api.caller import Caller
from supaplane_api.database import Connection
from supaplane_api.problems import Clash, Missing, Problem
from supaplane_api.services import Services

from . import factors_repository, repository, service, totp
from .service import Client, SignedIn

ISSUER = "Supaplane"
MOST = 10
CHALLENGE = timedelta(minutes=5)


@dataclass(frozen=True)
class Enrolled:
    """A factor with its secret, which is told this once."""

    id: UUID
    secret: bytes
    uri: str


async def enrol(services: Services, caller: Caller, friendly_name: str) -> Enrolled:
    """A factor that counts from its first right code on. Raises Clash."""
    now, random_bytes = services.outside.now(), services.outside.random_bytes
    secret = random_bytes(totp.SECRET_BYTES)
    async with services.database.transaction() as connection:
        await factors_repository.forget_unverified(connection, caller.account_id)
        there = await factors_repository.of_account(connection, caller.account_id)
        if len(there) >= MOST:
            raise Clash(f"There are {MOST} factors already", code="too_many_enrolled_mfa_factors")
        if friendly_name and any(row.friendly_name == friendly_name for row in there):
            raise Clash(
                "friendly_name: another factor has this name; choose another",
                code="mfa_factor_name_conflict",
            )
        id = await factors_repository.insert(
            connection,
            account_id=caller.account_id,
            friendly_name=friendly_name,
            secret=services.vault.seal(secret, caller.gotrue_id, random_bytes),
            now=now,
        )
    return Enrolled(id, secret, totp.uri(secret, account=caller.email, issuer=ISSUER))


async def challenge(services: Services, caller: Caller, id: UUID) -> tuple[UUID, datetime]:
    """The id of a challenge, and when it expires. Raises Missing."""
    now = services.outside.now()
    async with services.database.transaction() as connection:
        await _factor(connection, caller, id)
        made = await factors_repository.challenge(
            connection, id, now=now, expires_at=now + CHALLENGE
        )
    return made, now + CHALLENGE


async def verify(
    services: Services, caller: Caller, id: UUID, challenge: UUID, code: str, client: Client
) -> SignedIn:
    """The same session, with the second factor. Raises Missing, Problem, TooMany.

    A code counts once, and a challenge is for one try.
    """
    assert caller.session_id is not None
    services.limits.factor.take(str(caller.account_id))
    now, step = services.outside.now(), None
    async with services.database.transaction() as connection:
        row = await _factor(connection, caller, id)
        if not await factors_repository.answered(connection, id, challenge, now):
            raise Problem(
                "The challenge has expired or was answered: ask for another",
                status=400,
                code="mfa_challenge_expired",
            )
        secret = services.vault.open(row.secret, caller.gotrue_id)
        step = totp.matching_step(secret, code, now=now, after=row.last_step)
        if step is not None:
            session = caller.session_id
            await factors_repository.verified(connection, id, session, step=step, now=now)
            if row.verified_at is None:  # from now on a password alone is not enough
                await repository.revoke_sessions(connection, caller.account_id, now, but=session)
                await _record(services, connection, caller, "factor.enrol", id, client)
            signed_in = await service.renew(services, connection, caller, session)
    if step is None:
        raise Problem("Invalid TOTP code entered", status=400, code="mfa_verification_failed")
    services.limits.factor.forget(str(caller.account_id))
    return signed_in


async def unenrol(services: Services, caller: Caller, id: UUID, client: Client) -> None:
    """Takes a factor away. Raises Missing."""
    async with services.database.transaction() as connection:
        await _factor(connection, caller, id)
        await factors_repository.delete(connection, id)
        await _record(services, connection, caller, "factor.unenrol", id, client)


async def _factor(connection: Connection, caller: Caller, id: UUID) -> factors_repository.FactorRow:
    row = await factors_repository.locked(connection, caller.account_id, id)
    if row is None:
        raise Missing("You have no such factor", code="mfa_factor_not_found")
    return row


async def _record(
    services: Services,
    connection: Connection,
    caller: Caller,
    action: str,
    id: UUID,
    client: Client,
) -> None:
    await audit.record(
        connection,
        action,
        actor=audit.Actor(caller.account_id, caller.email, client.address),
        now=services.outside.now(),
        details={"factor": str(id)},
    )
