"""Which people does a project have, and what are they sent? Mails and codes go out by its own Auth.

The list is read from its database, which is what older Studio pages through.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import ValidationError

from supaplane_api.access import Right
from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.inside.ask import ask_gateway, segment
from supaplane_api.pgmeta import questions
from supaplane_api.problems import SERVICE, Invalid, Unavailable
from supaplane_api.schema import Answer, Body, Empty
from supaplane_api.text import Email, Word

from .proxy import PROXIED, USERS, change

router = APIRouter(prefix="/auth/{ref}", tags=["users"])
"""Served at the root and below /platform."""
Asker = Annotated[ProjectAccess, Depends(OnProject(Right.SQL_RUN))]
UserChanger = Annotated[ProjectAccess, Depends(OnProject(Right.USERS_CHANGE))]
LIST = """
with found as (
  select id, aud, role, email, phone, email_confirmed_at, phone_confirmed_at, confirmed_at,
         invited_at, last_sign_in_at, raw_app_meta_data, raw_user_meta_data, is_sso_user,
         is_anonymous, created_at, updated_at, banned_until, deleted_at
    from auth.users
   where ($1::text = '' or id::text = $1::text or strpos(coalesce(phone, ''), $1::text) > 0
          or strpos(lower(coalesce(email, '')), lower($1::text)) > 0)
     and case $2::text
           when 'verified' then confirmed_at is not null
           when 'unverified' then confirmed_at is null
           when 'anonymous' then is_anonymous
           else true end
), page as (
  select * from found order by created_at desc nulls last, id limit $3::int offset $4::int
)
select (select count(*) from found)::int as total,
       coalesce((select jsonb_agg(to_jsonb(page)) from page), '[]'::jsonb) as users
"""


class Users(Answer):
    """Part of a project's users; no passwords and no tokens are in it."""

    users: list[dict[str, Any]]
    total: int


class Addressee(Body):
    """Whom to send to; Studio sends the whole user, of which this is read."""

    email: Email | None = None
    phone: Word | None = None


@router.get("/users", openapi_extra=PROXIED)
async def users(
    services: TheServices,
    access: Asker,
    keywords: Annotated[str, Query(max_length=256)] = "",
    verified: Literal["verified", "unverified", "anonymous", ""] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Users:
    """The users of the project, the newest first."""
    if "\x00" in keywords:
        raise Invalid("keywords: must not hold a NUL")
    found = await questions.rows(services, access, LIST, [keywords, verified, limit, offset])
    try:
        return Users.model_validate(dict(found[0]))
    except (LookupError, ValidationError):
        raise Unavailable(SERVICE, "it answered with something that is no list of users") from None


@router.post("/invite", status_code=201, openapi_extra=PROXIED)
async def invite(
    services: TheServices, client: TheClient, access: UserChanger, body: Addressee
) -> Empty:
    """Makes a user and sends them an invitation."""
    sent = {"email": _email(body)}
    await change(services, client, access, "user.invite", "POST", "/auth/v1/invite", sent)
    return Empty()


@router.post("/magiclink", status_code=201, openapi_extra=PROXIED)
async def magic_link(
    services: TheServices, client: TheClient, access: UserChanger, body: Addressee
) -> Empty:
    """Sends a link that signs a user in."""
    sent = {"email": _email(body)}
    await change(services, client, access, "user.magiclink", "POST", "/auth/v1/magiclink", sent)
    return Empty()


@router.post("/otp", status_code=201, openapi_extra=PROXIED)
async def one_time_password(
    services: TheServices, client: TheClient, access: UserChanger, body: Addressee
) -> Empty:
    """Sends a code to a user's telephone."""
    if not body.phone:
        raise Invalid("phone: this user has no telephone number")
    sent = {"phone": body.phone, "create_user": False}
    await change(services, client, access, "user.otp", "POST", "/auth/v1/otp", sent)
    return Empty()


@router.post("/recover", status_code=201, openapi_extra=PROXIED)
async def recover(
    services: TheServices, client: TheClient, access: UserChanger, body: Addressee
) -> Empty:
    """Sends a link with which a user sets another password."""
    sent = {"email": _email(body)}
    await change(services, client, access, "user.recover", "POST", "/auth/v1/recover", sent)
    return Empty()


@router.delete("/users/{id}/factors", openapi_extra=PROXIED)
async def delete_factors(
    services: TheServices, client: TheClient, access: UserChanger, id: UUID
) -> Empty:
    """Takes away all second factors of a user."""
    path = f"{USERS}/{id}/factors"
    found = await ask_gateway(services, access, "GET", path)
    for factor in found if isinstance(found, list) else ():
        if isinstance(factor, dict) and "id" in factor:
            await ask_gateway(services, access, "DELETE", f"{path}/{segment(str(factor['id']))}")
    await note(services, access, "user.factors.delete", client.address, path=path)
    return Empty()


def _email(body: Addressee) -> str:
    if not body.email:
        raise Invalid("email: this user has no address")
    return body.email
