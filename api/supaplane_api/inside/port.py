"""What can be asked of a project's own services? The destination is always made from the ref."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class Part(Enum):
    """A Service of a project that this program may reach, by its name and port."""

    META = ("meta", 8080)
    GATEWAY = ("gateway", 8000)
    ANALYTICS = ("analytics", 4000)


@dataclass(frozen=True)
class Call:
    """One request. `path` is made of segments of ours and encoded ones of the caller's."""

    ref: str
    part: Part
    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    seconds: float = 15.0
    """How long the answer may take."""
    most_bytes: int = 16 * 1024 * 1024
    """How large the answer may be."""


@dataclass(frozen=True)
class Reply:
    """What the service answered."""

    status: int
    body: bytes


class NotReached(Exception):
    """Nothing answered, or not in time. The text holds nothing of the call."""


class TooMuch(Exception):
    """The answer is larger than the call allows."""


class Inside(Protocol):
    """The way into the projects."""

    async def send(self, call: Call) -> Reply:
        """The answer, whatever its status. Raises NotReached, TooMuch."""

    async def close(self) -> None:
        """Ends all connections."""


class Nowhere:
    """No way in: what describes the routes, or tests them, needs none."""

    async def send(self, call: Call) -> Reply:
        """Reaches nothing."""
        raise NotReached("there is no way to the services of projects")

    async def close(self) -> None:
        """There is nothing to end."""
