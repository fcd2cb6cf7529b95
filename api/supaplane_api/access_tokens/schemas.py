"""Access tokens as Studio reads and sends them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from supaplane_api.schema import Answer, Body
from supaplane_api.text import Name

from .repository import AccessToken


class CreateToken(Body):
    """A token to be made; it may do what its owner may."""

    name: Name
    expires_at: Annotated[datetime | None, Field(strict=False)] = None
    """Absent: it does not expire."""
    scope: Literal["V0"] | None = None


class Token(Answer):
    """A token without itself."""

    id: int
    name: str
    token_alias: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    scope: Literal["V0"] = "V0"

    @classmethod
    def of(cls, token: AccessToken) -> Token:
        """As it is kept."""
        return cls(
            id=token.id,
            name=token.name,
            token_alias=token.token_alias,
            created_at=token.created_at.isoformat(),
            expires_at=token.expires_at.isoformat() if token.expires_at else None,
            last_used_at=token.last_used_at.isoformat() if token.last_used_at else None,
        )


class NewToken(Token):
    """A token that was just made."""

    token: str
    """Shown this once."""
