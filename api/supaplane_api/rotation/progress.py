"""What has become of the one-shot work that a SupabaseProject asks for? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supaplane_contract import names, read_status
from supaplane_contract.spec import OperationKind
from supaplane_contract.status import OperationStatus

from .schemas import NestedProgress, Progress, SecretsUpdateStatus

PREFIX = "jwt-"
"""Of the ids of operations that have a tracking id of Studio's."""
WAITING = "Waiting"
"""Phase of an operation that the operator has not begun."""
REPLACING_PODS = "ReplacingPods"


def latest(live: Mapping[str, Any]) -> OperationStatus | None:
    """The operation that waits or is under way, else the one that ended last."""
    status = read_status(live.get("status") or {})
    if status.operation is not None:
        return status.operation
    wish = (live.get("spec") or {}).get("operation") or {}
    id_, last = str(wish.get("id") or ""), status.last_operation
    if id_ and id_ not in {last.id if last else "", *status.past_operations}:
        return OperationStatus(id=id_, kind=str(wish.get("kind") or ""), phase=WAITING)
    return last


def is_known(live: Mapping[str, Any], id_: str) -> bool:
    """Whether an operation of that id was asked for before."""
    status, found = read_status(live.get("status") or {}), latest(live)
    return id_ in {found.id if found else "", *status.past_operations}


def is_unfinished(operation: OperationStatus | None) -> bool:
    """Whether it waits or is under way."""
    return operation is not None and operation.phase in (WAITING, "Running")


def told(live: Mapping[str, Any]) -> SecretsUpdateStatus:
    """How the change of the JWT secret goes, as Studio reads it."""
    operation = latest(live)
    if operation is None or operation.kind != OperationKind.ROTATE_JWT_SECRET.value:
        return SecretsUpdateStatus()
    progress = _progress(operation)
    return SecretsUpdateStatus(
        update_status=progress,
        jwtSecretUpdateStatus=NestedProgress(**progress.model_dump(), meta=progress),
    )


def _progress(operation: OperationStatus) -> Progress:
    id_, replacing = operation.id.removeprefix(PREFIX), operation.step == REPLACING_PODS
    if operation.phase == "Succeeded":
        return Progress(change_tracking_id=id_, status=1, progress=5)
    if is_unfinished(operation):
        return Progress(change_tracking_id=id_, status=0, progress=2 if replacing else 0)
    return Progress(
        change_tracking_id=id_,
        status=2,
        progress=2 if replacing else 0,
        error=2 if replacing else 1,
    )


def parameters(**given: str) -> dict[str, str | None] | None:
    """Parameters of an operation as a merge patch that leaves nothing of those before it."""
    known = dict.fromkeys(("components", "roles", "secretKey", "secretName"))
    return {**known, **given} if given else None


def secret_name(cr_name: str) -> str:
    """Where a value that somebody chose waits for the operator."""
    return names.requested_secret(cr_name)
