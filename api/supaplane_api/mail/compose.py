"""What is a mail that was asked for to say now? Decided when it is sent: tokens are made here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from supaplane_api.auth import one_time, one_time_repository, repository
from supaplane_api.auth.one_time import Challenge, Purpose
from supaplane_api.auth.repository import Account
from supaplane_api.database import Connection
from supaplane_api.members import repository as members
from supaplane_api.services import Services

from . import letters
from .letters import Letter
from .outbox import Kind, Waiting


async def compose(services: Services, connection: Connection, mail: Waiting) -> Letter | None:
    """The letter, with its token kept; None: there is nobody to be told."""
    writer = _WRITERS.get(mail.kind)
    return None if writer is None else await writer(services, connection, mail)


async def _sign_up(services: Services, connection: Connection, mail: Waiting) -> Letter | None:
    account = await repository.find_account(connection, mail.recipient)
    if account is None:
        return None
    if account.confirmed_at is not None:
        return letters.address_taken(account.email, services.settings.studio_url)
    link, code = await _token(services, connection, account, Purpose.SIGN_UP, mail.details)
    return letters.confirm_sign_up(account.email, link, code)


async def _resend(services: Services, connection: Connection, mail: Waiting) -> Letter | None:
    account = await repository.find_account(connection, mail.recipient)
    if account is None or account.confirmed_at is not None:
        return None
    return await _sign_up(services, connection, mail)


async def _recovery(services: Services, connection: Connection, mail: Waiting) -> Letter | None:
    account = await repository.find_account(connection, mail.recipient)
    if account is None:
        return None
    link, code = await _token(services, connection, account, Purpose.RECOVERY, mail.details)
    return letters.recover(account.email, link, code)


async def _new_email(services: Services, connection: Connection, mail: Waiting) -> Letter | None:
    taken = await repository.find_account(connection, mail.recipient)
    if taken is not None:
        return letters.address_taken(taken.email, services.settings.studio_url)
    account = await repository.account_of_number(connection, int(mail.details["account_id"]))
    if account is None:
        return None
    link, _ = await _token(
        services, connection, account, Purpose.EMAIL_CHANGE, mail.details, email=mail.recipient
    )
    return letters.confirm_new_address(account.email, mail.recipient, link)


async def _email_changed(
    services: Services, connection: Connection, mail: Waiting
) -> Letter | None:
    return letters.address_changed(mail.recipient, str(mail.details["to"]))


async def _password_changed(
    services: Services, connection: Connection, mail: Waiting
) -> Letter | None:
    return letters.password_changed(mail.recipient)


async def _invitation(services: Services, connection: Connection, mail: Waiting) -> Letter | None:
    token = one_time.new_token(services.outside.random_bytes)
    row = await members.mail_invitation(
        connection, int(mail.details["invitation"]), one_time.stored(token)
    )
    if row is None:
        return None
    query = urlencode({"token": token, "slug": row.organization_slug})
    link = f"{services.settings.studio_url}/join?{query}"
    inviter = mail.details.get("inviter")
    return letters.invitation(row.organization_name, row.role, inviter, link)


async def _token(
    services: Services,
    connection: Connection,
    account: Account,
    purpose: Purpose,
    details: Mapping[str, Any],
    *,
    email: str | None = None,
) -> tuple[str, str]:
    """The link and the digits; those of an earlier mail end."""
    now, random_bytes = services.outside.now(), services.outside.random_bytes
    token, code = one_time.new_token(random_bytes), one_time.new_code(random_bytes)
    challenge = details.get("challenge")
    await one_time_repository.replace(
        connection,
        account.id,
        purpose,
        token_hash=one_time.stored(token),
        # a new address is confirmed by the link alone
        code_hash=None if email else services.codes.stored(account.id, purpose, code),
        email=email,
        challenge=Challenge(challenge, details["method"]) if challenge else None,
        now=now,
        expires_at=now + one_time.LIFE,
    )
    base = services.settings.mail_links_base or ""
    return one_time.link(base, purpose, token, details.get("redirect_to")), code


Writer = Callable[[Services, Connection, Waiting], Awaitable[Letter | None]]
_WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        Kind.SIGN_UP: _sign_up,
        Kind.RESEND: _resend,
        Kind.RECOVERY: _recovery,
        Kind.EMAIL_CHANGE: _new_email,
        Kind.EMAIL_CHANGED: _email_changed,
        Kind.PASSWORD_CHANGED: _password_changed,
        Kind.INVITATION: _invitation,
    }
)
