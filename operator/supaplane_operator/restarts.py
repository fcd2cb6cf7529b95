"""Which restart is each component to have had? Pure.

A restart is an annotation on the pod template. What was asked for once stays there, or taking the
operation out of the spec would restart everything again. The database comes last, when the others
are back, so that they do not all lose it at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from supaplane_contract.spec import ComponentName, Operation, OperationKind, ProjectSpec
from supaplane_contract.status import OperationStatus

from .children import WORKLOADS, Child, Name
from .operations import ROTATIONS, RUNNING, failed


@dataclass(frozen=True)
class Restarts:
    """The restarts to render, and the operation that they come from, if one is under way."""

    by_component: Mapping[ComponentName, str]
    operation: OperationStatus | None = None
    outstanding: bool = False
    """Whether a component still waits for its turn."""


def restarts(
    spec: ProjectSpec,
    operation: OperationStatus | None,
    children: Mapping[Name, Child],
    now: datetime,
) -> Restarts:
    """`operation`: one-shot work under way, of any kind. `children`: the watched objects of the
    project's namespace."""
    had = {
        ComponentName(child.component): child.restart
        for name, child in children.items()
        if name[0] in WORKLOADS and child.component in set(ComponentName) and child.restart
    }
    if operation is None or operation.phase != RUNNING:
        return Restarts(had, operation)
    if operation.kind in ROTATIONS:
        return Restarts(had | _with_new_keys(operation), operation)
    if spec.operation is None or spec.operation.id != operation.id:
        return Restarts(had, operation)  # the wish is gone: what was begun is waited for
    chosen = _chosen(spec.operation, children)
    if isinstance(chosen, str):
        return Restarts(had, failed(operation, chosen, now))
    others = chosen - {ComponentName.DB}
    back = all(_is_back(c, operation.id, children) for c in others)
    turn = chosen if back else others
    return Restarts(had | dict.fromkeys(turn, operation.id), operation, outstanding=turn != chosen)


def _with_new_keys(operation: OperationStatus) -> dict[ComponentName, str]:
    """The gateway is made anew with the keys that it lets in, though it could take them in by
    itself: sockets that were opened with an old one end, and when it is back they are refused."""
    signs = operation.kind == OperationKind.ROTATE_JWT_SECRET.value
    return {ComponentName.GATEWAY: operation.id} if signs else {}


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
