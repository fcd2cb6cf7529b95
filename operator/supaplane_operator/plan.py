"""What of a rendering may be applied now? Pure.

Two things are held back. A database is stopped only after everything that talks to it. And a pod
template whose inputs are the same but which this version renders differently waits for the fleet
queue, so that an upgrade of the operator restarts nobody's database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.spec import ComponentName
from supaplane_kube import Resource
from supaplane_kube import resources as kinds
from supaplane_kube.port import Manifest

from .children import WORKLOADS, Child, Name
from .render import Rendered

READ_BY_PODS: Final = (kinds.SECRETS, kinds.CONFIG_MAPS)


@dataclass(frozen=True)
class Plan:
    """What to apply of a rendering, and what waits."""

    apply: tuple[Manifest, ...]
    stale: frozenset[str]
    """Workloads that this version renders differently, whether held back or not."""
    held: bool
    """Whether a workload keeps the template that an earlier version rendered."""
    only_if_missing: frozenset[Name]
    """Secrets and ConfigMaps of workloads that are held back: what runs reads them as they are."""
    replicas: Mapping[Name, int]
    """Workloads that keep their old template but are to have another number of pods."""
    waiting: bool
    """Whether something is held back until other pods are gone."""

    @property
    def needed(self) -> tuple[Resource, ...]:
        """Kinds of which nothing may be removed, for pods of an older rendering name them."""
        return NAMED_BY_PODS if self.held else ()


NAMED_BY_PODS: Final = (*READ_BY_PODS, kinds.SERVICE_ACCOUNTS)
"""A pod of an old template cannot start when one of these that it names is gone."""


def plan(rendered: Rendered, children: Mapping[Name, Child], *, may_roll: bool) -> Plan:
    """`children`: the watched objects of the namespace. `may_roll`: the fleet queue's word."""
    stale = {
        m["metadata"]["name"]: _component(m)
        for m in rendered.manifests
        if _is_stale(m, children.get(name_of(m)))
    }
    held = {} if may_roll else stale
    database = _database_to_stop_last(rendered, children)
    apply, replicas = [], {}
    for manifest in rendered.manifests:
        name = name_of(manifest)
        if name == database:
            continue
        if name[0] in WORKLOADS and name[1] in held:
            wanted = (manifest.get("spec") or {}).get("replicas")
            if wanted is not None and wanted != children[name].desired:
                replicas[name] = wanted
            continue
        apply.append(manifest)
    return Plan(
        apply=tuple(apply),
        stale=frozenset(stale),
        held=bool(held),
        only_if_missing=frozenset(
            name_of(m)
            for m in apply
            if name_of(m)[0] in READ_BY_PODS and _component(m) in held.values()
        ),
        replicas=replicas,
        waiting=database is not None,
    )


def _component(manifest: Manifest) -> str:
    labels = manifest["metadata"].get("labels") or {}
    return str(labels.get(names.LABEL_COMPONENT, ""))


def name_of(manifest: Manifest) -> Name:
    """Which object inside its namespace a manifest is."""
    return kinds.resource_of(manifest), manifest["metadata"]["name"]


def template_annotations(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    """The annotations of a workload's pod template."""
    template = (manifest.get("spec") or {}).get("template") or {}
    found: Mapping[str, str] = (template.get("metadata") or {}).get("annotations") or {}
    return found


def _is_stale(manifest: Manifest, live: Child | None) -> bool:
    """Same wish, other rendering. A restart that was asked for is a wish, and so is what pods would
    take in by themselves if only they were as we render them."""
    if live is None or name_of(manifest)[0] not in WORKLOADS:
        return False
    ours = template_annotations(manifest)
    taken_in = (manifest["metadata"].get("annotations") or {}).get(names.ANNOTATION_LIVE_INPUTS)
    return (
        bool(live.inputs)
        and live.inputs == ours.get(names.ANNOTATION_INPUTS, "")
        # an older operator noted none
        and live.live_inputs in ("", taken_in)
        and live.restart == ours.get(names.ANNOTATION_RESTARTED, "")
        and live.rendering != ours.get(names.ANNOTATION_RENDERING, "")
    )


def _database_to_stop_last(rendered: Rendered, children: Mapping[Name, Child]) -> Name | None:
    """The database, when it is to be stopped while other pods are there."""
    stops = {c.name: c.workload for c in rendered.components if c.desired == 0 and c.workload}
    workload = stops.get(ComponentName.DB)
    if workload is None:
        return None
    database = (next(r for r in WORKLOADS if r.kind == workload[0]), workload[1])
    if database not in children or children[database].desired == 0:
        return None
    others = (c for n, c in children.items() if n[0] in WORKLOADS and n != database)
    return database if any(child.pods or child.desired for child in others) else None
