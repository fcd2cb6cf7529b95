"""Pages of an organization."""

from __future__ import annotations

from tests.api.shapes import ANY, Or

from .answers import ENTITLEMENT, METRIC, ORGANIZATION, PLAN, ROLE
from .calls import LOOKS, NO_FACTOR, ORG, PERIOD, Row, change, get, head, refused, same

PAGES: dict[str, list[Row]] = {
    "organization": [
        change("POST", "/platform/organizations", {"name": "Second"}, ORGANIZATION),
        get(ORG, {key: shape for key, shape in ORGANIZATION.items() if key != "is_owner"}),
        get(f"{ORG}/entitlements", {"entitlements": [ENTITLEMENT]}),
        get(
            f"{ORG}/billing/subscription",
            {
                "plan": {"id": PLAN, "name": str},
                "usage_billing_enabled": bool,
                "billing_via_partner": bool,
                "billing_cycle_anchor": float,
                "current_period_start": float,
                "current_period_end": float,
                "next_invoice_at": float,
                "customer_balance": float,
                "payment_method_type": str,
                "addons": [dict],
                "project_addons": [dict],
                "scheduled_plan_change": Or(dict, None),
            },
        ),
        get(f"{ORG}/audit?{PERIOD}", {"result": [ANY], "retention_period": float}),
        change("PATCH", ORG, {"name": "Acme"}, {"id": float, "name": str, "slug": str}),
        change("DELETE", "/platform/organizations/{empty}"),
        *refused(
            f"GET {ORG}/sso", f"GET {ORG}/apps", f"GET {ORG}/oauth/apps", f"POST {ORG}/oauth/apps"
        ),
    ],
    "team": [
        change("POST", f"{ORG}/members/invitations", {"email": "eve@example.org", "role_id": 3}),
        get(
            f"{ORG}/members",
            [
                {
                    "gotrue_id": str,
                    "primary_email": Or(str, None),
                    "username": str,
                    "role_ids": [float],
                    "mfa_enabled": bool,
                    "is_sso_user": Or(bool, None),
                    "metadata": dict,
                }
            ],
        ),
        get(f"{ORG}/members/invitations", {"invitations": [dict]}),
        get(f"{ORG}/members/mfa/enforcement", {"enforced": bool}),
        same("PATCH", f"{ORG}/members/mfa/enforcement", {"enforced": False}, {"enforced": bool}),
        same(
            "PATCH",
            f"{ORG}/members/mfa/enforcement?",
            {"enforced": True},
            phases=NO_FACTOR,
        ),
        change("DELETE", f"{ORG}/members/invitations/{{invitation}}"),
        get(
            "/platform/organizations/{other}/members/invitations/{token}",
            {
                "organization_name": str,
                "authorized_user": bool,
                "email_match": bool,
                "expired_token": bool,
                "sso_mismatch": bool,
                "token_does_not_exist": bool,
            },
        ),
        change("POST", "/platform/organizations/{other}/members/invitations/{token}"),
        change("PATCH", f"{ORG}/members/{{member}}", {"role_id": 3}),
        change(
            "PUT",
            f"{ORG}/members/{{leaver}}/roles/3",
            {"name": "Developer", "role_scoped_projects": ["{ref}"]},
        ),
        change("DELETE", f"{ORG}/members/{{member}}/roles/3"),
        change("DELETE", f"{ORG}/members/{{leaver}}"),
        get(f"{ORG}/roles", {"org_scoped_roles": [ROLE], "project_scoped_roles": [ROLE]}),
    ],
    "usage": [
        get(f"{ORG}/usage", {"usage_billing_enabled": bool, "usages": [METRIC]}, LOOKS),
        get(f"{ORG}/usage/daily", {"usages": [dict]}),
        get(f"{ORG}/daily-stats?metric=EGRESS&interval=1d", {"usages": [dict]}),
    ],
    "billing": [
        get(f"{ORG}/billing/plans", {"plans": [{"id": PLAN, "name": str, "is_current": bool}]}),
        get(f"{ORG}/billing/invoices?limit=10&offset=0", [dict]),
        head(f"{ORG}/billing/invoices"),
        get(f"{ORG}/billing/invoices/upcoming", {"amount_total": float, "lines": [dict]}),
        get(f"{ORG}/customer", {"email": str, "address": Or(dict, None)}),
        get(f"{ORG}/payments", {"data": [dict], "defaultPaymentMethodId": Or(str, None)}),
        get(f"{ORG}/tax-ids", {"tax_id": Or(dict, None)}),
        *refused(
            f"PUT {ORG}/billing/subscription",
            f"POST {ORG}/billing/subscription/preview",
            f"POST {ORG}/billing/credits/redeem",
            f"GET {ORG}/documents/soc2-type-2-report",
            f"PUT {ORG}/tax-ids",
            f"POST {ORG}/payments/setup-intent",
            f"PUT {ORG}/customer",
        ),
    ],
    "integrations": [
        get("/platform/integrations/github/authorization", Or(dict, None)),
        get("/platform/integrations/github/connections?organization_id=1", {"connections": [dict]}),
        get(
            "/platform/integrations/github/repositories",
            {"repositories": [dict], "partial_response_due_to_sso": bool},
        ),
        *refused(
            "POST /platform/integrations/github/authorization",
            "POST /platform/integrations/github/connections",
            "POST /platform/integrations/vercel",
        ),
    ],
}
