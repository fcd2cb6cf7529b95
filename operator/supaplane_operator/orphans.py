"""Which project namespaces have no SupabaseProject, and which of them have had their time?

A namespace whose SupabaseProject vanished without being released is left alone and counted. One
that was released with an undelete window is deleted when that window closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from supaplane_contract import names
from supaplane_kube import Conflict, KubeError
from supaplane_kube.port import Manifest
from supaplane_kube.resources import NAMESPACES, SECRETS

from .children import SELECTOR
from .times import read_stamp
from .world import World

log = logging.getLogger(__name__)


class Orphans:
    """Looks through all project namespaces, as often as projects are looked at anew."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.counts: Mapping[str, int] = {}

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            try:
                await self.look()
            except KubeError as error:
                log.warning("project namespaces could not be looked through: %s", error)
            pause = self._world.settings.resync_seconds
            await asyncio.sleep(pause * random.uniform(0.9, 1.1))

    async def look(self) -> None:
        """Counts, and deletes what has had its time."""
        listing = await self._world.kube.list(NAMESPACES, label_selector=SELECTOR)
        uids = {known.uid for known in self._world.projects.reflector.items().values()}
        counts = {"released": 0, "orphaned": 0}
        for namespace in listing.items:
            kind = kind_of(namespace, uids)
            if kind is None:
                continue
            counts[kind] += 1
            if kind == "released" and window_closed(namespace, self._world.now()):
                await self._delete(namespace)
        self.counts = counts

    async def _delete(self, namespace: Manifest) -> None:
        meta = namespace["metadata"]
        ref = (meta.get("labels") or {}).get(names.LABEL_REF, "")
        if self._world.projects.with_ref(ref):
            return  # it is about to be adopted
        log.warning("namespace %s goes: its undelete window has closed", meta["name"])
        with contextlib.suppress(Conflict):
            await self._world.kube.delete(NAMESPACES, None, meta["name"], uid=meta["uid"])
        home, _, project = meta["annotations"][names.ANNOTATION_RELEASED_FROM].partition("/")
        name = names.credentials_secret(project)
        secret = await self._world.kube.get(SECRETS, home, name)
        labels = (secret or {}).get("metadata", {}).get("labels") or {}
        if secret is not None and labels.get(names.LABEL_REF) == ref:
            await self._world.kube.delete(SECRETS, home, name, uid=secret["metadata"]["uid"])


def kind_of(namespace: Mapping[str, Any], uids: set[str]) -> str | None:
    """`released`, `orphaned`, or None for one whose SupabaseProject is there."""
    annotations = namespace["metadata"].get("annotations") or {}
    owner = annotations.get(names.ANNOTATION_OWNER)
    if owner is None:
        return "released" if names.ANNOTATION_RELEASED_FROM in annotations else None
    return None if str(owner).rpartition("/")[2] in uids else "orphaned"


def window_closed(namespace: Mapping[str, Any], now: datetime) -> bool:
    """Whether the namespace is to go by now. One without a window never is."""
    meta = namespace["metadata"]
    until = read_stamp((meta.get("annotations") or {}).get(names.ANNOTATION_DELETE_AFTER))
    return until is not None and until <= now and "deletionTimestamp" not in meta
