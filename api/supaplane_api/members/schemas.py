"""Members, roles and invitations as Studio reads and sends them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from supaplane_api.access import ROLE_IDS, Role
from supaplane_api.schema import Answer, Body
from supaplane_api.text import Email, Word

from . import roles
from .repository import InvitationRow, MemberRow

Refs = Annotated[list[Word], Field(max_length=1000)]


class Member(Answer):
    """Somebody in the organization."""

    gotrue_id: str
    primary_email: str
    username: str
    role_ids: list[int]
    mfa_enabled: bool
    is_sso_user: bool = False
    metadata: dict[str, Any] = Field(default={})

    @classmethod
    def of(cls, row: MemberRow) -> Member:
        """As it is kept."""
        limited = row.project_refs is not None
        return cls(
            gotrue_id=str(row.gotrue_id),
            primary_email=row.email,
            username=row.username,
            role_ids=[roles.number_of(Role(row.role), row.account_id, limited=limited)],
            mfa_enabled=row.has_factor,
        )


class RoleProject(Answer):
    """A project that a role is limited to."""

    name: str
    ref: str


class MemberRole(Answer):
    """A role by its number."""

    id: int
    name: str
    description: str | None = None
    base_role_id: int
    projects: list[RoleProject] = Field(default=[])
    project_ids: list[int] = Field(default=[])


class Roles(Answer):
    """The four roles, and those that members have in some projects only."""

    org_scoped_roles: list[MemberRole]
    project_scoped_roles: list[MemberRole]

    @classmethod
    def of(cls, rows: list[MemberRow]) -> Roles:
        """The roles of an organization with these members."""
        return cls(
            org_scoped_roles=[
                MemberRole(id=number, name=role.value, base_role_id=number)
                for role, number in ROLE_IDS.items()
            ],
            project_scoped_roles=[
                MemberRole(
                    id=roles.number_of(Role(row.role), row.account_id, limited=True),
                    name=row.role,
                    base_role_id=ROLE_IDS[Role(row.role)],
                    projects=[RoleProject(name=ref, ref=ref) for ref in row.project_refs],
                )
                for row in rows
                if row.project_refs is not None
            ],
        )


class AssignRole(Body):
    """A role for a member."""

    role_id: int
    role_scoped_projects: Refs | None = None
    """Refs of the projects that the role is limited to. Absent or empty: all."""


class LimitRole(Body):
    """Other projects for a member's role."""

    name: Word | None = None
    description: Word | None = None
    role_scoped_projects: Refs


class Invite(Body):
    """An invitation; it is for that address only."""

    email: Email
    role_id: int
    role_scoped_projects: Refs | None = None
    require_sso: bool | None = None


class Invitation(Answer):
    """An invitation, without its token."""

    id: int
    invited_email: str
    invited_at: str
    expires_at: str
    role_id: int

    @classmethod
    def of(cls, row: InvitationRow) -> Invitation:
        """As it is kept."""
        return cls(
            id=row.id,
            invited_email=row.email,
            invited_at=row.created_at.isoformat(),
            expires_at=row.expires_at.isoformat(),
            role_id=ROLE_IDS[Role(row.role)],
        )


class Invitations(Answer):
    """All invitations of an organization."""

    invitations: list[Invitation]


class Invited(Answer):
    """An invitation that was just made."""

    id: int
    invited_email: str
    expires_at: str
    token: str
    """Shown this once."""
    link: str | None
    """Where the invited person joins, to be handed on; null where no Studio is configured."""


class InvitationState(Answer):
    """What the page behind an invitation's link is told."""

    organization_name: str
    invite_id: int | None = None
    authorized_user: bool
    email_match: bool
    expired_token: bool
    sso_mismatch: bool = False
    token_does_not_exist: bool


class FactorRule(Body):
    """Whether everybody in the organization needs a second factor."""

    enforced: bool


class FactorRuleTold(Answer):
    """The same, as it is."""

    enforced: bool
