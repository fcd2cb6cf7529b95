"""Showing that an address is one's own: signing up, forgotten passwords, another address.

What is asked for is only noted in the outbox, whoever has an account or not: who asks cannot tell
the two apart, neither by the answer nor by its time. What a mail says is decided when it is sent
(`mail/compose.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg.errors import UniqueViolation

from supaplane_api import audit
from supaplane_api.caller import Caller
from supaplane_api.database import Connection
from supaplane_api.mail import outbox
from supaplane_api.mail.outbox import Kind
from supaplane_api.problems import MAIL, Invalid, NotOffered, Problem, Unavailable
from supaplane_api.services import Services

from . import one_time, one_time_repository, repository, service
from .limits import network_of
from .one_time import Challenge, Purpose
from .one_time_repository import Found
from .service import Client, SignedIn

NO_PASSWORD = "!"
"""In the place of a hash: fits no password."""


@dataclass(frozen=True)
class Redeemed:
    """What a link gave: a session, a code to exchange for one (PKCE), or neither."""

    signed_in: SignedIn | None = None
    auth_code: str | None = None


def require_mail(services: Services) -> None:
    """Raises NotOffered where no mail is sent."""
    if services.post is None:
        raise NotOffered(
            "This platform sends no mail: ask its administrator, who can set SMTP_HOST, and set a"
            " password with python -m supaplane_api.accounts set-password"
        )


def require_few(services: Services, email: str, client: Client) -> None:
    """Raises TooMany when that address was written to, or this one asks, too often."""
    services.limits.mail_address.take(network_of(client.address))
    services.limits.mail_recipient.take(email)


async def ask(
    services: Services,
    kind: Kind,
    email: str,
    client: Client,
    *,
    redirect_to: str | None = None,
    challenge: Challenge | None = None,
    **more: Any,
) -> None:
    """A mail to whoever has that address. Raises NotOffered, TooMany, Unavailable."""
    require_mail(services)
    require_few(services, email, client)
    details: dict[str, Any] = {"redirect_to": redirect_to, **more}
    if challenge is not None:
        details |= {"challenge": challenge.challenge, "method": challenge.method}
    async with services.database.transaction() as connection:
        await put(services, connection, kind, email, details)
    services.mail_due.set()


async def sign_up(
    services: Services, email: str, password: str, client: Client, redirect_to: str | None
) -> None:
    """An account that counts once its address is confirmed.

    The same for a taken address, whose owner is written to. Who signs up with an address that is
    not confirmed yet decides about its password, and earlier links end. Raises NotAllowed, TooMany,
    Invalid (weak password), NotOffered, Unavailable.
    """
    password_hash = await service.prepare_sign_up(services, email, password, client)
    require_mail(services)
    require_few(services, email, client)
    async with services.database.transaction() as connection:
        made = await service.insert(
            services, connection, email, password_hash, client, confirmed=False
        )
        if made is None:
            now = services.outside.now()
            again = await repository.replace_unconfirmed(connection, email, password_hash, now)
            if again is not None:
                await one_time_repository.delete_all(connection, again)
        await put(services, connection, Kind.SIGN_UP, email, {"redirect_to": redirect_to})
    services.mail_due.set()


async def put(
    services: Services,
    connection: Connection,
    kind: Kind,
    email: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """As part of a transaction. Raises Unavailable when too many mails wait."""
    now = services.outside.now()
    if not await outbox.put(connection, kind, email, now=now, details=details):
        raise Unavailable(MAIL)


async def ask_new_email(
    services: Services, caller: Caller, email: str, client: Client, redirect_to: str | None
) -> None:
    """A mail to the new address, which counts once its link was followed. Raises as `ask`."""
    if email == caller.email:
        return
    await ask(
        services,
        Kind.EMAIL_CHANGE,
        email,
        client,
        redirect_to=redirect_to,
        account_id=caller.account_id,
    )


async def redeem_link(services: Services, purpose: Purpose, token: str, client: Client) -> Redeemed:
    """What the link of a mail does, once. Raises Problem `otp_expired`, TooMany, Invalid."""
    services.limits.verify_address.take(network_of(client.address))
    now = services.outside.now()
    try:
        async with services.database.transaction() as connection:
            found = await one_time_repository.by_token(
                connection, purpose, one_time.stored(token), now
            )
            if found is None:
                raise _expired()
            redeemed = await _carry_out(services, connection, purpose, found, client)
    except UniqueViolation:
        raise _address_taken() from None
    services.mail_due.set()
    services.limits.verify_address.give_back(network_of(client.address))
    return redeemed


async def redeem_code(
    services: Services, purpose: Purpose, email: str, code: str, client: Client
) -> SignedIn:
    """What the digits of a mail do, once. Raises Problem `otp_expired`, TooMany."""
    services.limits.verify_address.take(network_of(client.address))
    services.limits.verify_email.take(email)
    now, signed_in = services.outside.now(), None
    async with services.database.transaction() as connection:
        account = await repository.find_account(connection, email)
        # An account that is not there is asked for all the same: none has the number 0.
        number = account.id if account else 0
        kept = services.codes.stored(number, purpose, code)
        found = await one_time_repository.by_code(connection, purpose, number, kept, now)
        if found is not None:
            await one_time_repository.delete(connection, found.token_hash)
            signed_in = await _sign_in(services, connection, purpose, found, client)
    if signed_in is None:  # raised only now: the wrong try was counted
        raise _expired()
    services.limits.verify_email.forget(email)
    return signed_in


async def exchange(services: Services, auth_code: str, verifier: str, client: Client) -> SignedIn:
    """The session behind a link that was asked for with a challenge (PKCE). Raises Problem."""
    services.limits.verify_address.take(network_of(client.address))
    now, signed_in = services.outside.now(), None
    async with services.database.transaction() as connection:
        found = await one_time_repository.by_token(
            connection, Purpose.PKCE, one_time.stored(auth_code), now
        )
        if found is not None and found.challenge is not None:
            await one_time_repository.delete(connection, found.token_hash)  # right or wrong: once
            if one_time.answers(found.challenge, verifier):
                signed_in = await service.open_session(
                    services, connection, found.account, client, "otp"
                )
    if signed_in is None:
        raise Problem(
            "The code has expired, was used, or belongs to another browser: begin again",
            status=400,
            code="bad_code_verifier",
        )
    return signed_in


async def _carry_out(
    services: Services, connection: Connection, purpose: Purpose, found: Found, client: Client
) -> Redeemed:
    await one_time_repository.delete(connection, found.token_hash)
    if purpose is Purpose.EMAIL_CHANGE:
        await _change_email(services, connection, found, client)
        return Redeemed()
    if found.challenge is None:
        return Redeemed(signed_in=await _sign_in(services, connection, purpose, found, client))
    await _confirm(services, connection, purpose, found, client)
    now, code = services.outside.now(), one_time.new_token(services.outside.random_bytes)
    await one_time_repository.replace(
        connection,
        found.account.id,
        Purpose.PKCE,
        token_hash=one_time.stored(code),
        now=now,
        expires_at=now + one_time.PKCE_LIFE,
        challenge=found.challenge,
    )
    return Redeemed(auth_code=code)


async def _sign_in(
    services: Services, connection: Connection, purpose: Purpose, found: Found, client: Client
) -> SignedIn:
    await _confirm(services, connection, purpose, found, client)
    account = replace(
        found.account, confirmed_at=found.account.confirmed_at or services.outside.now()
    )
    return await service.open_session(services, connection, account, client, "otp")


async def _confirm(
    services: Services, connection: Connection, purpose: Purpose, found: Found, client: Client
) -> None:
    now, account = services.outside.now(), found.account
    if purpose is Purpose.RECOVERY and account.confirmed_at is None:
        # Whoever chose the password had not shown that the address is theirs.
        await repository.replace_password(connection, account.id, NO_PASSWORD, now)
    await repository.confirm(connection, account.id, now)
    action = "account.recover" if purpose is Purpose.RECOVERY else "account.confirm"
    await _record(connection, action, account.id, account.email, client, now, {})


async def _change_email(
    services: Services, connection: Connection, found: Found, client: Client
) -> None:
    assert found.email is not None
    now, account = services.outside.now(), found.account
    if not await repository.replace_email(connection, account.id, found.email, now):
        raise _address_taken()
    await one_time_repository.delete_all(connection, account.id)
    details = {"from": account.email, "to": found.email}
    await outbox.put(
        connection, Kind.EMAIL_CHANGED, account.email, now=now, details={"to": found.email}
    )
    await _record(connection, "account.email", account.id, account.email, client, now, details)


async def _record(
    connection: Connection,
    action: str,
    account_id: int,
    email: str,
    client: Client,
    now: datetime,
    details: Mapping[str, Any],
) -> None:
    actor = audit.Actor(account_id, email, client.address)
    await audit.record(connection, action, actor=actor, now=now, details=details)


def _expired() -> Problem:
    return Problem("Token has expired or is invalid", status=403, code="otp_expired")


def _address_taken() -> Invalid:
    return Invalid("There is an account with this e-mail address by now", code="email_exists")
