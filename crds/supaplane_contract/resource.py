"""What is a SupabaseProject as it lies in the cluster: metadata, spec and status in one value?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from . import names
from .spec import ProjectSpec
from .status import ProjectStatus

Path = tuple[int | str, ...]
_PASSES: Final = 8
"""pydantic names all unknown fields at once, so the second pass is the last but for surprises."""
_SHOWN: Final = 40


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
    """The spec and the paths of fields that this version does not know, which are left out.

    Raises SpecUnreadable for a value that is not known, naming the field.
    """
    value: Any = raw
    unknown: list[str] = []
    for _ in range(_PASSES):
        try:
            return ProjectSpec.model_validate(value), tuple(unknown)
        except ValidationError as error:
            found = error.errors(include_url=False)
        paths = [path for path in map(_unknown_field, found) if path]
        if not paths:
            raise SpecUnreadable(_complaint(found[0])) from None
        for path in paths:
            value = _without(value, path)
            unknown.append(".".join(str(part) for part in path))
    raise SpecUnreadable("spec holds too many unknown fields")


def _unknown_field(error: ErrorDetails) -> Path | None:
    """The path of a field that a newer version knows, if that is what the error is about."""
    path = error["loc"]
    if error["type"] == "extra_forbidden":
        return path
    if error["type"] == "enum" and path[-1] == "[key]":
        return path[:-1]  # a component of a newer version, in a map by component
    return None


def _complaint(error: ErrorDetails) -> str:
    """What is wrong with a value, for people. The value is told only where it is one word of a
    fixed list: anything else might be a secret that somebody put into the wrong field.
    """
    where = ".".join(str(part) for part in ("spec", *error["loc"]))
    if error["type"] == "enum":
        given = str(error["input"])[:_SHOWN]
        return f"{where}: {given!r} is not known to this version, which knows {_expected(error)}"
    return f"{where}: {error['msg']}"


def _expected(error: ErrorDetails) -> str:
    return str(error.get("ctx", {}).get("expected", "other words"))


def read_status(raw: Mapping[str, Any]) -> ProjectStatus:
    """The status without the fields that cannot be read; what is left out can be made anew."""
    value = dict(raw)
    for _ in range(_PASSES):
        try:
            return ProjectStatus.model_validate(value)
        except ValidationError as error:
            for broken in {str(found["loc"][0]) for found in error.errors()}:
                value.pop(broken, None)
    return ProjectStatus()


def _without(value: Any, path: Path) -> Any:
    head, *rest = path
    if isinstance(value, Mapping):
        if not rest:
            return {k: v for k, v in value.items() if k != head}
        return {k: _without(v, tuple(rest)) if k == head else v for k, v in value.items()}
    if isinstance(value, list) and isinstance(head, int):
        return [_without(v, tuple(rest)) if i == head else v for i, v in enumerate(value)]
    return value


def spec_to_manifest(spec: ProjectSpec) -> dict[str, Any]:
    """The spec with only what was set, in camelCase, without nulls."""
    return spec.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


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
