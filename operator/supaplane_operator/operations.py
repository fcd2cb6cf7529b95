"""Which one-shot work is to go on, or to begin? One at a time, each id once. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from supaplane_contract.spec import DesiredState, OperationKind, ProjectSpec
from supaplane_contract.status import OperationStatus, Phase, ProjectStatus

from .phases import ACTIVE
from .times import stamp

RUNNING: Final = "Running"
SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"

SETTING_PASSWORD: Final = "SettingPassword"
"""The database is to take a new password; every service still has the old one."""
REPLACING_PODS: Final = "ReplacingPods"
"""The new values hold; what was started with the old ones is replaced."""

ROTATIONS: Final = frozenset(
    {OperationKind.ROTATE_JWT_SECRET.value, OperationKind.ROTATE_DATABASE_PASSWORD.value}
)
"""Work that replaces secrets. It has no phase of its own: the project serves meanwhile."""


def under_way(spec: ProjectSpec, status: ProjectStatus, now: datetime) -> OperationStatus | None:
    """The operation to go on with or to begin; Failed already when it cannot be begun."""
    wanted, running = spec.operation, status.operation
    if running is not None:
        return running
    last = status.last_operation
    if wanted is None or wanted.id in (last and last.id, *status.past_operations):
        return None
    fresh = OperationStatus(
        id=wanted.id, kind=wanted.kind.value, phase=RUNNING, started_at=stamp(now)
    )
    if spec.desired_state is DesiredState.PAUSED:
        return failed(fresh, "the project is paused: set spec.desiredState to Running first", now)
    phase = Phase(status.phase) if status.phase in set(Phase) else None
    return fresh if phase in ACTIVE else None


def failed(operation: OperationStatus, why: str, now: datetime) -> OperationStatus:
    """The operation, ended without success."""
    ended = {"phase": FAILED, "finished_at": stamp(now), "message": why}
    return operation.model_copy(update=ended)
