"""Secrets beside a SupabaseProject that this program makes: what the spec may only refer to.

Such a Secret carries the project's ref as a label. One of that name without it is somebody else's,
and is neither read nor changed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from supaplane_api.caller import ProjectRow
from supaplane_api.problems import Clash
from supaplane_api.services import Services
from supaplane_contract import names, to_secret_data
from supaplane_kube import errors as kube_errors
from supaplane_kube.resources import SECRETS

MOST_BYTES = 1_000_000
"""What may lie in one: Kubernetes takes 1 MiB, names and annotations included."""


@dataclass(frozen=True)
class SideSecret:
    """What lies in such a Secret."""

    values: Mapping[str, str] = field(repr=False)
    annotations: Mapping[str, str]
    made_at: str


async def read(services: Services, project: ProjectRow, name: str) -> SideSecret | None:
    """The Secret, if there is one and it is ours. Raises KubeError."""
    found = await services.kube.get(SECRETS, project.cr_namespace, name)
    if found is None or not _ours(found, project):
        return None
    meta = found["metadata"]
    return SideSecret(
        _plain(found), meta.get("annotations") or {}, meta.get("creationTimestamp") or ""
    )


async def read_any(services: Services, project: ProjectRow, name: str) -> Mapping[str, str]:
    """The values of a Secret that the spec refers to, whosever it is. Raises KubeError."""
    found = await services.kube.get(SECRETS, project.cr_namespace, name)
    return _plain(found) if found else {}


async def write(
    services: Services,
    project: ProjectRow,
    name: str,
    values: Mapping[str, str | None],
    annotations: Mapping[str, str] | None = None,
) -> None:
    """Sets keys, and takes away those that are None; makes the Secret when there is none.

    Raises Clash when somebody else's Secret has that name, KubeError.
    """
    found = await services.kube.get(SECRETS, project.cr_namespace, name)
    if found is None:
        try:
            await _make(services, project, name, values, annotations)
            return
        except kube_errors.AlreadyExists:
            found = await services.kube.get(SECRETS, project.cr_namespace, name)
    if found is None or not _ours(found, project):
        raise Clash(f"The Secret {name} is somebody else's: rename or remove it first")
    encoded = to_secret_data({k: v for k, v in values.items() if v is not None})
    patch: dict[str, Any] = {
        "metadata": {
            "resourceVersion": found["metadata"]["resourceVersion"],
            **({"annotations": dict(annotations)} if annotations else {}),
        },
        "data": {key: encoded.get(key) for key in values},
    }
    try:
        await services.kube.merge_patch(
            SECRETS, project.cr_namespace, name, patch, manager=names.FIELD_MANAGER_API
        )
    except kube_errors.Conflict:
        raise Clash("This is being changed by others at this moment: try again") from None


async def forget(services: Services, project: ProjectRow, name: str, keys: Collection[str]) -> None:
    """Takes keys away, and the Secret with the last of them. Raises Clash, KubeError."""
    found = await read(services, project, name) if keys else None
    if found is None:
        return
    if found.values.keys() <= set(keys):
        await remove(services, project, name)
    elif gone := found.values.keys() & set(keys):
        await write(services, project, name, dict.fromkeys(gone))


async def remove(services: Services, project: ProjectRow, name: str) -> None:
    """Deletes the Secret if it is ours. Raises KubeError."""
    found = await services.kube.get(SECRETS, project.cr_namespace, name)
    if found is not None and _ours(found, project):
        uid = found["metadata"]["uid"]
        await services.kube.delete(SECRETS, project.cr_namespace, name, uid=uid)


async def _make(
    services: Services,
    project: ProjectRow,
    name: str,
    values: Mapping[str, str | None],
    annotations: Mapping[str, str] | None,
) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": project.cr_namespace,
            "labels": {
                names.LABEL_REF: project.ref,
                names.LABEL_MANAGED_BY: names.FIELD_MANAGER_API,
                names.LABEL_PART_OF: names.PART_OF,
            },
            **({"annotations": dict(annotations)} if annotations else {}),
        },
        "type": "Opaque",
        "data": to_secret_data({k: v for k, v in values.items() if v is not None}),
    }
    await services.kube.create(SECRETS, project.cr_namespace, body, manager=names.FIELD_MANAGER_API)


def _ours(secret: Mapping[str, Any], project: ProjectRow) -> bool:
    labels = secret["metadata"].get("labels") or {}
    return bool(
        labels.get(names.LABEL_REF) == project.ref
        and labels.get(names.LABEL_MANAGED_BY) == names.FIELD_MANAGER_API
    )


def _plain(secret: Mapping[str, Any]) -> dict[str, str]:
    """The values that are text; what is none is not for us."""
    values = {}
    for key, encoded in (secret.get("data") or {}).items():
        try:
            values[key] = base64.b64decode(encoded or "", validate=True).decode()
        except (binascii.Error, ValueError):
            continue
    return values
