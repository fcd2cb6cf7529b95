"""Signing up and in over HTTP, as GoTrue's clients do it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount, Anyone, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import BUSY, DATABASE, MAIL, Invalid

from . import confirm, factors_repository, service
from .factors_repository import FactorRow
from .schemas import (
    LONGEST_URL,
    Factor,
    Identity,
    PublicKeys,
    Session,
    SignedUp,
    SignUp,
    TokenRequest,
    UpdateUser,
    User,
)
from .service import SignedIn

gotrue = APIRouter(prefix="/auth", tags=["auth"])
sign_up = APIRouter(tags=["auth"])
CallerHere = Annotated[Caller, Depends(AnyAccount(before_factor=True))]
SessionHere = Annotated[Caller, Depends(AnyAccount(before_factor=True, session_only=True))]


@gotrue.post(
    "/token",
    dependencies=[Depends(Anyone())],
    openapi_extra=may_answer(DATABASE, BUSY, limited=True),
)
async def token(
    services: TheServices,
    client: TheClient,
    body: TokenRequest,
    grant_type: Annotated[Literal["password", "refresh_token", "pkce"], Query()] = "password",
) -> Session:
    """Signs in with e-mail address and password, a refresh token, or what a mail's link gave."""
    if grant_type == "password":
        if body.email is None or body.password is None:
            raise Invalid("Give email and password")
        signed_in = await service.sign_in(services, body.email, body.password, client)
    elif grant_type == "pkce":
        if body.auth_code is None or body.code_verifier is None:
            raise Invalid("Give auth_code and code_verifier")
        signed_in = await confirm.exchange(services, body.auth_code, body.code_verifier, client)
    else:
        if not body.refresh_token:
            raise Invalid("Give refresh_token")
        signed_in = await service.refresh(services, body.refresh_token, client)
    return await answer_of(services, signed_in)


@gotrue.get("/.well-known/jwks.json", dependencies=[Depends(Anyone())])
async def jwks(services: TheServices) -> PublicKeys:
    """The public keys by which access tokens are checked."""
    return PublicKeys.model_validate({"keys": services.access_tokens.public_jwks})


@gotrue.get("/user", openapi_extra=may_answer(DATABASE))
async def user(services: TheServices, caller: CallerHere) -> User:
    """The account behind the token."""
    return await _user_of(services, caller)


@gotrue.put(
    "/user",
    openapi_extra=may_answer(DATABASE, BUSY, MAIL, limited=True, not_offered=True),
)
async def update_user(
    services: TheServices,
    client: TheClient,
    caller: Annotated[Caller, Depends(AnyAccount(session_only=True))],
    body: UpdateUser,
    redirect_to: Annotated[str | None, Query(max_length=LONGEST_URL)] = None,
) -> User:
    """Changes the password, which ends all other sessions of the account; or asks for another
    e-mail address, which counts once the link in its mail was followed."""
    if body.data or body.phone:
        raise Invalid("Accounts of this platform have neither phone nor data: leave them out")
    if body.email is not None:
        await confirm.ask_new_email(services, caller, body.email, client, redirect_to)
    if body.password is not None:
        await service.change_password(
            services, caller, body.password, client, current=body.current_password
        )
    return await _user_of(services, caller)


@gotrue.post("/logout", status_code=204, openapi_extra=may_answer(DATABASE))
async def logout(
    services: TheServices,
    caller: SessionHere,
    scope: Annotated[Literal["global", "local", "others"], Query()] = "global",
) -> Response:
    """Ends this session, all others or all; their access tokens are refused at once."""
    assert caller.session_id is not None
    await service.sign_out(
        services, account_id=caller.account_id, session=caller.session_id, scope=scope
    )
    return Response(status_code=204)


@sign_up.post(
    "/signup",
    status_code=201,
    dependencies=[Depends(Anyone())],
    openapi_extra=may_answer(
        DATABASE, BUSY, MAIL, limited=True, conflicts=True, refuses=True, not_offered=True
    ),
)
async def signup(services: TheServices, client: TheClient, body: SignUp) -> SignedUp:
    """Makes an account, where sign-up is open; where mail is sent, it has to be confirmed."""
    if services.settings.confirms_signups:
        await confirm.sign_up(services, body.email, body.password, client, body.redirect_to)
        now = services.outside.now().isoformat()
        return SignedUp(id=None, email=body.email, created_at=now)
    account = await service.sign_up(services, body.email, body.password, client)
    return SignedUp(
        id=str(account.gotrue_id),
        email=account.email,
        created_at=account.created_at.isoformat(),
    )


async def answer_of(services: TheServices, signed_in: SignedIn) -> Session:
    """A sign-in as GoTrue's clients read it."""
    account, access = signed_in.account, signed_in.access
    rows = await services.database.read(
        lambda connection: factors_repository.of_account(connection, account.id)
    )
    return Session(
        access_token=access.token,
        expires_in=access.seconds,
        expires_at=int(access.expires_at.timestamp()),
        refresh_token=signed_in.refresh_token,
        user=_user(
            id=str(account.gotrue_id),
            email=account.email,
            created_at=account.created_at,
            confirmed_at=account.confirmed_at or account.created_at,
            updated_at=account.updated_at,
            last_sign_in_at=account.last_sign_in_at or services.outside.now(),
            factors=rows,
        ),
    )


async def _user_of(services: TheServices, caller: Caller) -> User:
    rows = await services.database.read(
        lambda connection: factors_repository.of_account(connection, caller.account_id)
    )
    return _user(
        id=str(caller.gotrue_id),
        email=caller.email,
        created_at=caller.created_at,
        confirmed_at=caller.confirmed_at or caller.created_at,
        updated_at=caller.updated_at,
        last_sign_in_at=caller.last_sign_in_at,
        factors=rows,
    )


def _user(
    *,
    id: str,
    email: str,
    created_at: datetime,
    confirmed_at: datetime,
    updated_at: datetime,
    last_sign_in_at: datetime | None,
    factors: list[FactorRow],
) -> User:
    times: dict[str, Any] = {
        "created_at": created_at.isoformat(),
        "updated_at": updated_at.isoformat(),
        "last_sign_in_at": None if last_sign_in_at is None else last_sign_in_at.isoformat(),
    }
    identity = Identity(
        identity_id=id,
        id=id,
        user_id=id,
        identity_data={"email": email, "sub": id},
        email=email,
        **times,
    )
    return User(
        id=id,
        email=email,
        email_confirmed_at=confirmed_at.isoformat(),
        confirmed_at=confirmed_at.isoformat(),
        identities=[identity],
        factors=[Factor.of(row) for row in factors],
        **times,
    )
