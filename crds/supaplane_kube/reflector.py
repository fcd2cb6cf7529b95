"""Keeps a copy of one list of objects in memory: list, watch, and on trouble list again.

After a gap it compares the new list with what it held, so that an object deleted meanwhile is
reported as deleted; a watch alone would never say so. An answer to a write of ours can be put in
ahead of the watch (`learn`), so that whoever reads after writing does not see the past.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from .errors import KubeError, Unreachable
from .port import Event, Kube, Manifest
from .resources import Resource

log = logging.getLogger(__name__)
T = TypeVar("T")
Key = tuple[str, str]

FIRST_BACKOFF = 0.1
LAST_BACKOFF = 5.0
TOMBSTONES = 1024


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
        self._versions: dict[Key, int] = {}
        """Of what is there, and of what went lately: a late answer must not bring it back."""
        self._position: str | None = None
        self._newest = 0
        self._synced = asyncio.Event()
        self._heard = clock()
        self._tried = self._heard
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

    @property
    def idle(self) -> float:
        """Seconds since it did anything at all: heard of the server, or tried in vain."""
        return self._clock() - max(self._heard, self._tried)

    def learn(self, manifest: Manifest) -> None:
        """Takes in what the server answered to a write, unless something newer is known."""
        key, version = _key(manifest), _version(manifest)
        if version > self._versions.get(key, 0):
            self._set(key, self._keep(manifest), version)

    async def run(self) -> None:
        """Lists and watches until cancelled."""
        failures = 0
        while True:
            started = self._clock()
            try:
                if self._position is None:
                    await self._replace()
                started = self._clock()
                await self._follow()
            except Unreachable as error:
                # The watch goes on from where it was: a server that restarts forgets nothing.
                # One line for a server that is away, not one for each try.
                log.log(
                    logging.DEBUG if failures else logging.WARNING,
                    "watch of %s broke and is taken up again: %s",
                    self.resource.plural,
                    error,
                )
            except KubeError as error:
                self._position = None
                log.warning("watch of %s starts anew: %s", self.resource.plural, error)
            self._tried = self._clock()
            # A server that ends watches at once must not be asked again without a pause.
            failures = 0 if self._clock() - started > 1.0 else failures + 1
            if failures:
                pause = min(LAST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(failures - 1, 10))
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _replace(self) -> None:
        fresh: dict[Key, tuple[int, T]] = {}

        def take(item: Manifest) -> None:
            fresh[_key(item)] = _version(item), self._keep(item)

        position = await self._kube.scan(
            self.resource, self._namespace, label_selector=self._selector, take=take
        )
        self._heard = self._clock()
        self.relists += 1
        as_of = _number(position)
        if as_of < self._newest:
            self._versions.clear()  # the server was restored from a backup: versions start over
        self._newest = as_of
        # What was learned while the list was on its way is newer than the list.
        gone = [k for k in self._items if k not in fresh and self._versions.get(k, 0) <= as_of]
        for key in gone:
            self._set(key, None, as_of)
        for key, (version, kept) in fresh.items():
            if version >= self._versions.get(key, 0):
                self._set(key, kept, version)
        self._position = position
        self._synced.set()

    async def _follow(self) -> None:
        assert self._position is not None
        async for event in self._kube.watch(
            self.resource,
            self._namespace,
            resource_version=self._position,
            label_selector=self._selector,
        ):
            self._heard = self._clock()
            if event.type != "BOOKMARK":
                self._take(event)
            self._position = event.object["metadata"]["resourceVersion"]
            self._newest = max(self._newest, _number(self._position))

    def _take(self, event: Event) -> None:
        key, version = _key(event.object), _version(event.object)
        if version < self._versions.get(key, 0):
            return
        self._set(key, None if event.type == "DELETED" else self._keep(event.object), version)

    def _set(self, key: Key, new: T | None, version: int) -> None:
        old = self._items.get(key)
        self._versions[key] = version
        if new is None:
            self._items.pop(key, None)
            self._bury()
        else:
            self._items[key] = new
        if old != new:
            self._changed(key, old, new)

    def _bury(self) -> None:
        """Forgets the versions of the deleted once those are many."""
        if len(self._versions) > 2 * len(self._items) + TOMBSTONES:
            self._versions = {k: v for k, v in self._versions.items() if k in self._items}


def _version(manifest: Manifest) -> int:
    return _number(manifest["metadata"].get("resourceVersion", ""))


def _number(version: str) -> int:
    """Resource versions grow: https://kep.k8s.io/5504. 0 for a server whose versions are opaque."""
    return int(version) if version.isdecimal() else 0


def _key(manifest: Manifest) -> Key:
    meta = manifest["metadata"]
    # kept for every object, and the same for many
    return sys.intern(meta.get("namespace", "")), sys.intern(meta["name"])
