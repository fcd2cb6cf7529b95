"""How are all projects at this moment? A copy in memory, fed by a watch; asking it costs nothing.

Read tolerantly: a field of a strange type counts as absent, a phase that this version does not know
is shown as UNKNOWN, and both are counted. One odd object must not hide the others.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from supaplane_contract import Phase, ProjectSpec, ProjectStatus, names
from supaplane_kube import Kube, Reflector, Resource
from supaplane_kube.port import Manifest

PROJECTS = Resource(names.GROUP, names.VERSION, names.PLURAL, names.KIND)
UNKNOWN = "UNKNOWN"
_PHASES = frozenset(phase.value for phase in Phase)
_SPEC_FIELDS = frozenset(field.alias for field in ProjectSpec.model_fields.values())
_STATUS_FIELDS = frozenset(field.alias for field in ProjectStatus.model_fields.values())
Key = tuple[str, str]


@dataclass(frozen=True)
class SeenCondition:
    """What holds, and why."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True)
class SeenComponent:
    """A component that the operator runs."""

    name: str
    phase: str | None
    version: str | None
    """The tag of its image."""
    message: str | None


@dataclass(frozen=True)
class Seen:
    """A SupabaseProject, as far as this program shows it."""

    namespace: str
    name: str
    uid: str
    ref: str | None
    """None until the operator has derived it."""
    phase: str | None
    """A word of Studio's; UNKNOWN for one that we do not know; None until the operator spoke."""
    going: bool
    """Whether it is being deleted."""
    display_name: str
    organization: str | None
    region: str
    size: str
    release: str | None
    database_version: str | None
    volume_size: str | None
    rest_enabled: bool
    rest_schemas: tuple[str, ...]
    endpoint_api: str | None
    endpoint_studio: str | None
    endpoint_database: str | None
    message: str | None
    created_at: str
    conditions: tuple[SeenCondition, ...]
    parts: tuple[SeenComponent, ...] = ()
    """The components that the operator runs."""
    phase_since: str | None = None
    """When the phase began."""

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name

    @functools.cached_property
    def status(self) -> str:
        """The word for its state."""
        return Phase.GOING_DOWN.value if self.going else self.phase or Phase.COMING_UP.value

    @functools.cached_property
    def folded_name(self) -> str:
        """The display name as it is compared: without a difference between `A` and `a`."""
        return self.display_name.casefold()

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components that the operator runs."""
        return tuple(part.name for part in self.parts)

    def component(self, name: str) -> SeenComponent | None:
        """The component of that name, if the operator runs it."""
        return next((part for part in self.parts if part.name == name), None)


def read(manifest: Mapping[str, Any], *, odd: Callable[[str], None] = lambda _: None) -> Seen:
    """The SupabaseProject, whatever it holds; `odd` is told what could not be understood."""
    meta = _Part(manifest.get("metadata"), "metadata", odd)
    spec = _Part(manifest.get("spec"), "spec", odd)
    status = _Part(manifest.get("status"), "status", odd)
    database, rest = spec.part("database"), spec.part("rest")
    endpoints = status.part("endpoints")
    for part, known in ((spec, _SPEC_FIELDS), (status, _STATUS_FIELDS)):
        if part.raw.keys() - known:
            odd(f"unknown field of {part.where}")
    name = meta.text("name") or ""
    return Seen(
        namespace=meta.text("namespace") or "",
        name=name,
        uid=meta.text("uid") or "",
        ref=_ref(status.text("ref"), spec.text("ref"), name),
        phase=_phase(status.text("phase"), odd),
        going=meta.text("deletionTimestamp") is not None,
        display_name=spec.text("displayName") or name,
        organization=spec.text("organization"),
        region=spec.text("region") or "local",
        size=status.text("size") or spec.text("size") or "nano",
        release=status.text("release") or spec.text("release"),
        database_version=database.text("version"),
        volume_size=database.part("storage").text("size"),
        rest_enabled=rest.raw.get("enabled") is not False,
        rest_schemas=rest.texts("schemas"),
        endpoint_api=endpoints.text("api"),
        endpoint_studio=endpoints.text("studio"),
        endpoint_database=endpoints.text("database"),
        message=status.text("message"),
        created_at=meta.text("creationTimestamp") or "",
        conditions=tuple(_conditions(status, odd)),
        parts=tuple(_components(status, odd)),
        phase_since=status.text("phaseSince"),
    )


@dataclass(frozen=True)
class _Part:
    """A mapping that may be anything."""

    value: Any
    where: str
    odd: Callable[[str], None]

    @property
    def raw(self) -> Mapping[str, Any]:
        return self.value if isinstance(self.value, Mapping) else {}

    def text(self, key: str) -> str | None:
        """The text under a key; None when it is absent, empty or something else."""
        found = self.raw.get(key)
        if found is not None and not isinstance(found, str):
            self.odd(f"{self.where}.{key}")
            return None
        return found or None

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a list under a key."""
        found = self.raw.get(key)
        return tuple(t for t in found if isinstance(t, str)) if isinstance(found, list) else ()

    def part(self, key: str) -> _Part:
        """The mapping under a key."""
        return _Part(self.raw.get(key), f"{self.where}.{key}", self.odd)


def _ref(*candidates: str | None) -> str | None:
    return next((c for c in candidates if c is not None and names.is_ref(c)), None)


def _phase(word: str | None, odd: Callable[[str], None]) -> str | None:
    if word is None or word in _PHASES:
        return word
    odd("status.phase")
    return UNKNOWN


def _conditions(status: _Part, odd: Callable[[str], None]) -> Sequence[SeenCondition]:
    found = status.raw.get("conditions")
    parts = [_Part(c, "status.conditions", odd) for c in found] if isinstance(found, list) else []
    return [
        SeenCondition(
            part.text("type") or "",
            part.text("status") or "Unknown",
            part.text("reason") or "",
            part.text("message") or "",
        )
        for part in parts
        if part.text("type")
    ]


def _components(status: _Part, odd: Callable[[str], None]) -> Sequence[SeenComponent]:
    found = status.raw.get("components")
    parts = [_Part(c, "status.components", odd) for c in found] if isinstance(found, list) else []
    return [
        SeenComponent(name, part.text("phase"), _tag(part.text("image")), part.text("message"))
        for part in parts
        if (name := part.text("name"))
    ]


def _tag(image: str | None) -> str | None:
    """The tag of an image; None when it is named by digest alone."""
    last = (image or "").partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2] or None


class Snapshot:
    """All SupabaseProjects of the home namespaces.

    `stirred(key)` is called when one came, went, or changed whose it is: work for the sweeper.
    """

    def __init__(
        self,
        kube: Kube,
        namespaces: Sequence[str],
        *,
        stirred: Callable[[Key], None] = lambda _: None,
        odd: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._stirred = stirred
        self._odd = odd
        self._reflectors = [
            Reflector(kube, PROJECTS, keep=self._read, changed=self._changed, namespace=namespace)
            for namespace in namespaces
        ]
        self._by_namespace = dict(zip(namespaces, self._reflectors, strict=True))

    @property
    def synced(self) -> bool:
        """Whether every home namespace was listed at least once."""
        return all(reflector.synced for reflector in self._reflectors)

    @property
    def silence(self) -> float:
        """Seconds since the API server last said anything about the quietest namespace."""
        return max(reflector.silence for reflector in self._reflectors)

    def get(self, namespace: str, name: str) -> Seen | None:
        """What is known of one project."""
        reflector = self._by_namespace.get(namespace)
        return reflector.get(namespace, name) if reflector else None

    def items(self) -> Mapping[Key, Seen]:
        """What is known of all of them, by namespace and name; not to be changed."""
        if len(self._reflectors) == 1:
            return self._reflectors[0].items()
        return {key: seen for one in self._reflectors for key, seen in one.items().items()}

    def all(self) -> list[Seen]:
        """What is known of all of them."""
        return list(self.items().values())

    def phases(self) -> Mapping[str, float]:
        """How many projects are in each phase."""
        return Counter(seen.phase or Phase.COMING_UP.value for seen in self.all())

    async def run(self) -> None:
        """Lists and watches until cancelled."""
        async with asyncio.TaskGroup() as group:
            for reflector in self._reflectors:
                group.create_task(reflector.run())

    async def wait_synced(self) -> None:
        """Waits for the first complete lists."""
        for reflector in self._reflectors:
            await reflector.wait_synced()

    def _read(self, manifest: Manifest) -> Seen:
        return read(manifest, odd=self._odd)

    def _changed(self, key: Key, old: Seen | None, new: Seen | None) -> None:
        if old is None or new is None or _belongs(old) != _belongs(new):
            self._stirred(key)


def _belongs(seen: Seen) -> tuple[str | None, ...]:
    return seen.uid, seen.ref, seen.organization
