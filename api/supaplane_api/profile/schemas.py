"""The caller's own account in Studio's words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints

from supaplane_api.access import studio_actions
from supaplane_api.caller import Caller, Membership, ProjectRow
from supaplane_api.schema import Answer, Body
from supaplane_api.text import LONGEST_PASSWORD, Email, Name

DISABLED_FEATURES = (
    "billing:account_data",
    "billing:credits",
    "billing:invoices",
    "billing:payment_methods",
    "projects:transfer",
)
"""What Studio hides, because it does not exist here or is not served yet."""


class Profile(Answer):
    """The account."""

    id: int
    auth0_id: str = ""
    gotrue_id: str
    primary_email: str
    username: str
    first_name: str | None
    last_name: str | None
    mobile: str | None = None
    is_alpha_user: bool = False
    is_sso_user: bool = False
    free_project_limit: int | None = None
    disabled_features: tuple[str, ...] = DISABLED_FEATURES

    @classmethod
    def of(cls, caller: Caller) -> Profile:
        """The caller's own."""
        return cls(
            id=caller.account_id,
            gotrue_id=str(caller.gotrue_id),
            primary_email=caller.email,
            username=caller.username,
            first_name=caller.first_name,
            last_name=caller.last_name,
        )


class Permission(Answer):
    """What the caller may do in one organization; `%` stands for anything."""

    organization_id: int
    organization_slug: str
    project_ids: tuple[int, ...] = ()
    """Empty: all projects."""
    project_refs: tuple[str, ...] = ()
    """Empty: all projects."""
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("%",)
    condition: dict[str, Any] | None = None
    restrictive: bool = False

    @classmethod
    def of(cls, membership: Membership, projects: tuple[ProjectRow, ...]) -> list[Permission]:
        """What the member may do there: in the organization, and in projects of their own role."""
        organization = membership.organization_id
        entries = [
            cls(
                organization_id=organization,
                organization_slug=membership.slug,
                actions=studio_actions(membership.role),
            )
        ]
        if membership.project_refs is not None and membership.project_role is not None:
            shown = [p for p in projects if p.ref in membership.project_refs]
            entries += [
                cls(
                    organization_id=organization,
                    organization_slug=membership.slug,
                    project_ids=tuple(p.id for p in shown),
                    project_refs=tuple(p.ref for p in shown),
                    actions=studio_actions(membership.project_role),
                )
            ] * bool(shown)
        return entries


class UpdateProfile(Body):
    """What changes of the account."""

    first_name: Name | None = None
    last_name: Name | None = None
    username: Name | None = None
    primary_email: Email | None = None
    """Only as it is: the address changes by `PUT /auth/user`."""


class SessionOfAccount(Answer):
    """A sign-in of the account."""

    id: str
    created_at: str
    refreshed_at: str
    expires_at: str
    address: str | None
    user_agent: str | None
    current: bool
    """Whether it is the one that asks."""


class PasswordCheck(Body):
    """A password to be judged; it is neither kept nor logged."""

    password: Annotated[str, StringConstraints(max_length=4 * LONGEST_PASSWORD)]


class Feedback(Answer):
    """What would make it better."""

    warning: str
    suggestions: list[str]


class Result(Answer):
    """How hard it is to guess."""

    score: int
    """0 (at once) to 4 (very hard)."""
    feedback: Feedback


class PasswordChecked(Answer):
    """The judgement."""

    result: Result
