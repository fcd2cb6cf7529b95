"""Which restart is each component to have had? Pure.

A restart is an annotation on the pod template. What was asked for once stays there, or taking the
operation out of the spec would restart everything again. The database comes last, when the others
are back, so that they do not all lose it at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from supaplane_contract.spec import ComponentName, DesiredState, Operation, ProjectSpec
from supaplane_contract.status import OperationStatus, Phase, ProjectStatus

from .children import WORKLOADS, Child, Name
from .judgement import OPERATION_FAILED, RUNNING
from .phases import ACTIVE
from .times import stamp


@dataclass(frozen=True)
class Restarts:
    """The restarts to render, and the operation that they come from, if one is under way."""

    by_component: Mapping[ComponentName, str]
    operation: OperationStatus | None = None
    outstanding: bool = False
    """Whether a component still waits for its turn."""


def restarts(
    spec: ProjectSpec, status: ProjectStatus, children: Mapping[Name, Child], now: datetime
) -> Restarts:
    """`children`: the watched objects of the project's namespace."""
    had = {
        ComponentName(child.component): child.restart
        for name, child in children.items()
        if name[0] in WORKLOADS and child.component in set(ComponentName) and child.restart
    }
    operation = _under_way(spec, status, now)
    if operation is None or operation.phase != RUNNING:
        return Restarts(had, operation)
    if spec.operation is None or spec.operation.id != operation.id:
        return Restarts(had, operation)  # the wish is gone: what was begun is waited for
    chosen = _chosen(spec.operation, children)
    if isinstance(chosen, str):
        failed = {"phase": OPERATION_FAILED, "finished_at": stamp(now), "message": chosen}
        return Restarts(had, operation.model_copy(update=failed))
    others = chosen - {ComponentName.DB}
    back = all(_is_back(c, operation.id, children) for c in others)
    turn = chosen if back else others
    return Restarts(had | dict.fromkeys(turn, operation.id), operation, outstanding=turn != chosen)


def _under_way(spec: ProjectSpec, status: ProjectStatus, now: datetime) -> OperationStatus | None:
    """The operation to go on with or to begin; one at a time, each id once."""
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
        failed = {
            "phase": OPERATION_FAILED,
            "finished_at": stamp(now),
            "message": "the project is paused: set spec.desiredState to Running first",
        }
        return fresh.model_copy(update=failed)
    phase = Phase(status.phase) if status.phase in set(Phase) else None
    return fresh if phase in ACTIVE else None


def _chosen(operation: Operation, children: Mapping[Name, Child]) -> frozenset[ComponentName] | str:
    """The components to restart, or why that cannot be said."""
    there = frozenset(
        ComponentName(child.component)
        for name, child in children.items()
        if name[0] in WORKLOADS and child.component in set(ComponentName)
    )
    text = operation.parameters.get("components", "")
    asked = {word.strip() for word in text.split(",") if word.strip()}
    unknown = sorted(asked - {component.value for component in there})
    if unknown:
        return f"no such component: {', '.join(unknown)}; there are {_listed(there)}"
    return frozenset(c for c in there if c.value in asked) if asked else there


def _listed(components: Iterable[ComponentName]) -> str:
    return ", ".join(sorted(component.value for component in components))


def _is_back(component: ComponentName, id_: str, children: Mapping[Name, Child]) -> bool:
    return all(
        child.restart == id_ and child.settled and child.ready >= child.desired
        for name, child in children.items()
        if name[0] in WORKLOADS and child.component == component.value
    )
