"""How does the answer reach the SupabaseProject? As one patch, if it changed, not too often."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.resource import SupabaseProject
from supaplane_contract.status import ProjectStatus
from supaplane_kube import Kube
from supaplane_kube.port import Manifest

from .projects import PROJECTS, Key

MOST_PER_WINDOW: Final = 2
WINDOW_SECONDS: Final = 1.0
CROWD: Final = 8
"""With more projects under way than this, progress is told less often: with twice as many half as
often, and so on."""
LONGEST_DISTANCE: Final = 10.0
"""How many times longer things may take because of others, however many are under way."""
MANAGER: Final = names.FIELD_MANAGER_OPERATOR


def dumped(status: ProjectStatus) -> Manifest:
    """A status as it is written: what is empty is left out."""
    full: Manifest = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return full


def difference(raw: Manifest, status: ProjectStatus) -> dict[str, Any] | None:
    """The merge patch that turns the status `raw` into `status`; None when it is that already.

    Fields that are to go are null. Fields of a newer operator, which we do not know, stay.
    """
    ours = {f.alias or n for n, f in ProjectStatus.model_fields.items()}
    known = {key: value for key, value in raw.items() if key in ours}
    return _patch_between(known, dumped(status)) or None


def _patch_between(old: Manifest, new: Manifest) -> dict[str, Any]:
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            inner = _patch_between(before, value)
            patch |= {key: inner} if inner else {}
        elif before != value:
            patch[key] = value
    return patch


def crowding(under_way: int) -> float:
    """How many times longer what can wait should wait, with so many projects under way."""
    return min(LONGEST_DISTANCE, max(1.0, under_way / CROWD))


class Reporter:
    """Writes statuses. Bounds how often one project's is written.

    A new phase may be written at once, as long as the limit holds; progress inside a phase keeps a
    distance from the last write, so that it never stands in the way of a phase. Where many projects
    are under way that distance grows, for each write takes the API server from their real work.
    """

    def __init__(
        self,
        kube: Kube,
        *,
        clock: Callable[[], float] = time.monotonic,
        window: float = WINDOW_SECONDS,
        crowd: Callable[[], int] = lambda: 0,
    ) -> None:
        """`crowd`: how many projects are on their way from one state to another."""
        self._kube = kube
        self._clock = clock
        self._window = window
        self._crowd = crowd
        self._written: dict[Key, deque[float]] = {}

    def wait(self, key: Key, patch: Mapping[str, Any]) -> float:
        """Seconds until this patch of a project's status may be written."""
        written = self._written.get(key)
        if not written:
            return 0.0
        if "phase" not in patch:
            distance = self._window * crowding(self._crowd())
            return max(0.0, written[-1] + distance - self._clock())
        if len(written) < MOST_PER_WINDOW:
            return 0.0
        return max(0.0, written[0] + self._window - self._clock())

    async def write(self, project: SupabaseProject, patch: Mapping[str, Any]) -> Manifest:
        """Patches the status; gives the new SupabaseProject. Raises NotFound, and Conflict when
        it is another one of the same name."""
        key = (project.namespace, project.name)
        self._written.setdefault(key, deque(maxlen=MOST_PER_WINDOW)).append(self._clock())
        body = {"metadata": {"uid": project.uid}, "status": dict(patch)}
        return await self._kube.merge_patch(
            PROJECTS, *key, body, manager=MANAGER, subresource="status"
        )

    def forget(self, key: Key) -> None:
        """The project is gone."""
        self._written.pop(key, None)
