"""Changes a SupabaseProject on behalf of a person, but never a field that belongs to somebody else.

A field that GitOps or an administrator set is theirs: the API server remembers who set what
(`metadata.managedFields`), and we answer 409 with the owner's name instead of taking it over.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from supaplane_api import audit
from supaplane_api.caller import ProjectAccess, ProjectRow
from supaplane_api.database import Connection
from supaplane_api.problems import Clash, Invalid, Missing
from supaplane_api.services import Services
from supaplane_contract import SpecUnreadable, names, read_spec
from supaplane_kube import errors as kube_errors
from supaplane_kube.merge import merge_patched

from .fields import Path, is_writable
from .schemas import ChangeSettings, ProjectSettings
from .snapshot import PROJECTS

TRIES = 3
Spec = Mapping[str, Any]


async def rename(services: Services, access: ProjectAccess, name: str, address: str | None) -> None:
    """Sets the display name. Raises Clash, Invalid, Missing, KubeError."""
    project = access.project
    await change(services, project, "displayName", name)
    now = services.outside.now()
    async with services.database.connection() as connection:
        await _record(connection, access, name, address, now)


async def _record(
    connection: Connection, access: ProjectAccess, name: str, address: str | None, now: Any
) -> None:
    await audit.record(
        connection,
        "project.rename",
        actor=audit.Actor(access.caller.account_id, access.caller.email, address),
        now=now,
        organization_id=access.organization.organization_id,
        project_ref=access.project.ref,
        details={"name": name},
    )


async def change(services: Services, project: ProjectRow, field: str, value: Any) -> None:
    """Sets one field of the spec, as in `database.storage.size`, unless it has another owner.

    Raises Clash, Invalid, Missing, KubeError.
    """
    path = tuple(field.split("."))
    await rewrite(services, project, lambda _: Wish({path: value}))


@dataclass(frozen=True)
class Wish:
    """What is to be changed."""

    fields: Mapping[Path, Any]
    """Values by the path of their field in the spec; None takes a field away."""
    first: Callable[[], Awaitable[object]] | None = None
    """Done before the SupabaseProject is written, once nothing stands against that. May be done
    more than once."""
    touch: bool = False
    """Whether a Secret beside the project changes, of which the spec itself says nothing."""


async def rewrite(
    services: Services, project: ProjectRow, wish_of: Callable[[Spec], Wish]
) -> tuple[str, ...]:
    """Changes what `wish_of` makes of the present spec; the names of the fields that changed.

    Raises Clash for a field of somebody else's, Invalid for what the contract or the API server
    refuses, Missing, KubeError.
    """
    namespace, name = project.cr_namespace, project.cr_name
    for _ in range(TRIES):
        live = await read(services, project)
        spec: Spec = live.get("spec") or {}
        wish = wish_of(spec)
        differing = {p: v for p, v in wish.fields.items() if value_at(spec, p) != v}
        for path in differing:
            assert is_writable(path), f"{path} is not in the table of writable fields"
        _refuse_foreign(live, differing)
        _refuse_unreadable(spec, differing)
        if not differing and not wish.touch:
            return ()
        if wish.first is not None:
            await wish.first()
        try:
            await services.kube.merge_patch(
                PROJECTS,
                namespace,
                name,
                _patch(services, live, differing, touch=wish.touch),
                manager=names.FIELD_MANAGER_API,
            )
        except kube_errors.Conflict:
            continue  # somebody changed it between our reading and writing: look again
        except kube_errors.Invalid as error:
            raise Invalid(f"Kubernetes refuses the change: {error.message[:500]}") from error
        return tuple(sorted(".".join(path) for path in differing))
    raise Clash("The project is being changed by others at this moment: try again")


async def read(services: Services, project: ProjectRow) -> dict[str, Any]:
    """The SupabaseProject as it is now. Raises Missing, Clash while it goes, KubeError."""
    live = await services.kube.get(PROJECTS, project.cr_namespace, project.cr_name)
    if live is None or live["metadata"]["uid"] != (project.cr_uid or live["metadata"]["uid"]):
        raise Missing("The project is not made yet, or gone already")
    if live["metadata"].get("deletionTimestamp"):
        raise Clash("The project is being deleted: it cannot be changed any more")
    return live


def _refuse_foreign(live: Mapping[str, Any], differing: Mapping[Path, Any]) -> None:
    for path, value in differing.items():
        before = value_at(live.get("spec") or {}, path)
        named = _is_named(before) and _is_named(value)
        items = frozenset(_changed_items(before, value)) if named else None
        others = _owners(live, path, items) - {names.FIELD_MANAGER_API}
        if others:
            raise Clash(
                f"{'.'.join(path)} belongs to {', '.join(sorted(others))}: change it there, or"
                " give it up there first"
            )


def _is_named(value: Any) -> bool:
    """Whether it is a list whose items have names, which the API server may merge by them."""
    return isinstance(value, list) and all(isinstance(i, Mapping) and "name" in i for i in value)


def _changed_items(before: list[Any], after: list[Any]) -> list[str]:
    had, has = ({item["name"]: item for item in items} for items in (before, after))
    return sorted(name for name in had.keys() | has.keys() if had.get(name) != has.get(name))


def _refuse_unreadable(spec: Spec, differing: Mapping[Path, Any]) -> None:
    try:
        read_spec(merge_patched(dict(spec), _nested(differing)))
    except SpecUnreadable as error:
        if _is_readable(spec):  # else a newer version wrote it, and the mistake is not this one
            raise Invalid(f"The SupabaseProject does not take this: {error}") from None


def _is_readable(spec: Spec) -> bool:
    try:
        read_spec(spec)
    except SpecUnreadable:
        return False
    return True


def _patch(
    services: Services, live: Mapping[str, Any], differing: Mapping[Path, Any], *, touch: bool
) -> dict[str, Any]:
    meta: dict[str, Any] = {"resourceVersion": live["metadata"]["resourceVersion"]}
    if touch:
        mark = services.outside.random_bytes(8).hex()
        meta["annotations"] = {names.ANNOTATION_TOUCHED: mark}
    return {"metadata": meta, **({"spec": _nested(differing)} if differing else {})}


def owners(live: Mapping[str, Any], field: str) -> set[str]:
    """Managers that own a field of the spec, as in `database.storage.size`, or a part of it."""
    return _owners(live, tuple(field.split(".")))


def _owners(live: Mapping[str, Any], path: Path, items: frozenset[str] | None = None) -> set[str]:
    """The same, of a path. `items`: of a list that is merged by name, only these count."""
    found = set()
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        if not entry.get("subresource"):
            part = (entry.get("fieldsV1") or {}).get("f:spec")
            for step in path:
                part = None if part is None else part.get(f"f:{step}")
            if part is not None and _concerns(part, items):
                found.add(str(entry.get("manager") or "unknown"))
    return found


def _concerns(part: Mapping[str, Any], items: frozenset[str] | None) -> bool:
    """Whether somebody who owns `part` of a list owns one of the items, or the list as a whole."""
    keys = [json.loads(key[2:]) for key in part if key.startswith("k:")]
    return items is None or not keys or any(key.get("name") in items for key in keys)


def value_at(spec: Spec, path: Path) -> Any:
    """The value of a field; None when it is absent."""
    part: Any = spec
    for step in path:
        part = part.get(step) if isinstance(part, Mapping) else None
    return part


def _nested(fields: Mapping[Path, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for path, value in fields.items():
        part = patch
        for step in path[:-1]:
            part = part.setdefault(step, {})
        part[path[-1]] = value
    return patch


def refuse_other_changes(wish: ChangeSettings, current: ProjectSettings) -> None:
    """Raises Invalid when something but the name is to be changed. Sending it as it is, is fine."""
    if not wish.model_fields_set:
        raise Invalid("name: give the new name; nothing else can be changed here")
    for field in sorted(wish.model_fields_set - {"name"}):
        sent = getattr(wish, field)
        if sent is not None and sent != getattr(current, field):
            raise Invalid(f"{field}: cannot be changed here; only name can")
