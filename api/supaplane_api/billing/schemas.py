"""Plans, invoices and payments, in the shapes that Studio's billing pages read."""

from __future__ import annotations

from typing import Literal

from supaplane_api.schema import Answer


class Invoice(Answer):
    """A bill; none is ever written."""

    id: str


class Upcoming(Answer):
    """What the running month will cost: nothing."""

    amount_total: int = 0
    amount_projected: int = 0
    billing_cycle_start: str
    billing_cycle_end: str
    currency: str = "usd"
    customer_balance: int = 0
    lines: tuple[Invoice, ...] = ()
    subscription_id: str = ""


class OfferedPlan(Answer):
    """A plan that an organization can have: the free one, which it has."""

    id: Literal["free"] = "free"
    name: str = "Free"
    price: int = 0
    is_current: bool = True
    change_type: Literal["none"] = "none"
    effective_at: str | None = None


class Plans(Answer):
    """All plans."""

    plans: tuple[OfferedPlan, ...] = (OfferedPlan(),)


class Customer(Answer):
    """Where bills would go."""

    email: str
    billing_name: str
    additional_emails: tuple[str, ...] = ()
    address: None = None
    balance: int = 0
    city: None = None


class PaymentMethods(Answer):
    """Cards: none are taken."""

    data: tuple[Invoice, ...] = ()
    defaultPaymentMethodId: None = None


class TaxId(Answer):
    """A tax number: none is kept."""

    tax_id: None = None
