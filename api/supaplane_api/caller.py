"""Who calls, and what of theirs is this request about? One query answers both.

The access token only says who somebody was when they signed in. Whether the account still exists,
the session was not ended, and what the account may see is asked of the database at each request,
together with the row that the request is about: authorization costs one round trip, never two.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from .access import Role
from .database import Connection
from .problems import NotAllowed

ProjectState = Literal["reserved", "live"]


@dataclass(frozen=True)
class Membership:
    """An organization and what the caller is in it."""

    organization_id: int
    slug: str
    name: str
    billing_email: str | None
    role: Role
    """In the organization as a whole."""
    project_refs: tuple[str, ...] | None = None
    """Projects that `project_role` is limited to; None: it holds in all."""
    project_role: Role | None = None
    """In those projects; None: as in the organization."""
    requires_factor: bool = False
    """Whether the organization demands a second factor of its members."""

    def at(self, ref: str) -> Membership | None:
        """The membership as it counts at a project; None: this member may not see it."""
        if self.project_refs is None:
            return self
        if ref not in self.project_refs:
            return None
        return replace(self, role=self.project_role or self.role)


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

    @functools.cached_property
    def folded_name(self) -> str:
        """The same as it is compared: without a difference between `A` and `a`."""
        return self.requested_name.casefold()

    @functools.cached_property
    def cr_key(self) -> tuple[str, str]:
        """Namespace and name of its SupabaseProject."""
        return self.cr_namespace, self.cr_name


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
    session_id: UUID | None
    """None: an access token that the account made."""
    memberships: tuple[Membership, ...]
    projects: tuple[ProjectRow, ...] = ()
    """Filled when asked for."""
    project: ProjectRow | None = None
    """The project that the request is about, whoever it belongs to."""
    has_factor: bool = False
    """Whether signing in takes a second factor."""
    verified: bool = False
    """Whether the code of a second factor was given in this session."""
    confirmed_at: datetime | None = None
    """When somebody showed that the address is theirs."""

    @property
    def lacks_factor(self) -> bool:
        """Whether a password alone was given where it takes a second factor."""
        return self.session_id is not None and self.has_factor and not self.verified

    def is_kept_out(self, membership: Membership) -> bool:
        """Whether an organization demands a second factor and this session was opened without, or
        this access token's account has none: with one, making tokens takes its code."""
        shown = self.has_factor if self.session_id is None else self.verified
        return membership.requires_factor and not shown

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
       a.created_at, a.updated_at, a.last_sign_in_at, a.confirmed_at, s.session_id, s.verified,
       EXISTS (SELECT FROM factors f
                WHERE f.account_id = a.id AND f.verified_at IS NOT NULL) AS has_factor,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'organization_id', o.id, 'slug', o.slug, 'name', o.name,
                   'billing_email', o.billing_email, 'role', m.role,
                   'requires_factor', o.requires_factor,
                   'project_refs', m.project_refs) ORDER BY o.name, o.id), '[]')
          FROM organization_membership m JOIN organizations o ON o.id = m.organization_id
         WHERE m.account_id = a.id) AS memberships
"""
_BY_SESSION: LiteralString = """
  FROM (SELECT id AS session_id, account_id, verified_at IS NOT NULL AS verified FROM sessions
         WHERE id = %(session)s AND revoked_at IS NULL AND expires_at > %(now)s) s
  JOIN accounts a ON a.id = s.account_id
 WHERE a.gotrue_id = %(subject)s AND a.disabled_at IS NULL
"""
_NOTE_USE: LiteralString = """
WITH used AS (UPDATE access_tokens SET last_used_at = %(now)s WHERE token_hash = %(token)s
                 AND coalesce(last_used_at, '-infinity') < %(now)s - interval '1 minute')
"""
_BY_TOKEN: LiteralString = """
  FROM (SELECT NULL::uuid AS session_id, account_id, false AS verified FROM access_tokens
         WHERE token_hash = %(token)s AND (expires_at IS NULL OR expires_at > %(now)s)) s
  JOIN accounts a ON a.id = s.account_id
 WHERE a.disabled_at IS NULL
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
ROW_VERSION: LiteralString = "p.id || ':' || p.xmin::text"
"""A project's number, and the transaction that wrote its row; slugs never change."""
_ALL_PROJECTS: LiteralString = f"""
, (SELECT coalesce(string_agg({ROW_VERSION}, ',' ORDER BY p.id), '')
     FROM project p JOIN organization_membership m ON m.organization_id = p.organization_id
    WHERE m.account_id = a.id AND p.state <> 'gone'
      AND (m.project_refs IS NULL OR p.ref = ANY (m.project_refs))) AS versions
"""  # noqa: S608, put together from constants of this file
ReadRows = Callable[[Connection, Sequence[str]], Awaitable[tuple[ProjectRow, ...]]]


async def identify(
    connection: Connection,
    *,
    now: datetime,
    subject: UUID | None = None,
    session: UUID | None = None,
    token: bytes | None = None,
    ref: str | None = None,
    rows: ReadRows | None = None,
) -> Caller | None:
    """The caller, or None when the account, session or access token is no more. One statement.

    Named by `subject` and `session`, or by the hash of an access token, whose use is noted once a
    minute. `ref`: also that project. `rows`: also all that the caller may see, read by it.
    """
    sql = _ACCOUNT if token is None else _NOTE_USE + _ACCOUNT
    if ref is not None:
        sql += _ONE_PROJECT
    if rows is not None:
        sql += _ALL_PROJECTS
    values = {"subject": subject, "session": session, "token": token, "now": now, "ref": ref}
    sql += _BY_SESSION if token is None else _BY_TOKEN
    cursor = connection.cursor(row_factory=dict_row)
    row = await (await cursor.execute(sql, values)).fetchone()
    if row is None:
        return None
    versions = row.pop("versions", "")
    read = await rows(connection, versions.split(",")) if rows is not None and versions else ()
    return _caller(row, read)


def _caller(row: dict[str, Any], projects: tuple[ProjectRow, ...]) -> Caller:
    project = row.pop("project", None)
    caller = Caller(
        memberships=tuple(_membership(m) for m in row.pop("memberships")),
        project=None if project is None else project_row(project),
        **row,
    )
    closed = {m.organization_id for m in caller.memberships if caller.is_kept_out(m)}
    return replace(caller, projects=tuple(p for p in projects if p.organization_id not in closed))


def demand_factor(caller: Caller, membership: Membership) -> None:
    """Raises NotAllowed for who is kept out of an organization for want of a second factor."""
    if caller.is_kept_out(membership):
        raise NotAllowed(
            f"{membership.name} demands a second factor (MFA) of its members: enable one in your"
            " account's settings, and sign in with it",
            code="insufficient_aal",
        )


def _membership(value: dict[str, Any]) -> Membership:
    role, refs = Role(value.pop("role")), value.pop("project_refs")
    if refs is None:
        return Membership(**value, role=role)
    return Membership(**value, role=Role.READ_ONLY, project_refs=tuple(refs), project_role=role)


def project_row(value: dict[str, Any]) -> ProjectRow:
    """A row that came as JSON; its times are text then."""
    live_at = value["live_at"]
    times = {
        "created_at": datetime.fromisoformat(value["created_at"]),
        "live_at": None if live_at is None else datetime.fromisoformat(live_at),
    }
    return ProjectRow(**{**value, **times})
