"""Is it ready, and if not, why? Turns what was seen into what the person is told. Pure."""

from __future__ import annotations

from datetime import datetime

from supaplane_contract.spec import ProjectSpec
from supaplane_contract.status import (
    OPERATIONS_REMEMBERED,
    ComponentPhase,
    ComponentStatus,
    ConditionType,
    ProjectStatus,
    merge_conditions,
)

from .conditions import conditions
from .judgement import Judgement, judge
from .observe import Observed, Seen
from .operations import ROTATIONS
from .phases import ACTIVE, CHANGING
from .settings import Deadlines
from .times import seconds_since, stamp


def assess(
    spec: ProjectSpec,
    previous: ProjectStatus,
    observed: Observed,
    *,
    now: datetime,
    deadlines: Deadlines,
) -> ProjectStatus:
    """The whole status that follows. The same arguments always give the same status."""
    judgement = judge(spec, previous, observed, now=now, deadlines=deadlines)
    phase = judgement.phase.value
    since = previous.phase_since if previous.phase == phase else None
    wanted = conditions(judgement, previous)
    return ProjectStatus(
        phase=phase,
        phase_since=since or stamp(now),
        ref=observed.ref or previous.ref,
        namespace=observed.namespace or previous.namespace,
        observed_generation=observed.generation,
        release=_that_runs(previous.release, observed.release, judgement),
        size=_that_runs(previous.size, spec.size.value if observed.components else None, judgement),
        ready=_ready(observed),
        message=judgement.message,
        conditions=merge_conditions(previous.conditions, wanted, now=stamp(now)),
        components=[component_status(seen, previous, judgement) for seen in observed.components],
        endpoints=observed.endpoints or previous.endpoints,
        credentials_secret=observed.credentials_secret or previous.credentials_secret,
        operation=judgement.operation,
        last_operation=judgement.last_operation,
        past_operations=_past_operations(previous, judgement),
        last_backup=previous.last_backup,
    )


def _past_operations(previous: ProjectStatus, judgement: Judgement) -> list[str]:
    """The ids of what has run, the latest first and once each."""
    ended, known = judgement.last_operation, previous.past_operations
    if ended is None or known[:1] == [ended.id]:
        return known
    return [ended.id, *(id_ for id_ in known if id_ != ended.id)][:OPERATIONS_REMEMBERED]


def component_status(seen: Seen, previous: ProjectStatus, judgement: Judgement) -> ComponentStatus:
    """How one component is."""
    trouble = None if seen.as_wished else seen.trouble
    return ComponentStatus(
        name=seen.name.value,
        phase=_component_phase(seen, previous, judgement).value,
        ready=seen.ready,
        desired=seen.desired,
        image=seen.image,
        reason=trouble.reason.value if trouble else None,
        message=trouble.message if trouble else None,
    )


def seconds_to_deadline(status: ProjectStatus, now: datetime, deadlines: Deadlines) -> float | None:
    """When the status must be judged again though nothing happens; None: never."""
    running = status.operation
    if running is not None and running.kind in ROTATIONS:
        age = seconds_since(running.started_at, now)
        return max(0.0, deadlines.changing - age) + 0.5
    limit = deadlines.of(status.phase or "")
    if limit is not None:
        return max(0.0, limit - seconds_since(status.phase_since, now)) + 0.5
    reconciling = status.condition(ConditionType.RECONCILING)
    if reconciling is None or reconciling.status != "True":
        return None
    age = seconds_since(reconciling.last_transition_time, now)
    return max(0.0, deadlines.changing - age) + 0.5


def _component_phase(seen: Seen, previous: ProjectStatus, judgement: Judgement) -> ComponentPhase:
    if seen.desired == 0:
        return ComponentPhase.STOPPED if seen.gone else ComponentPhase.STOPPING
    if seen.serves:
        return ComponentPhase.READY
    serving = judgement.phase in ACTIVE or judgement.phase in CHANGING
    if serving and seen.name not in judgement.starting:
        return ComponentPhase.UNHEALTHY
    return ComponentPhase.STARTING if seen.pods else ComponentPhase.PENDING


def _ready(observed: Observed) -> str | None:
    if not observed.components:
        return None
    ready = sum(1 for seen in observed.components if seen.desired and seen.serves)
    return f"{ready}/{len(observed.components)}"


def _that_runs(before: str | None, wished: str | None, judgement: Judgement) -> str | None:
    """What runs is the old one until everything is as wished with the new one."""
    if before is None or (judgement.fits and wished is not None):
        return wished
    return before
