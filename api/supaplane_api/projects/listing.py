"""Which of a caller's projects, in which order, and how are they shown? Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

from .schemas import ListedProject, Pagination
from .views import CLOUD_PROVIDER, View, Views

Sort = Literal["name_asc", "name_desc", "created_asc", "created_desc"]
DEFAULT_LIMIT = 100
MOST = 1000


def listed(view: View) -> ListedProject:
    """A project in a list."""
    return ListedProject(**common(view))


def common(view: View) -> dict[str, Any]:
    """What lists and details share."""
    return {
        "id": view.row.id,
        "ref": view.row.ref,
        "name": view.name,
        "status": view.status,
        "organization_id": view.row.organization_id,
        "organization_slug": view.row.organization_slug,
        "cloud_provider": CLOUD_PROVIDER,
        "region": view.region,
        "inserted_at": view.row.created_at.isoformat(),
        "disk_volume_size_gb": view.volume_gigabytes,
        "infra_compute_size": view.size,
    }


def page(
    found: Views,
    *,
    limit: int,
    offset: int,
    sort: Sort,
    search: str,
    statuses: Collection[str] = (),
) -> tuple[Pagination, list[View]]:
    """The part between `offset` and `offset + limit` of what search and statuses leave.

    No statuses: all of them.
    """
    places = matching(found, search, statuses)
    cut = ordered(found, places, sort)[offset : offset + limit]
    shown = Pagination(count=len(places), limit=limit, offset=offset)
    return shown, [found.at(place) for place in cut]


def ordered(found: Views, places: Sequence[int], sort: Sort) -> list[int]:
    """In that order; equals stay in the order in which they came, so that pages never overlap."""
    by, _, direction = sort.partition("_")
    keys: Sequence[Any] = (
        found.folded_names() if by == "name" else [row.created_at for row in found.rows]
    )
    return sorted(places, key=keys.__getitem__, reverse=direction == "desc")


def matching(found: Views, search: str, statuses: Collection[str]) -> Sequence[int]:
    """Places of those whose name holds the text, or whose ref is the text, in those statuses."""
    places: Sequence[int] = range(len(found))
    if statuses:
        places = [place for place in places if found.statuses[place] in statuses]
    wanted = search.strip().casefold()
    if wanted:
        names, rows = found.folded_names(), found.rows
        places = [p for p in places if wanted in names[p] or wanted == rows[p].ref]
    return places
