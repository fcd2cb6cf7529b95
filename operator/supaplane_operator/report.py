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
OWN_VERSIONS: Final = 8
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


class Reporter:
    """Writes statuses. Bounds how often one project's is written."""

    def __init__(self, kube: Kube, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._kube = kube
        self._clock = clock
        self._written: dict[Key, deque[float]] = {}
        self._own: dict[Key, deque[str]] = {}

    def wait(self, key: Key) -> float:
        """Seconds until the status of a project may be written again."""
        written = self._written.get(key)
        if written is None or len(written) < MOST_PER_WINDOW:
            return 0.0
        return max(0.0, written[0] + WINDOW_SECONDS - self._clock())

    async def write(self, project: SupabaseProject, patch: Mapping[str, Any]) -> Manifest:
        """Patches the status; gives the new SupabaseProject. Raises NotFound, and Conflict when
        it is another one of the same name."""
        key = (project.namespace, project.name)
        self._written.setdefault(key, deque(maxlen=MOST_PER_WINDOW)).append(self._clock())
        body = {"metadata": {"uid": project.uid}, "status": dict(patch)}
        after = await self._kube.merge_patch(
            PROJECTS, *key, body, manager=MANAGER, subresource="status"
        )
        self.note_own(key, after)
        return after

    def note_own(self, key: Key, manifest: Manifest) -> None:
        """A write of ours made this of the SupabaseProject."""
        version = manifest["metadata"]["resourceVersion"]
        self._own.setdefault(key, deque(maxlen=OWN_VERSIONS)).append(version)

    def is_own(self, key: Key, version: str) -> bool:
        """Whether a version of the SupabaseProject is what a write of ours made of it."""
        return version in self._own.get(key, ())

    def forget(self, key: Key) -> None:
        """The project is gone."""
        self._written.pop(key, None)
        self._own.pop(key, None)
