"""Keeps a copy of one list of objects in memory: list, watch, and on trouble list again.

After a gap it compares the new list with what it held, so that an object deleted meanwhile is
reported as deleted; a watch alone would never say so.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from .errors import Gone, KubeError
from .port import Kube, Manifest
from .resources import Resource

log = logging.getLogger(__name__)
T = TypeVar("T")
Key = tuple[str, str]

FIRST_BACKOFF = 0.1
LAST_BACKOFF = 5.0


class Reflector(Generic[T]):
    """The objects of one resource, each kept as what `keep` makes of it.

    `changed(key, old, new)` is called on the event loop for every difference; `new` is None after a
    deletion. Equal values are not reported.
    """

    def __init__(
        self,
        kube: Kube,
        resource: Resource,
        *,
        keep: Callable[[Manifest], T],
        changed: Callable[[Key, T | None, T | None], None],
        namespace: str | None = None,
        label_selector: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kube = kube
        self.resource = resource
        self._namespace = namespace
        self._selector = label_selector
        self._keep = keep
        self._changed = changed
        self._clock = clock
        self._items: dict[Key, T] = {}
        self._synced = asyncio.Event()
        self._heard = clock()
        self.relists = 0

    def get(self, namespace: str, name: str) -> T | None:
        """What is known of one object."""
        return self._items.get((namespace, name))

    def items(self) -> dict[Key, T]:
        """All that is known; not to be changed."""
        return self._items

    @property
    def synced(self) -> bool:
        """Whether a complete list was read at least once."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Waits for the first complete list."""
        await self._synced.wait()

    @property
    def silence(self) -> float:
        """Seconds since the server last said anything, bookmarks included."""
        return self._clock() - self._heard

    async def run(self) -> None:
        """Lists and watches until cancelled."""
        failures = 0
        version: str | None = None
        while True:
            try:
                if version is None:
                    version = await self._replace()
                started = self._clock()
                version = await self._follow(version)
                # A server that ends watches at once must not be asked again without a pause.
                failures = 0 if self._clock() - started > 1.0 else failures + 1
            except Gone:
                version, failures = None, failures + 1
            except KubeError as error:
                failures += 1
                version = None
                log.warning("watch of %s: %s", self.resource.plural, error)
            if failures:
                pause = min(LAST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(failures - 1, 10))
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _replace(self) -> str:
        listing = await self._kube.list(
            self.resource, self._namespace, label_selector=self._selector
        )
        self._heard = self._clock()
        self.relists += 1
        fresh = {_key(item): self._keep(item) for item in listing.items}
        for key in [key for key in self._items if key not in fresh]:
            self._set(key, None)
        for key, value in fresh.items():
            self._set(key, value)
        self._synced.set()
        return listing.resource_version

    async def _follow(self, version: str) -> str:
        async for event in self._kube.watch(
            self.resource,
            self._namespace,
            resource_version=version,
            label_selector=self._selector,
        ):
            self._heard = self._clock()
            version = event.object["metadata"]["resourceVersion"]
            if event.type in ("ADDED", "MODIFIED"):
                self._set(_key(event.object), self._keep(event.object))
            elif event.type == "DELETED":
                self._set(_key(event.object), None)
        return version

    def _set(self, key: Key, new: T | None) -> None:
        old = self._items.get(key)
        if new is None:
            self._items.pop(key, None)
        else:
            self._items[key] = new
        if old != new:
            self._changed(key, old, new)


def _key(manifest: Manifest) -> Key:
    meta = manifest["metadata"]
    return meta.get("namespace", ""), meta["name"]
