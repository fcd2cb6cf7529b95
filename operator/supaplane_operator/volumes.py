"""What of a volume claim may still be changed? Its size, upwards; nothing else. Pure."""

from __future__ import annotations

from typing import Any

from supaplane_kube.port import Manifest

from .quantity import amount

FIXED = ("accessModes", "storageClassName", "volumeMode", "volumeName", "selector")
"""Fields that the server refuses to change."""


def claim_to_apply(rendered: Manifest, live: Manifest) -> Manifest:
    """The claim as rendered, with what cannot change as it is, and never smaller than it is."""
    spec, there = rendered["spec"], live.get("spec") or {}
    fixed = {key: there[key] for key in FIXED if key in spec and key in there}
    size = _larger(_size(spec), _size(there))
    if size is not None:
        fixed["resources"] = {"requests": {"storage": size}}
    return {**rendered, "spec": {**spec, **fixed}}


def _size(spec: dict[str, Any]) -> str | None:
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return None if size is None else str(size)


def _larger(ours: str | None, theirs: str | None) -> str | None:
    if ours is None or theirs is None:
        return ours or theirs
    return ours if (amount(ours) or 0) > (amount(theirs) or 0) else theirs
