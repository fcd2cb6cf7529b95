"""What do pages ask for whatever the project? Notifications, bills, how this platform runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE, Missing
from supaplane_api.schema import Answer, Body, Empty
from supaplane_api.text import Word

router = APIRouter(tags=["platform"])
CallerHere = Annotated[Caller, Depends(AnyAccount())]
ANSWERS = may_answer(DATABASE)
NO_TOKEN = "There is no such token: this platform has none of limited rights"


class Notification(Answer):
    """A message to the caller."""

    id: str
    name: str
    data: dict[str, Any]
    meta: dict[str, Any]
    priority: Literal["Critical", "Warning", "Info"]
    status: Literal["new", "seen", "archived"]
    inserted_at: str


class NotificationSummary(Answer):
    """What the bell shows."""

    has_critical: bool = False
    has_warning: bool = False
    unread_count: int = 0


class MarkNotification(Body):
    """A message, and what it is to count as."""

    id: Word
    status: Literal["new", "seen", "archived"]


class OverdueInvoices(Answer):
    """What an organization owes; nothing is ever owed here."""

    organization_id: int
    overdue_invoice_count: int


class DeploymentMode(Answer):
    """Whether Studio was started by the CLI."""

    is_cli_mode: bool = False


class ScopedToken(Answer):
    """An access token of limited rights; there are none."""

    id: str


class ScopedTokens(Answer):
    """Access tokens of limited rights: none."""

    tokens: tuple[ScopedToken, ...] = ()


@router.get("/notifications", openapi_extra=ANSWERS)
async def notifications(caller: CallerHere) -> list[Notification]:
    """Messages to the caller: none are sent."""
    return []


@router.get("/notifications/summary", openapi_extra=ANSWERS)
async def notifications_summary(caller: CallerHere) -> NotificationSummary:
    """How many messages wait: none."""
    return NotificationSummary()


@router.patch("/notifications", openapi_extra=may_answer(DATABASE, not_found=True))
async def mark_notifications(
    caller: CallerHere, body: Annotated[list[MarkNotification], Field(max_length=1000)]
) -> list[Notification]:
    """Marks messages as seen; there are none to mark."""
    if body:
        raise Missing("There is no such notification: none are sent by this platform")
    return []


@router.patch("/notifications/archive-all", openapi_extra=ANSWERS)
async def archive_notifications(caller: CallerHere) -> Empty:
    """Puts all messages away: there are none."""
    return Empty()


@router.get("/stripe/invoices/overdue", openapi_extra=ANSWERS)
async def overdue_invoices(caller: CallerHere) -> list[OverdueInvoices]:
    """Unpaid invoices: there is no billing here."""
    return []


@router.get("/deployment-mode", openapi_extra=ANSWERS)
async def deployment_mode(caller: CallerHere) -> DeploymentMode:
    """Whether Studio was started by the CLI: no, it is a platform's."""
    return DeploymentMode()


@router.post("/profile/audit-login", status_code=201, openapi_extra=ANSWERS)
async def audit_login(caller: CallerHere) -> Empty:
    """That somebody signed in: the audit log has it already, from the signing in itself."""
    return Empty()


@router.get("/profile/scoped-access-tokens", openapi_extra=ANSWERS)
async def scoped_tokens(caller: CallerHere) -> ScopedTokens:
    """Access tokens of limited rights: none."""
    return ScopedTokens()


@router.get(
    "/profile/scoped-access-tokens/{id}", openapi_extra=may_answer(DATABASE, not_found=True)
)
async def scoped_token(caller: CallerHere, id: str) -> ScopedToken:
    """One of them: there are none."""
    raise Missing(NO_TOKEN)


@router.delete(
    "/profile/scoped-access-tokens/{id}", openapi_extra=may_answer(DATABASE, not_found=True)
)
async def delete_scoped_token(caller: CallerHere, id: str) -> ScopedToken:
    """Takes one of them back: there are none."""
    raise Missing(NO_TOKEN)
