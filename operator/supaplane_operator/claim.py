"""Whose is the project namespace? Made by POST; what is there already is only taken if it is ours.

A namespace is never claimed by apply: that would take over one that belongs to somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.resource import SupabaseProject
from supaplane_contract.status import Reason
from supaplane_kube import AlreadyExists, Conflict, Kube
from supaplane_kube.port import Manifest
from supaplane_kube.resources import NAMESPACES

from .errors import LookAgain, Problem
from .render import namespace_labels

MANAGER: Final = names.FIELD_MANAGER_OPERATOR
SECONDS_UNTIL_GONE: Final = 1.0


class Verdict(Enum):
    """What a namespace of the right name is to a SupabaseProject."""

    OURS = auto()
    ADOPTABLE = auto()
    FOREIGN = auto()


@dataclass(frozen=True)
class Claim:
    """A project namespace that is ours."""

    name: str
    uid: str
    fresh: bool
    """Whether this pass made it, so that nothing can be in it."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """What lies on it."""


def judge(namespace: Mapping[str, Any], project: SupabaseProject) -> Verdict:
    """By its annotations. A namespace without any of ours is foreign."""
    annotations = namespace["metadata"].get("annotations") or {}
    us = f"{project.namespace}/{project.name}"
    if annotations.get(names.ANNOTATION_OWNER) == owner(project):
        return Verdict.OURS
    if annotations.get(names.ANNOTATION_ADOPTABLE_BY) == us:
        return Verdict.ADOPTABLE
    released = annotations.get(names.ANNOTATION_RELEASED_FROM) == us
    if released and names.ANNOTATION_OWNER not in annotations:
        return Verdict.ADOPTABLE
    return Verdict.FOREIGN


def owner(project: SupabaseProject) -> str:
    """What the owner annotation holds for this SupabaseProject."""
    return names.owner_value(namespace=project.namespace, name=project.name, uid=project.uid)


def claim_of(namespace: Manifest, *, fresh: bool = False) -> Claim:
    """The claim on a namespace that is known to be ours."""
    meta = namespace["metadata"]
    return Claim(meta["name"], meta["uid"], fresh, meta.get("annotations") or {})


def pinned_release(namespace: Mapping[str, Any] | None) -> str | None:
    """The release that the namespace remembers."""
    annotations = (namespace or {}).get("metadata", {}).get("annotations") or {}
    value = annotations.get(names.ANNOTATION_RELEASE)
    return str(value) if value else None


async def claim(
    kube: Kube,
    project: SupabaseProject,
    *,
    ref: str,
    release: str,
    logs: bool,
    found: Manifest | None,
) -> Claim:
    """Makes the namespace ours or finds that it is. `found`: what was read a moment ago; `logs`:
    whether its logs are collected.

    Raises Problem(NamespaceTaken) when it belongs to somebody else, LookAgain while it goes away.
    """
    wanted = _namespace(project, ref, release, logs)
    if found is None:
        try:
            made = await kube.create(NAMESPACES, None, wanted, manager=MANAGER)
            return claim_of(made, fresh=True)
        except AlreadyExists:
            found = await kube.get(NAMESPACES, None, names.project_namespace(ref))
            if found is None:
                raise LookAgain("the namespace came and went") from None
    return await _take(kube, project, wanted, found)


async def _take(kube: Kube, project: SupabaseProject, wanted: Manifest, found: Manifest) -> Claim:
    verdict = judge(found, project)
    if verdict is Verdict.FOREIGN:
        raise _taken(found, project)
    if "deletionTimestamp" in found["metadata"]:
        raise LookAgain("the namespace is being deleted", seconds=SECONDS_UNTIL_GONE)
    patch = _difference(found, wanted, verdict)
    if patch:
        try:
            found = await kube.merge_patch(
                NAMESPACES, None, found["metadata"]["name"], patch, manager=MANAGER
            )
        except Conflict:
            raise LookAgain("the namespace changed") from None
    return claim_of(found)


def _namespace(project: SupabaseProject, ref: str, release: str, logs: bool) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": names.project_namespace(ref),
            "labels": namespace_labels(ref, logs=logs),
            "annotations": {
                names.ANNOTATION_OWNER: owner(project),
                names.ANNOTATION_RELEASE: release,
            },
        },
    }


def _difference(found: Manifest, wanted: Manifest, verdict: Verdict) -> Manifest | None:
    """The merge patch that makes `found` ours, or None when it is so already."""
    meta: dict[str, Any] = {}
    for part in ("labels", "annotations"):
        have = found["metadata"].get(part) or {}
        missing = {k: v for k, v in wanted["metadata"][part].items() if have.get(k) != v}
        if missing:
            meta[part] = missing
    if names.LABEL_LOGS in _labels(found) and names.LABEL_LOGS not in _labels(wanted):
        meta["labels"] = {**meta.get("labels", {}), names.LABEL_LOGS: None}
    if verdict is Verdict.ADOPTABLE:
        forgotten = (
            names.ANNOTATION_RELEASED_FROM,
            names.ANNOTATION_ADOPTABLE_BY,
            names.ANNOTATION_DELETE_AFTER,
        )
        meta["annotations"] = {**meta.get("annotations", {}), **dict.fromkeys(forgotten)}
    if not meta:
        return None
    return {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"], **meta}}


def _labels(namespace: Manifest) -> Mapping[str, str]:
    return namespace["metadata"].get("labels") or {}


def _taken(found: Manifest, project: SupabaseProject) -> Problem:
    name = found["metadata"]["name"]
    annotations = found["metadata"].get("annotations") or {}
    whose = annotations.get(names.ANNOTATION_OWNER, "").rpartition("/")[0]
    released = annotations.get(names.ANNOTATION_RELEASED_FROM, "")
    if whose:
        story = f"belongs to the SupabaseProject {whose}"
    elif released:
        story = f"holds what was left of the SupabaseProject {released}"
    else:
        story = "is there already and was not made by Supaplane"
    us = f"{project.namespace}/{project.name}"
    return Problem(
        Reason.NAMESPACE_TAKEN,
        f"namespace {name} {story}; nothing was touched. To give it to this project, an "
        f"administrator can run: kubectl annotate namespace {name} "
        f"{names.ANNOTATION_ADOPTABLE_BY}={us}",
        waiting_helps=False,
    )
