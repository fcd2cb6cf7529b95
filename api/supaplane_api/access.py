"""Who may do what? One table of roles and rights, and the two questions that are asked of it.

A stranger is told "not found", so that nobody learns what exists; a member without the right is
told which role has it. The four roles are those that Studio knows by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from .problems import Missing, NotAllowed


class Role(StrEnum):
    """What a member of an organization is."""

    OWNER = "Owner"
    ADMINISTRATOR = "Administrator"
    DEVELOPER = "Developer"
    READ_ONLY = "Read-only"


class Right(StrEnum):
    """What can be allowed. The text is how a refusal names it."""

    ORGANIZATION_READ = "see the organization"
    BILLING_READ = "see the plan of the organization"
    USAGE_READ = "see the usage of the organization"
    ORGANIZATION_UPDATE = "change the organization"
    ORGANIZATION_DELETE = "delete the organization"
    AUDIT_READ = "see the audit log of the organization"
    MEMBERS_READ = "see the members of the organization"
    MEMBERS_LEAVE = "leave the organization"
    MEMBERS_MANAGE = "invite, change and remove members"
    PROJECT_CREATE = "create projects"
    PROJECT_READ = "see the project"
    PROJECT_RENAME = "rename the project"
    PROJECT_SECRETS = "see the secret keys of the project"
    PROJECT_RUN = "pause, restore, restart and resize the project"
    PROJECT_DELETE = "delete the project"
    PROJECT_TRANSFER = "give the project to another organization"
    PROJECT_CONFIGURE = "change the configuration of the project"
    SQL_RUN = "run SQL in the project"
    SCHEMA_CHANGE = "change the database of the project"
    CONTENT_READ = "see the saved queries of the project"
    CONTENT_WRITE = "save queries in the project"
    USERS_CHANGE = "change the users of the project"
    FILES_READ = "see the files of the project"
    FILES_CHANGE = "change the files of the project"
    FUNCTIONS_CHANGE = "deploy functions of the project"


_EVERYBODY = frozenset(Role)
_MANAGERS = frozenset({Role.OWNER, Role.ADMINISTRATOR})
_BUILDERS = _MANAGERS | {Role.DEVELOPER}

ALLOWED: Mapping[Right, frozenset[Role]] = MappingProxyType(
    {
        Right.ORGANIZATION_READ: _EVERYBODY,
        Right.BILLING_READ: _EVERYBODY,
        Right.USAGE_READ: _EVERYBODY,
        Right.ORGANIZATION_UPDATE: _MANAGERS,
        Right.ORGANIZATION_DELETE: frozenset({Role.OWNER}),
        Right.AUDIT_READ: _MANAGERS,
        Right.MEMBERS_READ: _EVERYBODY,
        Right.MEMBERS_LEAVE: _EVERYBODY,
        Right.MEMBERS_MANAGE: _MANAGERS,
        Right.PROJECT_CREATE: _MANAGERS,
        Right.PROJECT_READ: _EVERYBODY,
        Right.PROJECT_RENAME: _MANAGERS,
        Right.PROJECT_SECRETS: _BUILDERS,
        Right.PROJECT_RUN: _MANAGERS,
        Right.PROJECT_DELETE: _MANAGERS,
        Right.PROJECT_TRANSFER: frozenset({Role.OWNER}),
        Right.PROJECT_CONFIGURE: _MANAGERS,
        Right.SQL_RUN: _EVERYBODY,
        Right.SCHEMA_CHANGE: _BUILDERS,
        Right.CONTENT_READ: _EVERYBODY,
        Right.CONTENT_WRITE: _BUILDERS,
        Right.USERS_CHANGE: _BUILDERS,
        Right.FILES_READ: _EVERYBODY,
        Right.FILES_CHANGE: _BUILDERS,
        Right.FUNCTIONS_CHANGE: _BUILDERS,
    }
)


def may(role: Role, right: Right) -> bool:
    """Whether that role has that right."""
    return role in ALLOWED[right]


def require(role: Role | None, right: Right, *, what: str) -> Role:
    """The role, if it may. Raises Missing for strangers (None), NotAllowed for the others.

    `what` is what a stranger asked for, as in "project".
    """
    if role is None:
        whose = "it" if what == "organization" else "its organization"
        raise Missing(f"There is no such {what}, or you are not a member of {whose}")
    if not may(role, right):
        allowed = " or ".join(r.value for r in Role if r in ALLOWED[right])
        raise NotAllowed(
            f"As {role.value} you may not {right.value}: that takes the role {allowed}"
        )
    return role


ROLE_IDS: Mapping[Role, int] = MappingProxyType({role: at for at, role in enumerate(Role, 1)})
"""The roles' numbers, by which Studio names them."""


def may_make(role: Role, other: Role) -> bool:
    """Whether somebody may give that role to others, or take it: only owners make owners."""
    return may(role, Right.MEMBERS_MANAGE) and (role is Role.OWNER or other is not Role.OWNER)


_READS = ("read:Read", "analytics:Read", "functions:Read")
_STUDIO_ACTIONS: Mapping[Role, tuple[str, ...]] = MappingProxyType(
    {
        Role.OWNER: ("%",),
        Role.ADMINISTRATOR: ("%",),
        Role.DEVELOPER: (
            *_READS,
            "analytics:Write",
            "auth:Execute",
            "billing:Read",
            "functions:%",
            "realtime:%",
            "replication:%",
            "secrets:Read",
            "sql:%",
            "storage:%",
            "tenant:Sql:%",
        ),
        Role.READ_ONLY: (
            *_READS,
            "billing:Read",
            "storage:Admin:Read",
            "storage:Read",
            "tenant:Sql:Admin:Read",
            "tenant:Sql:Query",
            "tenant:Sql:Read:Select",
        ),
    }
)


def studio_actions(role: Role) -> tuple[str, ...]:
    """What Studio should offer to a role: its own words for actions, `%` standing for anything.

    Only a convenience of the page: what is truly allowed is decided by ALLOWED.
    """
    return _STUDIO_ACTIONS[role]
