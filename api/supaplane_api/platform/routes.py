"""Notifications and invoices: there are none, and each page is told so in the shape it expects."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends

from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE
from supaplane_api.schema import Answer

router = APIRouter(tags=["platform"])
CallerHere = Annotated[Caller, Depends(AnyAccount())]
ANSWERS = may_answer(DATABASE)


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


class OverdueInvoices(Answer):
    """What an organization owes; nothing is ever owed here."""

    organization_id: int
    overdue_invoice_count: int


@router.get("/notifications", openapi_extra=ANSWERS)
async def notifications(caller: CallerHere) -> list[Notification]:
    """Messages to the caller: none are sent."""
    return []


@router.get("/notifications/summary", openapi_extra=ANSWERS)
async def notifications_summary(caller: CallerHere) -> NotificationSummary:
    """How many messages wait: none."""
    return NotificationSummary()


@router.get("/stripe/invoices/overdue", openapi_extra=ANSWERS)
async def overdue_invoices(caller: CallerHere) -> list[OverdueInvoices]:
    """Unpaid invoices: there is no billing here."""
    return []
