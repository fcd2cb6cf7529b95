"""A SupabaseProject as it lies in the cluster: metadata, spec and status in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from . import names
from .spec import ProjectSpec
from .status import ProjectStatus


class SpecUnreadable(ValueError):
    """The spec holds a value that this version does not understand; the message says which."""


@dataclass(frozen=True)
class SupabaseProject:
    """One CR. `spec` is strict in its values, tolerant of fields that a newer CRD has."""

    name: str
    namespace: str
    uid: str
    generation: int
    resource_version: str
    spec: ProjectSpec
    status: ProjectStatus
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    deletion_timestamp: str | None = None
    creation_timestamp: str | None = None
    unknown_fields: tuple[str, ...] = ()
    """Paths of spec fields that this version does not know; counted, not fatal."""


def from_manifest(manifest: Mapping[str, Any]) -> SupabaseProject:
    """Reads a CR as the API server returns it.

    Raises SpecUnreadable when a known field holds a value that this version does not know.
    """
    meta = manifest["metadata"]
    spec, unknown = read_spec(manifest.get("spec") or {})
    return SupabaseProject(
        name=meta["name"],
        namespace=meta.get("namespace", ""),
        uid=meta.get("uid", ""),
        generation=meta.get("generation", 0),
        resource_version=meta.get("resourceVersion", ""),
        spec=spec,
        status=read_status(manifest.get("status") or {}),
        annotations=meta.get("annotations") or {},
        labels=meta.get("labels") or {},
        finalizers=tuple(meta.get("finalizers") or ()),
        deletion_timestamp=meta.get("deletionTimestamp"),
        creation_timestamp=meta.get("creationTimestamp"),
        unknown_fields=unknown,
    )


def read_spec(raw: Mapping[str, Any]) -> tuple[ProjectSpec, tuple[str, ...]]:
    """The spec and the paths of fields that this version does not know, which are left out."""
    value: Any = raw
    unknown: list[str] = []
    for _ in range(64):
        try:
            return ProjectSpec.model_validate(value), tuple(unknown)
        except ValidationError as error:
            extra = [e["loc"] for e in error.errors() if e["type"] == "extra_forbidden"]
            if not extra:
                first = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(str(p) for p in first["loc"])
                raise SpecUnreadable(f"spec.{where}: {first['msg']}") from None
            for path in extra:
                value = _without(value, path)
                unknown.append(".".join(str(p) for p in path))
    raise SpecUnreadable("spec holds too many unknown fields")


def read_status(raw: Mapping[str, Any]) -> ProjectStatus:
    """The status; one that cannot be read counts as empty, for it can always be made anew."""
    try:
        return ProjectStatus.model_validate(raw)
    except ValidationError:
        return ProjectStatus()


def _without(value: Any, path: tuple[int | str, ...]) -> Any:
    head, *rest = path
    if isinstance(value, Mapping):
        if not rest:
            return {k: v for k, v in value.items() if k != head}
        return {k: _without(v, tuple(rest)) if k == head else v for k, v in value.items()}
    if isinstance(value, list) and isinstance(head, int):
        return [_without(v, tuple(rest)) if i == head else v for i, v in enumerate(value)]
    return value


def spec_to_manifest(spec: ProjectSpec) -> dict[str, Any]:
    """The spec with only what was set, in camelCase."""
    dumped: dict[str, Any] = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dumped


def manifest(
    *,
    name: str,
    namespace: str,
    spec: ProjectSpec,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A CR to be sent."""
    meta: dict[str, Any] = {"name": name, "namespace": namespace}
    if labels:
        meta["labels"] = dict(labels)
    if annotations:
        meta["annotations"] = dict(annotations)
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": meta,
        "spec": spec_to_manifest(spec),
    }
