"""Which objects need no second look? Remembers how each was when it last was as rendered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from .children import Name


@dataclass(frozen=True, slots=True)
class Settled:
    """An object that was as rendered: which one, how it looked, and what was rendered."""

    uid: str
    shape: str
    rendered: str


@dataclass
class Memory:
    """What is remembered of one project. Lost with the process, which costs one look at all."""

    settled: dict[Name, Settled] = field(default_factory=dict)
    looked_at: float = float("-inf")
    """When the kinds that are not watched were last compared, by the monotonic clock."""

    def keep_only(self, names: Collection[Name]) -> None:
        """Forgets what is not rendered any more."""
        self.settled = {name: seen for name, seen in self.settled.items() if name in names}
