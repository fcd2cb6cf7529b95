"""Who calls, and what of theirs is this request about? One query answers both.

The access token only says who somebody was when they signed in. Whether the account still exists,
the session was not ended, and what the account may see is asked of the database at each request,
together with the row that the request is about: authorization costs one round trip, never two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from .access import Role
from .database import Connection

ProjectState = Literal["reserved", "live"]


@dataclass(frozen=True)
class Membership:
    """An organization and what the caller is in it."""

    organization_id: int
    slug: str
    name: str
    billing_email: str | None
    role: Role


@dataclass(frozen=True)
class ProjectRow:
    """What the database knows of a project; everything else is in its SupabaseProject."""

    id: int
    ref: str
    organization_id: int
    organization_slug: str
    cr_namespace: str
    cr_name: str
    cr_uid: str | None
    state: ProjectState
    requested: Mapping[str, Any]
    created_at: datetime
    live_at: datetime | None

    @property
    def requested_name(self) -> str:
        """The display name that was asked for."""
        return str(self.requested.get("displayName") or self.cr_name)


@dataclass(frozen=True)
class Caller:
    """The account behind a valid token, its memberships, and what was asked for with it."""

    account_id: int
    gotrue_id: UUID
    email: str
    username: str
    first_name: str | None
    last_name: str | None
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None
    session_id: UUID
    memberships: tuple[Membership, ...]
    projects: tuple[ProjectRow, ...] = ()
    """Filled when asked for."""
    project: ProjectRow | None = None
    """The project that the request is about, whoever it belongs to."""

    def membership(self, *, slug: str | None = None, id: int | None = None) -> Membership | None:
        """The organization of that slug or number, if the caller is a member."""
        for one in self.memberships:
            if (slug is not None and one.slug == slug) or (
                id is not None and one.organization_id == id
            ):
                return one
        return None


@dataclass(frozen=True)
class OrganizationAccess:
    """A caller in an organization of theirs."""

    caller: Caller
    organization: Membership


@dataclass(frozen=True)
class ProjectAccess:
    """A caller at a project of an organization of theirs."""

    caller: Caller
    organization: Membership
    project: ProjectRow

    @property
    def role(self) -> Role:
        """What the caller is in the project's organization."""
        return self.organization.role


_ACCOUNT: LiteralString = """
SELECT a.id AS account_id, a.gotrue_id, a.email, a.username, a.first_name, a.last_name,
       a.created_at, a.updated_at, a.last_sign_in_at, s.id AS session_id,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'organization_id', o.id, 'slug', o.slug, 'name', o.name,
                   'billing_email', o.billing_email, 'role', m.role) ORDER BY o.name, o.id), '[]')
          FROM organization_membership m JOIN organizations o ON o.id = m.organization_id
         WHERE m.account_id = a.id) AS memberships
"""
_WHERE: LiteralString = """
  FROM sessions s JOIN accounts a ON a.id = s.account_id
 WHERE s.id = %(session)s AND a.gotrue_id = %(subject)s AND s.revoked_at IS NULL
   AND s.expires_at > %(now)s AND a.disabled_at IS NULL
"""
PROJECT_COLUMNS: LiteralString = """
'id', p.id, 'ref', p.ref, 'organization_id', p.organization_id, 'organization_slug', o.slug,
'cr_namespace', p.cr_namespace, 'cr_name', p.cr_name, 'cr_uid', p.cr_uid, 'state', p.state,
'requested', p.requested, 'created_at', p.created_at, 'live_at', p.live_at
"""
_ONE_PROJECT: LiteralString = f"""
, (SELECT jsonb_build_object({PROJECT_COLUMNS})
     FROM project p JOIN organizations o ON o.id = p.organization_id
    WHERE p.ref = %(ref)s AND p.state <> 'gone') AS project
"""  # noqa: S608, put together from constants of this file
_ALL_PROJECTS: LiteralString = f"""
, (SELECT coalesce(jsonb_agg(jsonb_build_object({PROJECT_COLUMNS}) ORDER BY p.id), '[]')
     FROM project p JOIN organizations o ON o.id = p.organization_id
          JOIN organization_membership m ON m.organization_id = p.organization_id
    WHERE m.account_id = a.id AND p.state <> 'gone') AS projects
"""  # noqa: S608, put together from constants of this file


async def identify(
    connection: Connection,
    *,
    subject: UUID,
    session: UUID,
    now: datetime,
    ref: str | None = None,
    with_projects: bool = False,
) -> Caller | None:
    """The caller, or None when the account or the session is no more. One statement.

    `ref`: also that project. `with_projects`: also all projects of the caller's organizations.
    """
    sql = _ACCOUNT
    if ref is not None:
        sql += _ONE_PROJECT
    if with_projects:
        sql += _ALL_PROJECTS
    values = {"subject": subject, "session": session, "now": now, "ref": ref}
    cursor = connection.cursor(row_factory=dict_row)
    row = await (await cursor.execute(sql + _WHERE, values)).fetchone()
    return None if row is None else _caller(row)


def _caller(row: dict[str, Any]) -> Caller:
    project = row.pop("project", None)
    return Caller(
        memberships=tuple(
            Membership(**{**m, "role": Role(m["role"])}) for m in row.pop("memberships")
        ),
        projects=tuple(project_row(p) for p in row.pop("projects", ())),
        project=None if project is None else project_row(project),
        **row,
    )


def project_row(value: dict[str, Any]) -> ProjectRow:
    """A row that came as JSON; its times are text then."""
    live_at = value["live_at"]
    times = {
        "created_at": datetime.fromisoformat(value["created_at"]),
        "live_at": None if live_at is None else datetime.fromisoformat(live_at),
    }
    return ProjectRow(**{**value, **times})
