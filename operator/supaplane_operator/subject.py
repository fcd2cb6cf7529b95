"""The SupabaseProject that a pass is about, as last read or as a write of ours left it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from supaplane_contract import names
from supaplane_contract.resource import SpecUnreadable, SupabaseProject, from_manifest
from supaplane_contract.status import Reason
from supaplane_kube.port import Manifest

from .errors import Problem
from .projects import Key, ref_of


@dataclass(frozen=True)
class Subject:
    """One SupabaseProject. A spec that cannot be read is empty, and `unreadable` says why."""

    manifest: Manifest
    cluster_uid: str

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.manifest["metadata"]["namespace"], self.manifest["metadata"]["name"]

    @cached_property
    def _read(self) -> tuple[SupabaseProject, Problem | None]:
        try:
            return from_manifest(self.manifest), None
        except SpecUnreadable as error:
            told = f"{error}: correct it, or run an operator that knows this value"
            problem = Problem(Reason.SPEC_INVALID, told, waiting_helps=False)
            return from_manifest({**self.manifest, "spec": {}}), problem

    @property
    def project(self) -> SupabaseProject:
        """What it asks for."""
        return self._read[0]

    @property
    def unreadable(self) -> Problem | None:
        """Why its spec cannot be read, if it cannot."""
        return self._read[1]

    @property
    def ref(self) -> str:
        """The project ref."""
        return ref_of(self.manifest, self.cluster_uid)

    @property
    def namespace(self) -> str:
        """Where its stack runs, or would."""
        return names.project_namespace(self.ref)

    @property
    def hands_off(self) -> bool:
        """Whether an annotation forbids to change anything."""
        annotations = self.project.annotations
        return annotations.get(names.ANNOTATION_RECONCILE) == names.RECONCILE_PAUSED

    @property
    def raw_status(self) -> Manifest:
        """The status as it is written, with fields that we may not know."""
        return self.manifest.get("status") or {}

    def after(self, manifest: Manifest) -> Subject:
        """The same SupabaseProject after a write."""
        return Subject(manifest, self.cluster_uid)

    def same_wish(self, other: Subject) -> bool:
        """Whether nobody changed what the pass acts upon."""
        return self.wish == other.wish

    @property
    def wish(self) -> tuple[object, ...]:
        """What a pass acts upon; it can be compared."""
        meta = self.manifest["metadata"]
        marks = (meta.get("annotations"), meta.get("labels"), meta.get("deletionTimestamp"))
        return meta.get("uid"), meta.get("generation"), marks
