"""What carries our label but is not rendered any more? Pure. Volumes are never among it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from supaplane_contract import names
from supaplane_kube import Resource
from supaplane_kube import resources as kinds
from supaplane_kube.port import Manifest

from .children import Child, Name
from .rights import BINDING

KEPT: Final = frozenset({kinds.VOLUME_CLAIMS})
"""Kinds that hold data. Only deleting the project removes them, and only where it may."""


def leftovers(
    rendered: Collection[Name],
    children: Mapping[Name, Child],
    read: Mapping[Name, Manifest],
    ref: str,
    *,
    needed: Collection[Resource] = (),
) -> list[tuple[Name, str]]:
    """Objects to delete, each with its uid. `read`: objects of kinds that are not watched;
    `needed`: kinds of which everything stays for now."""
    found = [(name, child.uid) for name, child in children.items() if child.ref == ref]
    found += [(name, item["metadata"]["uid"]) for name, item in read.items() if _ours(item, ref)]
    return _unique(
        (name, uid)
        for name, uid in found
        if name not in rendered
        and name[0] not in KEPT
        and name[0] not in needed
        and name[1] not in _spared(name)
    )


def _ours(item: Mapping[str, Any], ref: str) -> bool:
    labels = item["metadata"].get("labels") or {}
    return (
        labels.get(names.LABEL_REF) == ref
        and labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY
        and "deletionTimestamp" not in item["metadata"]
    )


def _spared(name: Name) -> tuple[str, ...]:
    """Made by the engine, not by the renderer."""
    if name[0] == kinds.ROLE_BINDINGS:
        return (BINDING,)
    return (names.CREDENTIALS_COPY,) if name[0] == kinds.SECRETS else ()


def _unique(found: Iterable[tuple[Name, str]]) -> list[tuple[Name, str]]:
    return list(dict(found).items())
