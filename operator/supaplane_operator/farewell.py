"""What is a person told of a project that goes? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from supaplane_contract.status import (
    ComponentPhase,
    ComponentStatus,
    Condition,
    ConditionType,
    Phase,
    ProjectStatus,
    Reason,
    merge_conditions,
)

from .children import WORKLOADS, Child, Name
from .times import stamp


def going_down(
    previous: ProjectStatus,
    *,
    generation: int,
    message: str,
    overdue: bool,
    children: Mapping[Name, Child],
    now: datetime,
) -> ProjectStatus:
    """The status while what was made of a SupabaseProject is taken away."""
    since = previous.phase_since if previous.phase == Phase.GOING_DOWN else None
    told = {
        ConditionType.READY: (False, Reason.DELETING),
        ConditionType.AVAILABLE: (False, Reason.DELETING),
        ConditionType.RECONCILING: (not overdue, Reason.DELETING),
        ConditionType.STALLED: (
            overdue,
            Reason.DEADLINE_EXCEEDED if overdue else Reason.IDLE,
        ),
    }
    wanted = [
        Condition(
            type=kind.value,
            status=str(holds),
            reason=reason.value,
            message=message,
            observed_generation=generation,
        )
        for kind, (holds, reason) in told.items()
    ]
    return previous.model_copy(
        update={
            "phase": Phase.GOING_DOWN.value,
            "phase_since": since or stamp(now),
            "observed_generation": generation,
            "message": message,
            "ready": f"0/{len(previous.components)}" if previous.components else None,
            "conditions": merge_conditions(previous.conditions, wanted, now=stamp(now)),
            "components": [_component(c, children) for c in previous.components],
        }
    )


def _component(component: ComponentStatus, children: Mapping[Name, Child]) -> ComponentStatus:
    there = any(c.component == component.name for n, c in children.items() if n[0] in WORKLOADS)
    phase = ComponentPhase.STOPPING if there else ComponentPhase.STOPPED
    return component.model_copy(
        update={"phase": phase.value, "ready": 0, "desired": 0, "reason": None, "message": None}
    )
