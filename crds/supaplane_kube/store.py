"""What does an API server remember? Objects, their versions, and a history for watches."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from .errors import Gone, KubeError
from .port import Event, Manifest
from .resources import NAMESPACES, Resource
from .selectors import matches

Key = tuple[str, str, str]
"""Group and plural, namespace, name."""


class Store:
    """Objects by key. A change of anything but metadata and status raises the generation."""

    def __init__(self) -> None:
        self.version = 0
        self._objects: dict[Key, Manifest] = {}
        self._history: list[tuple[int, Key, Event]] = []
        self._oldest = 0
        self._breaks: list[tuple[str, KubeError]] = []
        self._changed = asyncio.Event()

    def find(self, key: Key) -> Manifest | None:
        """The object itself; not to be changed."""
        return self._objects.get(key)

    def select(self, resource: Resource, namespace: str, selector: str) -> list[Manifest]:
        """The objects of a resource, by name; an empty namespace stands for all."""
        return [
            item
            for key, item in sorted(self._objects.items())
            if _belongs(key, item, resource, namespace, selector)
        ]

    def insert(self, resource: Resource, key: Key, body: Manifest) -> Manifest:
        """Makes an object."""
        meta = body["metadata"]
        meta.update(name=key[2], uid=str(uuid.uuid4()), creationTimestamp=now(), generation=1)
        if resource.namespaced:
            meta["namespace"] = key[1]
        body.update(apiVersion=resource.api_version, kind=resource.kind)
        return self._record("ADDED", key, body)

    def replace(self, key: Key, body: Manifest) -> Manifest:
        """Puts `body` in the place of what is there; removes it when nothing holds it any more."""
        before = self._objects[key]
        if body == before:
            return before
        meta = body["metadata"]
        if _wish(body) != _wish(before):
            meta["generation"] = before["metadata"].get("generation", 0) + 1
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            self.drop(key)
            return body
        return self._record("MODIFIED", key, body)

    def drop(self, key: Key) -> None:
        """Removes an object, and with a namespace all that is in it."""
        body = self._objects.pop(key, None)
        if body is None:
            return
        self._record("DELETED", key, deepcopy(body))
        if key[0] == key_of(NAMESPACES, "", "")[0]:
            for inner in [k for k in self._objects if k[1] == key[2]]:
                self.drop(inner)

    def forget_history(self) -> None:
        """Every open watch ends with Gone, and so does one from an older version."""
        self._oldest = self.version + 1
        self._history.clear()
        self.break_watches(Gone(410, "Expired", "too old resource version", {}), "")

    def break_watches(self, error: KubeError, plural: str) -> None:
        """Every open watch ends with that error; an empty `plural` stands for all resources."""
        self._breaks.append((plural, error))
        self._wake()

    def watch(self, resource: Resource, namespace: str, selector: str, after: int) -> Watch:
        """The events after a version. Raises Gone when they are no longer known."""
        if after + 1 < self._oldest:
            raise Gone(410, "Expired", "too old resource version", {})
        return Watch(self, resource, namespace, selector, after)

    def events(self, after: int) -> Iterator[tuple[int, Key, Event]]:
        """The history after a version."""
        return iter([entry for entry in self._history if entry[0] > after])

    def breaks(self) -> list[tuple[str, KubeError]]:
        """What ended watches so far."""
        return self._breaks

    async def changes(self) -> None:
        """Waits until anything happens."""
        await self._changed.wait()

    def _record(self, type_: str, key: Key, body: Manifest) -> Manifest:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        if type_ != "DELETED":
            self._objects[key] = body
        self._history.append((self.version, key, Event(type_, deepcopy(body))))
        self._wake()
        return body

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Watch:
    """One open watch."""

    def __init__(
        self, store: Store, resource: Resource, namespace: str, selector: str, after: int
    ) -> None:
        self._store = store
        self._filter = (resource, namespace, selector)
        self._seen = after
        self._breaks = len(store.breaks())

    async def next(self) -> list[Event]:
        """The next events. Raises what broke the watch."""
        while True:
            self._raise_if_broken()
            found = []
            for version, key, event in self._store.events(self._seen):
                self._seen = version
                if _belongs(key, event.object, *self._filter):
                    found.append(event)
            if found:
                return found
            await self._store.changes()

    def _raise_if_broken(self) -> None:
        breaks = self._store.breaks()[self._breaks :]
        self._breaks += len(breaks)
        for plural, error in breaks:
            if plural in ("", self._filter[0].plural):
                raise error


def key_of(resource: Resource, namespace: str, name: str) -> Key:
    """Where an object lies."""
    return (f"{resource.group}/{resource.plural}", namespace if resource.namespaced else "", name)


def now() -> str:
    """As the server stamps objects."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _belongs(key: Key, item: Manifest, resource: Resource, namespace: str, selector: str) -> bool:
    return (
        key[0] == key_of(resource, "", "")[0]
        and namespace in ("", key[1])
        and matches(selector, item["metadata"].get("labels") or {})
    )


def _wish(body: Manifest) -> dict[str, Any]:
    return {k: v for k, v in body.items() if k not in ("metadata", "status")}
