"""The port: what the rest of the code may ask of an API server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .resources import Resource

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One line of a watch: type is ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: Manifest


@dataclass(frozen=True)
class Listing:
    """A complete list and the resource version to watch from."""

    items: list[Manifest]
    resource_version: str


class Kube(Protocol):
    """Requests to an API server. Every method may raise KubeError."""

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Manifest | None:
        """The object, or None if there is none."""

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Listing:
        """All objects, of one namespace or of all."""

    async def scan(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        take: Callable[[Manifest], None],
    ) -> str:
        """Gives every object of such a list to `take`, holding no more than a page of them at a
        time; the version to watch from. Raises Gone when the list grew too old between pages."""

    async def create(
        self, resource: Resource, namespace: str | None, body: Mapping[str, Any], *, manager: str
    ) -> Manifest:
        """Makes the object; strict about unknown fields. Raises AlreadyExists."""

    async def apply(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Mapping[str, Any],
        *,
        manager: str,
        force: bool = True,
        dry_run: bool = False,
    ) -> Manifest:
        """Server-side apply; strict about unknown fields."""

    async def merge_patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Mapping[str, Any],
        *,
        manager: str,
        subresource: str = "",
    ) -> Manifest:
        """A JSON merge patch. Raises NotFound."""

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: str = "Background",
    ) -> bool:
        """Deletes the object, only if it has that uid, when one is given. False: was not there."""

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        timeout_seconds: int = 290,
    ) -> AsyncIterator[Event]:
        """Events after `resource_version`, until the server ends the stream. Raises Gone."""
