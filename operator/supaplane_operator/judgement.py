"""What follows from what was seen: the phase, what runs late, the one thing worth knowing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from supaplane_contract.spec import ComponentName, DesiredState, OperationKind, ProjectSpec
from supaplane_contract.status import (
    ComponentPhase,
    ConditionType,
    OperationStatus,
    Phase,
    ProjectStatus,
    Reason,
)

from .observe import Observed, Seen, Trouble
from .operations import FAILED as OPERATION_FAILED
from .operations import REPLACING_PODS, ROTATIONS, RUNNING, SETTING_PASSWORD, SUCCEEDED
from .phases import ACTIVE, CHANGING, FAILED, Wish, is_as_wished, is_at_rest, next_phase
from .settings import Deadlines
from .times import seconds_since, stamp

WELL_DONE: Mapping[str, str] = {
    OperationKind.RESTART.value: "every pod was made anew",
    OperationKind.ROTATE_JWT_SECRET.value: "tokens and keys of before are refused now",
    OperationKind.ROTATE_DATABASE_PASSWORD.value: "the database takes the new password only",
}
"""What is told of an operation that ended well, by its kind."""


@dataclass(frozen=True)
class Judgement:
    """What follows from what was seen."""

    observed: Observed
    phase: Phase
    previous_phase: Phase | None
    paused: bool
    """Whether the project is wished to be paused."""
    fits: bool
    """Whether the cluster is as the spec wishes, paused or running."""
    overdue: bool
    """Whether waiting took longer than it may."""
    change_failed: bool
    """Whether an upgrade, resize or restart ended without success in this pass."""
    starting: frozenset[ComponentName]
    message: str
    operation: OperationStatus | None
    last_operation: OperationStatus | None

    @property
    def trouble(self) -> Trouble | None:
        """The most telling reason why the project is not as wished."""
        return _trouble(self.observed)


def judge(
    spec: ProjectSpec,
    previous: ProjectStatus,
    observed: Observed,
    *,
    now: datetime,
    deadlines: Deadlines,
) -> Judgement:
    """The one place where the past, the wish and the present meet."""
    before = Phase(previous.phase) if previous.phase in set(Phase) else None
    paused = spec.desired_state is DesiredState.PAUSED
    stalled = _change_overdue(previous, observed, now, deadlines)
    wish = Wish(
        paused=paused,
        changed=previous.observed_generation != observed.generation,
        change=_change(spec, previous, observed),
        starting=frozenset() if stalled else _starting(previous, observed),
    )
    late = _late(before, previous, now, deadlines)
    verdict = next_phase(before, wish, observed, late=late)
    fits = _fits(verdict.phase, paused, observed)
    overdue = verdict.phase in FAILED or (verdict.phase in ACTIVE and stalled and not fits)
    running, ended = _operations(previous, observed, verdict.phase, fits, now, deadlines)
    return Judgement(
        observed=observed,
        phase=verdict.phase,
        previous_phase=before,
        paused=paused,
        fits=fits,
        overdue=overdue and not observed.hands_off,
        change_failed=verdict.change_failed,
        starting=wish.starting,
        message=_message(observed, verdict.phase, fits),
        operation=running,
        last_operation=ended,
    )


def _fits(phase: Phase, paused: bool, observed: Observed) -> bool:
    if paused:
        return phase is Phase.INACTIVE and is_at_rest(observed)
    return phase in ACTIVE and is_as_wished(observed)


def _late(
    phase: Phase | None, previous: ProjectStatus, now: datetime, deadlines: Deadlines
) -> bool:
    limit = deadlines.of(phase.value) if phase else None
    return limit is not None and seconds_since(previous.phase_since, now) >= limit


def _change_overdue(
    previous: ProjectStatus, observed: Observed, now: datetime, deadlines: Deadlines
) -> bool:
    """Whether a change without a phase of its own takes too long; so it stays until a new wish."""
    reconciling = previous.condition(ConditionType.RECONCILING)
    if reconciling is not None and reconciling.status == "True":
        return seconds_since(reconciling.last_transition_time, now) >= deadlines.changing
    stalled = previous.condition(ConditionType.STALLED)
    return (
        stalled is not None
        and stalled.status == "True"
        and stalled.reason == Reason.DEADLINE_EXCEEDED
        and stalled.observed_generation == observed.generation
    )


def _change(spec: ProjectSpec, previous: ProjectStatus, observed: Observed) -> Phase | None:
    """The change with a phase of its own that is asked for, unless it failed already."""
    last = previous.condition(ConditionType.OPERATION_SUCCEEDED)
    failed = last is not None and last.status == "False"
    if failed and last is not None and last.observed_generation == observed.generation:
        return None
    if previous.release and observed.release and previous.release != observed.release:
        return Phase.UPGRADING
    if previous.size and previous.size != spec.size.value:
        return Phase.RESIZING
    operation = observed.operation
    restarts = operation is not None and operation.kind == OperationKind.RESTART.value
    if operation is not None and restarts and operation.phase == RUNNING:
        return Phase.RESTARTING
    return None


def _starting(previous: ProjectStatus, observed: Observed) -> frozenset[ComponentName]:
    """Components that were never ready yet."""
    once = {
        component.name
        for component in previous.components
        if component.phase not in (ComponentPhase.PENDING, ComponentPhase.STARTING)
    }
    return frozenset(seen.name for seen in observed.components if seen.name.value not in once)


def _operations(
    previous: ProjectStatus,
    observed: Observed,
    phase: Phase,
    fits: bool,
    now: datetime,
    deadlines: Deadlines,
) -> tuple[OperationStatus | None, OperationStatus | None]:
    """The operation under way, and the one that ended last."""
    operation = observed.operation
    if operation is None:
        return None, previous.last_operation
    if operation.phase != RUNNING:
        return None, operation
    if phase in CHANGING:
        return operation, previous.last_operation
    if operation.kind in ROTATIONS and observed.hands_off:
        return operation, previous.last_operation
    done = fits and phase in ACTIVE
    patient = seconds_since(operation.started_at, now) < deadlines.changing
    if operation.kind in ROTATIONS and not done and phase in ACTIVE and patient:
        return _under_way(operation, observed), previous.last_operation
    ended = operation.model_copy(
        update={
            "phase": SUCCEEDED if done else OPERATION_FAILED,
            "finished_at": stamp(now),
            "message": WELL_DONE.get(operation.kind, "done") if done else _failure(observed, phase),
        }
    )
    return None, ended


def _under_way(operation: OperationStatus, observed: Observed) -> OperationStatus:
    """The operation with what it waits for at this moment."""
    trouble = _trouble(observed)
    message = trouble.message if trouble else None
    if operation.step == SETTING_PASSWORD and (trouble is None or observed.problem is None):
        message = "waiting for the database to take the new password"
    return operation.model_copy(update={"message": message})


def _failure(observed: Observed, phase: Phase) -> str:
    operation, trouble = observed.operation, _trouble(observed)
    known = operation is not None and operation.step == REPLACING_PODS
    prefix = "the new values hold, but " if known else ""
    if phase not in ACTIVE and phase not in CHANGING:
        return f"{prefix}the project became {phase.value} meanwhile"
    waited = trouble.message if trouble else "the project did not become ready again in time"
    return f"{prefix}{waited}"


def _trouble(observed: Observed) -> Trouble | None:
    if observed.problem:
        return Trouble(observed.problem.reason, observed.problem.message)
    unready = [seen for seen in observed.components if not seen.as_wished]
    for seen in unready:
        if seen.trouble:
            return Trouble(seen.trouble.reason, f"{seen.name.value}: {seen.trouble.message}")
    if unready:
        return Trouble(Reason.COMPONENT_NOT_READY, f"waiting for {_names(unready)}")
    return None


def _names(seen: list[Seen]) -> str:
    return ", ".join(s.name.value for s in seen)


def _message(observed: Observed, phase: Phase, fits: bool) -> str:
    trouble = _trouble(observed)
    if observed.problem:
        return observed.problem.message
    if observed.hands_off:
        return "reconciling is paused: remove the annotation supaplane.dev/reconcile to go on"
    if trouble and not fits:
        return trouble.message
    if observed.network:
        return observed.network.message
    if phase is Phase.INACTIVE:
        return "paused; all data is kept"
    return "every component is ready" if fits else "objects are being applied"
