"""Forgotten passwords, confirming an address and changing it over HTTP, with the links of mails."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount, Anyone, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.mail import button_page
from supaplane_api.mail.outbox import Kind
from supaplane_api.problems import DATABASE, MAIL, Invalid, NotOffered, Problem
from supaplane_api.schema import Empty
from supaplane_api.services import Services

from . import confirm, one_time
from .confirm import Redeemed
from .one_time import Challenge, Purpose
from .routes import answer_of
from .schemas import LONGEST_URL, NewEmail, Recover, Resend, ResetPassword, Session, VerifyCode
from .service import Client

gotrue = APIRouter(prefix="/auth", tags=["auth"])
account = APIRouter(tags=["auth"])
PUBLIC = [Depends(Anyone())]
ASKS = may_answer(DATABASE, MAIL, limited=True, not_offered=True)
LinkKind = Annotated[Literal["signup", "recovery", "email_change"], Query(alias="type")]
Token = Annotated[str, Query(max_length=256)]
RedirectTo = Annotated[str | None, Query(max_length=LONGEST_URL)]


@gotrue.post("/recover", dependencies=PUBLIC, openapi_extra=ASKS)
async def recover(
    services: TheServices, client: TheClient, body: Recover, redirect_to: RedirectTo = None
) -> Empty:
    """Sends a link and a code to choose another password with, if there is such an account."""
    challenge = _challenge(body.code_challenge, body.code_challenge_method)
    await confirm.ask(
        services,
        Kind.RECOVERY,
        body.email,
        client,
        redirect_to=redirect_to,
        challenge=challenge,
    )
    return Empty()


@account.post("/reset-password", status_code=201, dependencies=PUBLIC, openapi_extra=ASKS)
async def reset_password(services: TheServices, client: TheClient, body: ResetPassword) -> Empty:
    """The same, as Studio asks for it."""
    await confirm.ask(services, Kind.RECOVERY, body.email, client, redirect_to=body.redirect_to)
    return Empty()


@gotrue.post("/resend", dependencies=PUBLIC, openapi_extra=ASKS)
async def resend(
    services: TheServices, client: TheClient, body: Resend, redirect_to: RedirectTo = None
) -> Empty:
    """Sends the mail that confirms a new account again; the links before end."""
    if body.type != "signup":
        raise NotOffered("Ask for the change of the address again: PUT /auth/user")
    challenge = _challenge(body.code_challenge, body.code_challenge_method)
    await confirm.ask(
        services, Kind.RESEND, body.email, client, redirect_to=redirect_to, challenge=challenge
    )
    return Empty()


@account.put("/update-email", openapi_extra=ASKS)
async def update_email(
    services: TheServices,
    client: TheClient,
    caller: Annotated[Caller, Depends(AnyAccount(session_only=True))],
    body: NewEmail,
) -> Empty:
    """Asks for another e-mail address, which counts once its link was followed."""
    await confirm.ask_new_email(services, caller, body.new_email, client, None)
    return Empty()


@gotrue.post(
    "/verify",
    dependencies=PUBLIC,
    openapi_extra=may_answer(DATABASE, limited=True, not_offered=True, refuses=True),
)
async def verify(services: TheServices, client: TheClient, body: VerifyCode) -> Session:
    """Signs in with what a mail holds: its digits with the address, or the token of its link."""
    confirm.require_mail(services)
    purpose = Purpose.SIGN_UP if body.type == "email" else Purpose(body.type)
    if body.token_hash is not None:
        redeemed = await confirm.redeem_link(services, purpose, body.token_hash, client)
        if redeemed.signed_in is None:
            raise Invalid("This link was asked for with a code_challenge: open it in the browser")
        return await answer_of(services, redeemed.signed_in)
    if body.email is None or body.token is None:
        raise Invalid("Give email and token, or token_hash")
    signed_in = await confirm.redeem_code(services, purpose, body.email, body.token, client)
    return await answer_of(services, signed_in)


@gotrue.get(
    "/verify",
    dependencies=PUBLIC,
    response_class=HTMLResponse,
    openapi_extra=may_answer(not_offered=True),
)
async def opened(
    services: TheServices, token: Token, kind: LinkKind, redirect_to: RedirectTo = None
) -> HTMLResponse:
    """The page behind a link. Only its button does something: mail scanners open links too."""
    confirm.require_mail(services)
    query = {"token": token, "type": kind} | ({"redirect_to": redirect_to} if redirect_to else {})
    base = (services.settings.mail_links_base or "").rstrip("/")
    html = button_page.page(kind, action=f"{base}/auth/verify/link?{urlencode(query)}")
    policy = button_page.policy(services.settings.studio_origin or "")
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


@gotrue.post(
    "/verify/link",
    dependencies=PUBLIC,
    status_code=303,
    response_class=RedirectResponse,
    openapi_extra=may_answer(DATABASE, limited=True, not_offered=True),
)
async def followed(
    services: TheServices,
    client: TheClient,
    token: Token,
    kind: LinkKind,
    redirect_to: RedirectTo = None,
) -> Response:
    """The button was pressed: leads on to Studio, with a session or the reason why not."""
    confirm.require_mail(services)
    purpose = Purpose(kind)
    there = one_time.landing(services.settings.studio_url, redirect_to, purpose)
    return RedirectResponse(await _onward(services, client, purpose, token, there), 303)


async def _onward(
    services: Services, client: Client, purpose: Purpose, token: str, there: str
) -> str:
    try:
        redeemed = await confirm.redeem_link(services, purpose, token, client)
    except Problem as problem:
        if problem.status in (429, 503):
            raise
        failed = {
            "error": "access_denied",
            "error_code": problem.code,
            "error_description": problem.message,
        }
        return f"{there}#{urlencode(failed)}"
    return _landed(there, redeemed, purpose)


def _landed(there: str, redeemed: Redeemed, purpose: Purpose) -> str:
    """Where auth-js finds what it looks for when a page opens."""
    if redeemed.auth_code is not None:
        joint = "&" if "?" in there else "?"
        return f"{there}{joint}{urlencode({'code': redeemed.auth_code})}"
    if redeemed.signed_in is None:
        return f"{there}#{urlencode({'message': 'Your e-mail address was changed'})}"
    access = redeemed.signed_in.access
    session = {
        "access_token": access.token,
        "expires_at": int(access.expires_at.timestamp()),
        "expires_in": access.seconds,
        "refresh_token": redeemed.signed_in.refresh_token,
        "token_type": "bearer",
        "type": purpose.value,
    }
    return f"{there}#{urlencode(session)}"


def _challenge(challenge: str | None, method: str | None) -> Challenge | None:
    if not challenge:
        return None
    if method == "plain":
        return Challenge(challenge, "plain")
    return Challenge(challenge, "s256")
