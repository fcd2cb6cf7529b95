"""Signing up, signing in, refreshing and signing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from supaplane_api import audit
from supaplane_api.caller import Caller
from supaplane_api.database import Connection
from supaplane_api.mail import outbox
from supaplane_api.mail.outbox import Kind
from supaplane_api.problems import Clash, Invalid, NotAllowed, Problem, Unavailable
from supaplane_api.services import Services

from . import one_time_repository, repository
from .limits import network_of
from .repository import Account, KnownRefreshToken, Method
from .tokens import Claims, Issued

REUSE_SECONDS = 10.0
"""A refresh token may come twice within this time: a lost answer, or two tabs of one browser."""
LEAST_STRENGTH = 2
MOST_STEPS = 16


@dataclass(frozen=True)
class Client:
    """Where a request comes from."""

    address: str | None
    user_agent: str | None


@dataclass(frozen=True)
class SignedIn:
    """A session with its tokens."""

    account: Account
    access: Issued
    refresh_token: str


async def sign_up(services: Services, email: str, password: str, client: Client) -> Account:
    """A new account that can be used at once.

    Raises NotAllowed, TooMany, Invalid (weak password), Clash (taken).
    """
    password_hash = await prepare_sign_up(services, email, password, client)
    async with services.database.transaction() as connection:
        account = await insert(services, connection, email, password_hash, client, confirmed=True)
        if account is None:
            raise Clash(
                "There is an account with this e-mail address already: sign in, or use another",
                code="user_already_exists",
            )
    return account


async def prepare_sign_up(services: Services, email: str, password: str, client: Client) -> str:
    """The hash of the password. Raises NotAllowed, TooMany, Invalid (weak password)."""
    if not services.settings.signup_allowed:
        raise NotAllowed(
            "Sign-up is closed on this platform: ask its administrator", code="signup_disabled"
        )
    services.limits.sign_up.take(network_of(client.address))
    await _require_strength(services, email, password)
    return await services.passwords.hash(password)


async def insert(
    services: Services,
    connection: Connection,
    email: str,
    password_hash: str,
    client: Client,
    *,
    confirmed: bool,
) -> Account | None:
    """The new account; None: the address is taken."""
    now = services.outside.now()
    account = await repository.insert_account(
        connection,
        email=email,
        username=email.partition("@")[0][:64],
        password_hash=password_hash,
        now=now,
        confirmed=confirmed,
    )
    if account is not None:
        actor = audit.Actor(account.id, account.email, client.address)
        await audit.record(connection, "account.create", actor=actor, now=now)
    return account


async def sign_in(services: Services, email: str, password: str, client: Client) -> SignedIn:
    """A new session. Raises Problem `invalid_credentials` or `email_not_confirmed`, TooMany."""
    limits, network = services.limits, network_of(client.address)
    limits.sign_in_address.take(network)
    limits.sign_in_pair.take(email, network)
    try:
        account = await services.database.read(lambda c: repository.find_account(c, email))
        fits = await services.passwords.verify(account.password_hash if account else None, password)
    except Unavailable:
        limits.sign_in_pair.give_back(email, network)
        limits.sign_in_address.give_back(network)
        raise
    if account is None or not fits:
        services.metrics.sign_ins.labels("password", "refused").inc()
        raise Problem("Invalid login credentials", status=400, code="invalid_credentials")
    limits.sign_in_pair.forget(email, network)
    limits.sign_in_address.give_back(network)
    if account.confirmed_at is None:  # told only to who knows the password
        services.metrics.sign_ins.labels("password", "unconfirmed").inc()
        raise Problem("Email not confirmed", status=400, code="email_not_confirmed")
    renewed = None
    if services.passwords.outdated(account.password_hash):
        renewed = await services.passwords.hash(password)
    async with services.database.transaction() as connection:
        if renewed is not None:
            await repository.renew_hash(connection, account.id, renewed)
        signed_in = await open_session(services, connection, account, client)
    services.metrics.sign_ins.labels("password", "accepted").inc()
    return signed_in


async def open_session(
    services: Services,
    connection: Connection,
    account: Account,
    client: Client,
    method: Method = "password",
) -> SignedIn:
    """A session for somebody who has shown who they are."""
    now = services.outside.now()
    session = await repository.open_session(
        connection,
        account_id=account.id,
        now=now,
        expires_at=now + timedelta(days=services.settings.session_days),
        address=client.address,
        user_agent=client.user_agent,
        method=method,
    )
    token = services.refresh_tokens.first(services.outside.random_bytes)
    await repository.insert_refresh_token(
        connection,
        token_hash=services.refresh_tokens.stored(token),
        session_id=session,
        now=now,
    )
    actor = audit.Actor(account.id, account.email, client.address)
    await audit.record(connection, "session.open", actor=actor, now=now)
    return SignedIn(account, _access(services, account, session, now, now, method=method), token)


async def refresh(services: Services, token: str, client: Client) -> SignedIn:
    """The next pair of tokens. Raises Problem `refresh_token_not_found` or `…_already_used`.

    A token that comes a second time after REUSE_SECONDS was stolen, from us or from its owner, who
    cannot be told apart: the whole family ends.
    """
    services.limits.refresh_address.take(network_of(client.address))
    now = services.outside.now()
    async with services.database.transaction() as connection:
        stored = services.refresh_tokens.stored(token)
        known = await repository.find_refresh_token(connection, stored, now=now)
        outcome = _judge(known, now)
        if known is not None and outcome == "reused":
            await repository.revoke_session(connection, known.session_id, now)
            actor = audit.Actor(known.account.id, known.account.email, client.address)
            await audit.record(connection, "session.reuse", actor=actor, now=now)
        elif known is not None and outcome != "unknown":
            newest = await _advance(services, connection, token, known, now)
    services.metrics.sign_ins.labels("refresh_token", outcome).inc()
    if known is None or outcome == "unknown":
        raise _not_found()
    if outcome == "reused":
        message = "Invalid Refresh Token: Already Used"
        raise Problem(message, status=400, code="refresh_token_already_used")
    access = _access(
        services,
        known.account,
        known.session_id,
        known.session_created_at,
        now,
        verified_at=known.verified_at,
        method=known.method,
    )
    return SignedIn(known.account, access, newest)


def _judge(known: KnownRefreshToken | None, now: datetime) -> str:
    """`unknown`, `fresh`, `repeated` or `reused`."""
    if known is None or known.session_ended:
        return "unknown"
    if known.used_at is None:
        return "fresh"
    return "repeated" if (now - known.used_at).total_seconds() <= REUSE_SECONDS else "reused"


async def _advance(
    services: Services,
    connection: Connection,
    token: str,
    known: KnownRefreshToken,
    now: datetime,
) -> str:
    """The next token; for a repeated request the one that was given out for it already."""
    tokens, current, found = services.refresh_tokens, token, known
    for _ in range(MOST_STEPS):
        if found.used_at is None:
            break
        current = tokens.next(current)
        following = await repository.find_refresh_token(connection, tokens.stored(current), now=now)
        if following is None:
            raise _not_found()
        found = following
    else:
        raise _not_found()
    if current != token:
        return current
    current = tokens.next(token)
    await repository.use_refresh_token(connection, tokens.stored(token), now)
    await repository.insert_refresh_token(
        connection, token_hash=tokens.stored(current), session_id=known.session_id, now=now
    )
    expires_at = now + timedelta(days=services.settings.session_days)
    await repository.extend_session(connection, known.session_id, now=now, expires_at=expires_at)
    return current


def _not_found() -> Problem:
    message = "Invalid Refresh Token: Refresh Token Not Found"
    return Problem(message, status=400, code="refresh_token_not_found")


async def sign_out(services: Services, *, account_id: int, session: UUID, scope: str) -> None:
    """Ends this session (`local`), all others (`others`) or all (`global`)."""
    now = services.outside.now()
    async with services.database.connection() as connection:
        if scope == "local":
            await repository.revoke_session(connection, session, now)
        else:
            spared = session if scope == "others" else None
            await repository.revoke_sessions(connection, account_id, now, but=spared)


async def renew(
    services: Services, connection: Connection, caller: Caller, session: UUID
) -> SignedIn:
    """New tokens for a session that goes on, with what it has proven by now.

    The refresh tokens from before end: only who gave the code goes on.
    """
    now = services.outside.now()
    account, method, created_at, verified_at = await repository.account_of_session(
        connection, session
    )
    token = services.refresh_tokens.first(services.outside.random_bytes)
    await repository.forget_refresh_tokens(connection, session)
    await repository.insert_refresh_token(
        connection, token_hash=services.refresh_tokens.stored(token), session_id=session, now=now
    )
    access = _access(
        services, account, session, created_at, now, verified_at=verified_at, method=method
    )
    return SignedIn(account, access, token)


async def change_password(
    services: Services, caller: Caller, password: str, client: Client, *, current: str | None
) -> None:
    """Another password, which ends all other sessions, and all links in mails.

    `current`: the password until now, where a client sends it. Raises Problem (it is wrong),
    TooMany, Invalid (weak), Unavailable.
    """
    if current is not None:
        await _require_current(services, caller, current)
    await _require_strength(services, caller.email, password)
    password_hash = await services.passwords.hash(password)
    now = services.outside.now()
    async with services.database.transaction() as connection:
        await repository.replace_password(connection, caller.account_id, password_hash, now)
        await repository.revoke_sessions(connection, caller.account_id, now, but=caller.session_id)
        actor = audit.Actor(caller.account_id, caller.email, client.address)
        await audit.record(connection, "account.password", actor=actor, now=now)
        await one_time_repository.delete_all(connection, caller.account_id)
        if services.post is not None:
            await outbox.put(connection, Kind.PASSWORD_CHANGED, caller.email, now=now)
    services.mail_due.set()


async def _require_current(services: Services, caller: Caller, password: str) -> None:
    services.limits.current_password.take(str(caller.account_id))
    account = await services.database.read(lambda c: repository.find_account(c, caller.email))
    if not await services.passwords.verify(account.password_hash if account else None, password):
        raise Problem(
            "current_password: is not the password of this account",
            status=400,
            code="invalid_credentials",
        )
    services.limits.current_password.forget(str(caller.account_id))


async def _require_strength(services: Services, email: str, password: str) -> None:
    strength = await services.passwords.strength(password, (email, email.partition("@")[0]))
    if strength.score < LEAST_STRENGTH:
        why = strength.warning or "It is easy to guess"
        raise Invalid(f"password: too weak. {why}", code="weak_password")


def _access(
    services: Services,
    account: Account,
    session: UUID,
    signed_in_at: datetime,
    now: datetime,
    *,
    verified_at: datetime | None = None,
    method: Method,
) -> Issued:
    return services.access_tokens.sign(
        Claims(account.gotrue_id, session),
        email=account.email,
        signed_in_at=signed_in_at,
        verified_at=verified_at,
        method=method,
        now=now,
    )
