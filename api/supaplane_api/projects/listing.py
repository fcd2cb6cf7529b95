"""Which of a caller's projects, in which order, and how are they shown? Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from .schemas import ListedProject, Pagination, ProjectPage
from .views import CLOUD_PROVIDER, View

Sort = Literal["name_asc", "name_desc", "created_asc", "created_desc"]
DEFAULT_LIMIT = 100
MOST = 1000
_KEYS: Mapping[str, Callable[[View], Any]] = {
    "name": lambda view: view.name.casefold(),
    "created": lambda view: view.row.created_at,
}


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


def page(views: Sequence[View], *, limit: int, offset: int, sort: Sort, search: str) -> ProjectPage:
    """The part of the list between `offset` and `offset + limit` of what `search` finds."""
    found = sorted_views(found_by(search, views), sort)
    return ProjectPage(
        pagination=Pagination(count=len(found), limit=limit, offset=offset),
        projects=[listed(view) for view in found[offset : offset + limit]],
    )


def sorted_views(views: Sequence[View], sort: Sort) -> list[View]:
    """In that order; equals stay in the order in which they came, so that pages never overlap."""
    by, _, direction = sort.partition("_")
    return sorted(views, key=_KEYS[by], reverse=direction == "desc")


def found_by(search: str, views: Sequence[View]) -> Sequence[View]:
    """Those whose name holds the text, or whose ref is the text."""
    wanted = search.strip().casefold()
    if not wanted:
        return views
    return [view for view in views if wanted in view.name.casefold() or wanted == view.row.ref]
