"""Entries of the audit log in the shape that Studio's page reads."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from supaplane_api.schema import Answer

from .repository import Entry


class Action(Answer):
    """What was done."""

    name: str
    metadata: list[dict[str, Any]] = Field(default=[])


class ActorMetadata(Answer):
    """From where."""

    email: str
    ip: str | None


class Actor(Answer):
    """Who did it."""

    id: str
    type: str
    metadata: list[ActorMetadata]


class Target(Answer):
    """To what."""

    description: str
    metadata: dict[str, str]


class Logged(Answer):
    """One change."""

    action: Action
    actor: Actor
    target: Target
    occurred_at: str
    permission_group: str | None = None

    @classmethod
    def of(cls, entry: Entry) -> Logged:
        """As it is kept."""
        place = {"org_slug": entry.organization_slug, "project_ref": entry.project_ref}
        whole = {key: value for key, value in place.items() if value is not None}
        details = ", ".join(f"{key}: {value}" for key, value in entry.details.items())
        return cls(
            action=Action(name=entry.action, metadata=[entry.details] if entry.details else []),
            actor=Actor(
                id="" if entry.actor_id is None else str(entry.actor_id),
                type="platform" if entry.actor_id is None else "user",
                metadata=[ActorMetadata(email=entry.actor_email or "", ip=entry.address)],
            ),
            target=Target(description=details or "; ".join(whole.values()), metadata=whole),
            occurred_at=entry.occurred_at.isoformat(),
        )


class AuditLog(Answer):
    """Changes, the newest first."""

    result: list[Logged]
    retention_period: int
    """Days that Studio's page offers to look back; nothing is deleted."""
