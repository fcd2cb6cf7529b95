"""What holds, concern by concern, in the manner of kstatus. Pure.

https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
"""

from __future__ import annotations

from collections.abc import Iterator

from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Condition, ConditionType, Phase, ProjectStatus, Reason

from .judgement import Judgement
from .observe import Trouble
from .operations import FAILED as OPERATION_FAILED
from .phases import ACTIVE, CHANGING, lost

_WHY = {
    Phase.COMING_UP: Reason.COMING_UP,
    Phase.PAUSING: Reason.PAUSING,
    Phase.RESTORING: Reason.RESUMING,
    Phase.RESTARTING: Reason.RESTARTING,
    Phase.RESIZING: Reason.RESIZING,
    Phase.UPGRADING: Reason.UPGRADING,
}


def conditions(judgement: Judgement, previous: ProjectStatus) -> list[Condition]:
    """All conditions, in a fixed order; their transition times are not filled in yet."""
    generation = judgement.observed.generation
    found = [_accepted(judgement), _ready(judgement)]
    if judgement.observed.components:
        found += [_available(judgement)]
    found += [_reconciling(judgement), _stalled(judgement)]
    if judgement.observed.components:
        found += [_up_to_date(judgement), *_concerns(judgement)]
    if judgement.observed.dns is not None:
        found += [judgement.observed.dns]
    stamped = [c.model_copy(update={"observed_generation": generation}) for c in found]
    operation = _operation_succeeded(judgement, previous)
    return [*stamped, operation] if operation else stamped


def _condition(kind: ConditionType, holds: bool, reason: Reason, message: str = "") -> Condition:
    return Condition(
        type=kind.value, status=str(holds), reason=reason.value, message=message[:1024]
    )


def _accepted(judgement: Judgement) -> Condition:
    problem = judgement.observed.problem
    if judgement.observed.accepted or problem is None:
        return _condition(ConditionType.ACCEPTED, True, Reason.ACCEPTED)
    return _condition(ConditionType.ACCEPTED, False, problem.reason, problem.message)


def _ready(judgement: Judgement) -> Condition:
    observed, kind = judgement.observed, ConditionType.READY
    if judgement.fits and judgement.paused:
        return _condition(kind, True, Reason.PAUSED, judgement.message)
    if judgement.fits and observed.network:
        return _condition(kind, False, observed.network.reason, observed.network.message)
    if judgement.fits:
        return _condition(kind, True, Reason.READY, judgement.message)
    return _condition(kind, False, _why(judgement), judgement.message)


def _available(judgement: Judgement) -> Condition:
    kind = ConditionType.AVAILABLE
    silent = [
        seen.name.value
        for seen in judgement.observed.components
        if not seen.ready and seen.name in lost(judgement.observed, frozenset())
    ]
    if judgement.paused and not any(seen.ready for seen in judgement.observed.components):
        return _condition(kind, False, Reason.PAUSED)
    if silent:
        message = f"no pod is ready of {', '.join(silent)}"
        return _condition(kind, False, Reason.COMPONENT_NOT_READY, message)
    return _condition(kind, True, Reason.READY)


def _reconciling(judgement: Judgement) -> Condition:
    kind = ConditionType.RECONCILING
    if judgement.observed.hands_off:
        return _condition(kind, False, Reason.RECONCILE_PAUSED, judgement.message)
    if judgement.fits or _is_stalled(judgement):
        return _condition(kind, False, Reason.IDLE)
    return _condition(kind, True, _why(judgement), judgement.message)


def _stalled(judgement: Judgement) -> Condition:
    kind, problem = ConditionType.STALLED, judgement.observed.problem
    if not _is_stalled(judgement):
        return _condition(kind, False, Reason.IDLE)
    if problem is not None and not problem.waiting_helps:
        return _condition(kind, True, problem.reason, problem.message)
    return _condition(kind, True, Reason.DEADLINE_EXCEEDED, judgement.message)


def _is_stalled(judgement: Judgement) -> bool:
    problem = judgement.observed.problem
    return judgement.overdue or (problem is not None and not problem.waiting_helps)


def _up_to_date(judgement: Judgement) -> Condition:
    kind, rollout = ConditionType.UP_TO_DATE, judgement.observed.rollout
    if rollout.failed:
        message = "the new rendering did not become ready; the rollout stopped here"
        return _condition(kind, False, Reason.FAILED, message)
    if rollout.rolling:
        return _condition(kind, False, Reason.ROLLING, "a new rendering is being rolled out")
    if rollout.stale:
        message = "this operator renders the project differently; it waits for its turn"
        return _condition(kind, False, Reason.NEW_RENDERING, message)
    return _condition(kind, True, Reason.UP_TO_DATE)


def _concerns(judgement: Judgement) -> Iterator[Condition]:
    components = {seen.name: seen for seen in judgement.observed.components}
    yield _concern(judgement, ConditionType.DATABASE_READY, [ComponentName.DB])
    yield _concern(judgement, ConditionType.STACK_READY, list(components))
    network = judgement.observed.network
    if network:
        kind = ConditionType.NETWORK_READY
        yield _condition(kind, False, network.reason, network.message)
    else:
        yield _concern(judgement, ConditionType.NETWORK_READY, [ComponentName.GATEWAY])


def _concern(judgement: Judgement, kind: ConditionType, names: list[ComponentName]) -> Condition:
    seen = [s for s in judgement.observed.components if s.name in names]
    unready = [s for s in seen if not s.serves]
    if judgement.paused and all(s.gone for s in seen):
        return _condition(kind, False, Reason.PAUSED)
    if not unready:
        return _condition(kind, True, Reason.READY)
    first = next((s.trouble for s in unready if s.trouble), None)
    listed = f"waiting for {', '.join(s.name.value for s in unready)}"
    trouble = first or Trouble(Reason.COMPONENT_NOT_READY, listed)
    return _condition(kind, False, trouble.reason, trouble.message)


def _operation_succeeded(judgement: Judgement, previous: ProjectStatus) -> Condition | None:
    """The outcome of the last upgrade, resize or operation; kept until the next one ends."""
    kind, before = (
        ConditionType.OPERATION_SUCCEEDED,
        previous.condition(ConditionType.OPERATION_SUCCEEDED),
    )
    generation = {"observed_generation": judgement.observed.generation}
    ended = judgement.last_operation
    if ended is not None and ended != previous.last_operation:
        failed = ended.phase == OPERATION_FAILED
        reason = Reason.FAILED if failed else Reason.SUCCEEDED
        condition = _condition(kind, not failed, reason, f"{ended.kind}: {ended.message}")
        return condition.model_copy(update=generation)
    was = judgement.previous_phase
    if was not in CHANGING or judgement.phase not in ACTIVE:
        return before
    if judgement.change_failed:
        message = f"{was.value} did not end in time: {judgement.message}"
        return _condition(kind, False, Reason.FAILED, message).model_copy(update=generation)
    if judgement.fits:
        message = f"{was.value} ended well"
        return _condition(kind, True, Reason.SUCCEEDED, message).model_copy(update=generation)
    return before


def _why(judgement: Judgement) -> Reason:
    if judgement.trouble and judgement.trouble.reason is not Reason.COMPONENT_NOT_READY:
        return judgement.trouble.reason
    if judgement.observed.hands_off:
        return Reason.RECONCILE_PAUSED
    return _WHY.get(judgement.phase, Reason.COMPONENT_NOT_READY)
