"""What does a caller see of a project? The row and the snapshot joined; pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from supaplane_api.caller import ProjectRow
from supaplane_contract import SIZES, Phase, Size, quantities

from .snapshot import Key, Seen, Snapshot

GRACE = timedelta(seconds=60)
"""How long the watch may take to show a SupabaseProject that was just made."""
CLOUD_PROVIDER = "K8S"
DEFAULT_VERSION = "17"


class View(NamedTuple):
    """A project as it is shown. A tuple, since long lists make thousands of them."""

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


def view(row: ProjectRow, snapshot: Snapshot, now: datetime) -> View | None:
    """The project as it is shown; None when its SupabaseProject is gone."""
    return _joined(row, snapshot.get(row.cr_namespace, row.cr_name), now)


def _joined(row: ProjectRow, seen: Seen | None, now: datetime) -> View | None:
    if seen is not None and row.cr_uid is not None and seen.uid != row.cr_uid:
        seen = None  # another object of that name: not this project
    status = status_of(row, seen, now)
    return None if status is None else View(row, seen, status)


def status_of(row: ProjectRow, seen: Seen | None, now: datetime) -> str | None:
    """The word for the project's state; None when it is gone."""
    if seen is not None and seen.going:
        return Phase.GOING_DOWN.value
    if seen is not None:
        return seen.phase or Phase.COMING_UP.value
    if row.state == "reserved":
        return Phase.COMING_UP.value
    fresh = row.live_at is not None and now - row.live_at < GRACE
    return Phase.COMING_UP.value if fresh else None


def views(rows: tuple[ProjectRow, ...], snapshot: Snapshot, now: datetime) -> list[View]:
    """All that are there."""
    there = {namespace: snapshot.within(namespace) for namespace in snapshot.namespaces}
    nothing: Mapping[Key, Seen] = {}
    found = []
    for row in rows:
        key = row.cr_namespace, row.cr_name
        one = _joined(row, there.get(row.cr_namespace, nothing).get(key), now)
        if one is not None:
            found.append(one)
    return found
