"""What does a caller see of a project? The row and the snapshot joined; pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from supaplane_api.caller import ProjectRow
from supaplane_contract import SIZES, Phase, Size, quantities

from .snapshot import Seen, Snapshot

GRACE = timedelta(seconds=60)
"""How long the watch may take to show a SupabaseProject that was just made."""
CLOUD_PROVIDER = "K8S"
DEFAULT_VERSION = "17"


class View(NamedTuple):
    """A project as it is shown."""

    row: ProjectRow
    seen: Seen | None
    status: str

    @property
    def name(self) -> str:
        """The display name."""
        return self.seen.display_name if self.seen else self.row.requested_name

    @property
    def region(self) -> str:
        """Where it counts as running."""
        return self.seen.region if self.seen else str(self.row.requested.get("region") or "local")

    @property
    def size(self) -> str:
        """Its size in Studio's words, which know no `dev`: that is the smallest there."""
        size = self.seen.size if self.seen else str(self.row.requested.get("size") or "nano")
        return "nano" if size == Size.DEV.value else size

    @property
    def volume_gigabytes(self) -> int | None:
        """Size of the database volume in GB, as far as it is known."""
        size = self.seen.size if self.seen else str(self.row.requested.get("size") or "nano")
        known = SIZES[Size(size)].database_volume if size in _SIZES else None
        return _gigabytes(self.seen.volume_size if self.seen else None) or _gigabytes(known)

    @property
    def database_version(self) -> str:
        """Major version of PostgreSQL."""
        return (self.seen.database_version if self.seen else None) or DEFAULT_VERSION


_SIZES = frozenset(size.value for size in Size)


@functools.lru_cache(maxsize=256)
def _gigabytes(quantity: str | None) -> int | None:
    """Whole GiB, at least one; None for what is no quantity."""
    try:
        return max(1, round(quantities.parse(quantity) / 2**30)) if quantity else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Views:
    """Projects that are there, in columns: of ten thousand only those of one page become a View."""

    rows: Sequence[ProjectRow]
    seen: Sequence[Seen | None]
    statuses: Sequence[str]

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, place: int) -> View:
        """The project at that place."""
        return View(self.rows[place], self.seen[place], self.statuses[place])

    def folded_names(self) -> list[str]:
        """The display names as they are compared."""
        return [
            row.folded_name if seen is None else seen.folded_name
            for row, seen in zip(self.rows, self.seen, strict=True)
        ]


def view(row: ProjectRow, snapshot: Snapshot, now: datetime) -> View | None:
    """The project as it is shown; None when its SupabaseProject is gone."""
    found = views((row,), snapshot, now)
    return found.at(0) if found else None


def views(rows: Iterable[ProjectRow], snapshot: Snapshot, now: datetime) -> Views:
    """All that are there, in the order of the rows."""
    known = snapshot.items().get
    found: list[ProjectRow] = []
    joined: list[Seen | None] = []
    statuses: list[str] = []
    for row in rows:
        seen = known(row.cr_key)
        if seen is not None and seen.uid != row.cr_uid and row.cr_uid is not None:
            seen = None  # another object of that name: not this project
        status = _unseen(row, now) if seen is None else seen.status
        if status is not None:
            found.append(row)
            joined.append(seen)
            statuses.append(status)
    return Views(found, joined, statuses)


def _unseen(row: ProjectRow, now: datetime) -> str | None:
    """The word for a project that the watch does not show; None when it is gone."""
    fresh = row.live_at is not None and now - row.live_at < GRACE
    return Phase.COMING_UP.value if row.state == "reserved" or fresh else None
