"""What does an organization owe? Nothing: there is one plan, and it is free."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from supaplane_api.access import Right
from supaplane_api.caller import OrganizationAccess
from supaplane_api.deps import Member, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.organizations.service import subscription
from supaplane_api.problems import DATABASE

from .schemas import Customer, Invoice, PaymentMethods, Plans, TaxId, Upcoming

router = APIRouter(prefix="/organizations/{slug}", tags=["billing"])
"""Served at the root and below /platform."""
Reader = Annotated[OrganizationAccess, Depends(Member(Right.BILLING_READ))]
ANSWERS = may_answer(DATABASE)
COUNT = {"X-Total-Count": "0"}


@router.get("/billing/plans", openapi_extra=ANSWERS)
async def plans(access: Reader) -> Plans:
    """The plans: one."""
    return Plans()


@router.get("/billing/invoices", openapi_extra=ANSWERS)
async def invoices(access: Reader, response: Response) -> list[Invoice]:
    """Bills: none is ever written."""
    response.headers.update(COUNT)
    return []


@router.head("/billing/invoices", openapi_extra=ANSWERS, response_class=Response)
async def count_invoices(access: Reader) -> Response:
    """How many bills there are: none."""
    return Response(status_code=200, headers=COUNT)


@router.get("/billing/invoices/upcoming", openapi_extra=ANSWERS)
async def upcoming(services: TheServices, access: Reader) -> Upcoming:
    """What the running month will cost: nothing."""
    month = subscription(services.outside.now())
    return Upcoming(
        billing_cycle_start=_iso(month.current_period_start),
        billing_cycle_end=_iso(month.current_period_end),
    )


@router.get("/customer", openapi_extra=ANSWERS)
async def customer(access: Reader) -> Customer:
    """Where bills would go."""
    there = access.organization
    return Customer(email=there.billing_email or "", billing_name=there.name)


@router.get("/payments", openapi_extra=ANSWERS)
async def payments(access: Reader) -> PaymentMethods:
    """Cards: none are taken."""
    return PaymentMethods()


@router.get("/tax-ids", openapi_extra=ANSWERS)
async def tax_ids(access: Reader) -> TaxId:
    """A tax number: none is kept."""
    return TaxId()


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
