"""An API server in a dict: what tests of sequences run against.

It knows uids, resource versions, generations, conflicts, finalizers, label selectors, the status
subresource, and watches with a history that can be cut. `apply` merges fields and forgets those
that the same manager stops sending: near enough for a sequence, but NO evidence for what
server-side apply does on a real API server, which also validates, defaults and prunes. Tests about
that run on a real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from .errors import AlreadyExists, Conflict, Invalid, KubeError, NotFound
from .merge import merge_patched, merged, without_forgotten
from .port import Event, Listing, Manifest
from .resources import NAMESPACES, Resource
from .selectors import fields_match
from .store import Key, Store, key_of, now

HAVE_STATUS = frozenset(
    {"deployments", "statefulsets", "jobs", "persistentvolumeclaims", "supabaseprojects", "pods"}
)
"""Resources whose status is written by a request of its own."""


@dataclass(frozen=True)
class Request:
    """What somebody asked of the server. `verb` is get, list, create, apply, patch or delete."""

    verb: str
    resource: Resource
    namespace: str
    name: str
    subresource: str = ""
    manager: str = ""

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.verb in ("create", "apply", "patch", "delete")


@dataclass
class _Fault:
    error: Exception
    when: Callable[[Request], bool]
    times: int


class MemoryKube:
    """A `Kube` whose objects live in this process.

    `requests` records what was asked; `fail` injects faults; `on_request` may look, or raise.
    Deleting a namespace removes its content at once, unless a finalizer holds the namespace.
    """

    def __init__(self, *, namespaces: tuple[str, ...] = ("default", "kube-system")) -> None:
        self._store = Store()
        self._applied: dict[tuple[str, str], Mapping[str, Any]] = {}
        """What a manager sent last, by uid of the object and name of the manager."""
        self._faults: list[_Fault] = []
        self.requests: list[Request] = []
        self.on_request: Callable[[Request], None] | None = None
        for name in namespaces:
            self.put(NAMESPACES, {"metadata": {"name": name}})

    @property
    def writes(self) -> tuple[Request, ...]:
        """The requests that could change something."""
        return tuple(request for request in self.requests if request.is_write)

    def fail(
        self, error: Exception, *, times: int = 1, when: Callable[[Request], bool] = lambda _: True
    ) -> None:
        """The next `times` requests that `when` accepts raise `error` and do nothing."""
        self._faults.append(_Fault(error, when, times))

    def forget_history(self) -> None:
        """Every open watch ends with Gone, and so does one from an older version."""
        self._store.forget_history()

    def break_watches(self, error: KubeError, *, plural: str = "") -> None:
        """Every open watch, or those of one resource, end with that error."""
        self._store.break_watches(error, plural)

    def put(self, resource: Resource, body: Mapping[str, Any]) -> Manifest:
        """Makes or replaces an object as an outsider would: not recorded, never refused."""
        fresh = deepcopy(dict(body))
        meta = fresh["metadata"]
        key = key_of(resource, meta.get("namespace", ""), meta["name"])
        live = self._store.find(key)
        if live is None:
            return deepcopy(self._store.insert(resource, key, fresh))
        fresh["metadata"] = deepcopy(live["metadata"]) | meta
        return deepcopy(self._store.replace(key, fresh))

    def peek(self, resource: Resource, namespace: str | None, name: str) -> Manifest | None:
        """The object, without a request being recorded."""
        return deepcopy(self._store.find(key_of(resource, namespace or "", name)))

    def all(self, resource: Resource, namespace: str = "") -> tuple[Manifest, ...]:
        """All objects of a resource, without a request being recorded."""
        return tuple(deepcopy(self._store.select(resource, namespace, "")))

    def remove(self, resource: Resource, namespace: str | None, name: str) -> None:
        """Removes an object as an outsider would, finalizers or not."""
        self._store.drop(key_of(resource, namespace or "", name))

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Manifest | None:
        await self._ask(Request("get", resource, namespace or "", name))
        return self.peek(resource, namespace, name)

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Listing:
        await self._ask(Request("list", resource, namespace or "", ""))
        found = self._store.select(resource, namespace or "", label_selector)
        fitting = [item for item in found if fields_match(field_selector, item)]
        return Listing(deepcopy(fitting), str(self._store.version))

    async def scan(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        take: Callable[[Manifest], None],
    ) -> str:
        listing = await self.list(resource, namespace, label_selector=label_selector)
        for item in listing.items:
            take(item)
        return listing.resource_version

    async def create(
        self, resource: Resource, namespace: str | None, body: Mapping[str, Any], *, manager: str
    ) -> Manifest:
        name = body["metadata"]["name"]
        await self._ask(Request("create", resource, namespace or "", name, manager=manager))
        key = key_of(resource, namespace or "", name)
        self._demand_namespace(resource, key)
        if self._store.find(key):
            message = f'{resource.plural} "{name}" already exists'
            raise AlreadyExists(409, "AlreadyExists", message, {})
        return deepcopy(self._store.insert(resource, key, deepcopy(dict(body))))

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
        await self._ask(Request("apply", resource, namespace or "", name, manager=manager))
        key = key_of(resource, namespace or "", name)
        live = self._store.find(key)
        wanted = deepcopy(dict(body))
        if live is None:
            self._demand_namespace(resource, key)
            after = wanted
        else:
            before = self._applied.get((live["metadata"]["uid"], manager), {})
            after = merged(without_forgotten(deepcopy(live), before, wanted), wanted)
        if dry_run:
            return dict(after)
        if live is None:
            stored = self._store.insert(resource, key, after)
        else:
            stored = self._store.replace(key, after)
        self._applied[stored["metadata"]["uid"], manager] = deepcopy(dict(body))
        return deepcopy(stored)

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
        await self._ask(
            Request("patch", resource, namespace or "", name, subresource, manager=manager)
        )
        key = key_of(resource, namespace or "", name)
        live = self._store.find(key)
        if live is None:
            raise NotFound(404, "NotFound", f'{resource.plural} "{name}" not found', {})
        meta = dict(body.get("metadata") or {})
        version = meta.pop("resourceVersion", None)
        if version is not None and version != live["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", "the object has been modified", {})
        if meta.pop("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
            raise Conflict(409, "Conflict", "Precondition failed: UID", {})
        after = merge_patched(deepcopy(live), _effective(resource, subresource, body, meta))
        return deepcopy(self._store.replace(key, after))

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: str = "Background",
    ) -> bool:
        await self._ask(Request("delete", resource, namespace or "", name))
        key = key_of(resource, namespace or "", name)
        live = self._store.find(key)
        if live is None:
            return False
        if uid and live["metadata"]["uid"] != uid:
            raise Conflict(409, "Conflict", "Precondition failed: UID", {})
        marked = deepcopy(live)
        marked["metadata"].setdefault("deletionTimestamp", now())
        self._store.replace(key, marked)
        return True

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        timeout_seconds: int = 290,
    ) -> AsyncIterator[Event]:
        watch = self._store.watch(resource, namespace or "", label_selector, int(resource_version))
        while True:
            for event in await watch.next():
                yield Event(event.type, deepcopy(event.object))

    async def _ask(self, request: Request) -> None:
        self.requests.append(request)
        await asyncio.sleep(0)
        if self.on_request:
            self.on_request(request)
        for fault in self._faults:
            if fault.times > 0 and fault.when(request):
                fault.times -= 1
                raise fault.error

    def _demand_namespace(self, resource: Resource, key: Key) -> None:
        if not resource.namespaced:
            return
        if not key[1]:
            raise Invalid(400, "BadRequest", f"{resource.plural} need a namespace", {})
        if self._store.find(key_of(NAMESPACES, "", key[1])) is None:
            raise NotFound(404, "NotFound", f'namespaces "{key[1]}" not found', {})


def _effective(
    resource: Resource, subresource: str, body: Mapping[str, Any], meta: dict[str, Any]
) -> dict[str, Any]:
    """What of a merge patch counts: the status only through its subresource, and nothing else."""
    if subresource:
        return {key: value for key, value in body.items() if key == subresource}
    ignored = ("metadata", "status") if resource.plural in HAVE_STATUS else ("metadata",)
    patch = {key: value for key, value in body.items() if key not in ignored}
    return patch | ({"metadata": meta} if meta else {})
