"""Does the stream of SupabaseProjects live, or does it end again as soon as it has begun?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WELL_SECONDS: Final = 15.0
"""How long a stream must have lived to count as well."""
SEVERAL: Final = 5
"""Ends in a row that are more than an API server that starts again."""


@dataclass
class StreamHealth:
    """Times are seconds of one monotonic clock."""

    _ended: int = 0
    """How often in a row it ended soon after it had begun."""
    _began: float | None = None

    def begins(self, now: float) -> None:
        """It is started."""
        self._began = now

    def ends(self, now: float) -> None:
        """It ended, for whatever reason."""
        self._ended = 1 if self._lives(now) else self._ended + 1
        self._began = None

    def trouble(self, now: float) -> str | None:
        """Why no news come in; None when they do, as far as one can tell."""
        if self._ended < SEVERAL or self._lives(now):
            return None
        return f"the stream of SupabaseProjects ended {self._ended} times in a row: see the log"

    def _lives(self, now: float) -> bool:
        return self._began is not None and now - self._began > WELL_SECONDS
