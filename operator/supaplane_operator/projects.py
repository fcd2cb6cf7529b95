"""Which SupabaseProjects are there, and who was first to want a ref or a host?

A small value of each, fed by a watch of its own: kopf's stream never tells of a deletion that
happened while it was down, and is silent while it starts again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from supaplane_contract import names
from supaplane_contract.resource import SpecUnreadable, from_manifest
from supaplane_contract.status import Phase
from supaplane_kube import Kube, Reflector, Resource
from supaplane_kube.port import Manifest

from .render import Platform, public_hosts

PROJECTS = Resource(names.GROUP, names.VERSION, names.PLURAL, names.KIND)

Key = tuple[str, str]
"""Namespace and name of a SupabaseProject."""
UNDER_WAY: Final = frozenset(
    {
        Phase.COMING_UP,
        Phase.PAUSING,
        Phase.RESTORING,
        Phase.RESTARTING,
        Phase.RESIZING,
        Phase.UPGRADING,
        Phase.GOING_DOWN,
    }
)
"""Phases that end by themselves."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one SupabaseProject without asking."""

    key: Key
    uid: str
    created: str
    ref: str
    hosts: tuple[str, ...]
    phase: str
    version: str
    unknown: int = 0
    """Fields of the spec that this version does not know."""

    @property
    def age(self) -> tuple[str, Key]:
        """Sorts the older before the younger; two of one second by name."""
        return self.created, self.key


def ref_of(manifest: Manifest, cluster_uid: str) -> str:
    """The ref of a SupabaseProject: as accepted, else as wished, else derived from its name."""
    meta, status = manifest["metadata"], manifest.get("status") or {}
    for given in (status.get("ref"), (manifest.get("spec") or {}).get("ref")):
        if isinstance(given, str) and names.is_ref(given):
            return given
    return names.derive_ref(
        cluster_uid=cluster_uid, namespace=meta.get("namespace", ""), name=meta["name"]
    )


class Projects:
    """All SupabaseProjects."""

    def __init__(
        self,
        kube: Kube,
        *,
        cluster_uid: str,
        platform: Platform,
        homes: tuple[str, ...],
        wanted: Callable[[Key], None],
        noticed: Callable[[Key, str], None],
    ) -> None:
        """`wanted` is called with the key of each that should be looked at; `noticed` with key and
        version of each that changed."""
        self._cluster_uid = cluster_uid
        self._platform = platform
        self._homes = homes
        self._wanted = wanted
        self._noticed = noticed
        self._by_ref: defaultdict[str, set[Key]] = defaultdict(set)
        self._by_host: defaultdict[str, set[Key]] = defaultdict(set)
        self.under_way = 0
        """How many are on their way from one state to another."""
        self.reflector: Reflector[Known] = Reflector(
            kube, PROJECTS, keep=self._keep, changed=self._changed
        )

    def keys(self) -> Iterator[Key]:
        """Every SupabaseProject."""
        return iter(list(self.reflector.items()))

    def with_ref(self, ref: str) -> list[Known]:
        """Those in home namespaces that want this ref, oldest first."""
        return self._known(self._by_ref.get(ref, set()))

    def with_host(self, host: str) -> list[Known]:
        """Those in home namespaces that want this host, oldest first."""
        return self._known(self._by_host.get(host, set()))

    def phases(self) -> Iterator[str]:
        """The phase of each."""
        return (known.phase for known in self.reflector.items().values())

    def unknown_fields(self) -> int:
        """Fields of specs that this version does not know, over all."""
        return sum(known.unknown for known in self.reflector.items().values())

    def _known(self, keys: set[Key]) -> list[Known]:
        found = [known for key in keys if (known := self.reflector.get(*key)) is not None]
        return sorted(found, key=lambda known: known.age)

    def _keep(self, manifest: Manifest) -> Known:
        meta = manifest["metadata"]
        ref = ref_of(manifest, self._cluster_uid)
        at_home = meta["namespace"] in self._homes
        hosts, unknown = self._asked(manifest, ref)
        return Known(
            key=(meta["namespace"], meta["name"]),
            uid=meta["uid"],
            created=meta.get("creationTimestamp", ""),
            ref=ref if at_home else "",
            hosts=hosts if at_home else (),
            phase=(manifest.get("status") or {}).get("phase", ""),
            version=meta.get("resourceVersion", ""),
            unknown=unknown,
        )

    def _asked(self, manifest: Manifest, ref: str) -> tuple[tuple[str, ...], int]:
        """The hosts that a SupabaseProject wants, and how many fields of it are not known."""
        try:
            project = from_manifest(manifest)
        except SpecUnreadable:
            return (), 0
        return public_hosts(project.spec, ref, self._platform), len(project.unknown_fields)

    def _changed(self, key: Key, old: Known | None, new: Known | None) -> None:
        self.under_way += _moves(new) - _moves(old)
        rivals = _index(self._by_ref, key, _refs(old), _refs(new))
        rivals |= _index(self._by_host, key, _hosts(old), _hosts(new))
        for rival in rivals:
            self._wanted(rival)
        if new is None:
            self._wanted(key)
        else:
            self._noticed(key, new.version)


def _moves(known: Known | None) -> bool:
    return known is not None and known.phase in UNDER_WAY


def _refs(known: Known | None) -> set[str]:
    return {known.ref} if known and known.ref else set()


def _hosts(known: Known | None) -> set[str]:
    return set(known.hosts) if known else set()


def _index(
    index: defaultdict[str, set[Key]], key: Key, before: set[str], after: set[str]
) -> set[Key]:
    """Moves a key inside an index; gives the others that want what it gave up or took."""
    for value in before - after:
        index[value].discard(key)
    for value in after - before:
        index[value].add(key)
    rivals = {rival for value in before ^ after for rival in index[value]} - {key}
    for value in before - after:
        if not index[value]:
            del index[value]
    return rivals
