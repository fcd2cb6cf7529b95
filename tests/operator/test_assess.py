"""Every deadline, and what the person is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_contract.spec import ComponentName
from supaplane_contract.status import (
    Condition,
    OperationStatus,
    Phase,
    ProjectStatus,
    Reason,
)
from supaplane_operator.assess import seconds_to_deadline
from supaplane_operator.errors import Problem
from supaplane_operator.observe import Rollout, Trouble
from supaplane_operator.times import stamp

from .judging import (
    DEADLINES,
    HOPEFUL,
    HOPELESS,
    LATE,
    NO_REST,
    NO_STUDIO,
    NOW,
    PAUSED,
    READY,
    REST_PHASES,
    ROLLING,
    RUNNING,
    SMALL,
    STOPPED,
    STOPPING,
    judged,
    observed,
    seen,
    status,
)

DEADLINE_OF = {
    Phase.COMING_UP: ("coming_up", NO_REST, RUNNING, Phase.INIT_FAILED),
    Phase.RESTORING: ("restoring", NO_REST, RUNNING, Phase.RESTORE_FAILED),
    Phase.PAUSING: ("pausing", STOPPING, PAUSED, Phase.PAUSE_FAILED),
    Phase.RESIZING: ("resizing", NO_REST, SMALL, Phase.ACTIVE_UNHEALTHY),
    Phase.UPGRADING: ("upgrading", NO_REST, RUNNING, Phase.ACTIVE_UNHEALTHY),
    Phase.RESTARTING: ("restarting", NO_REST, RUNNING, Phase.ACTIVE_UNHEALTHY),
}
RESTART = OperationStatus(id="1", kind="restart", phase="Running", started_at=stamp(NOW))


@pytest.mark.parametrize("phase", DEADLINE_OF)
def test_every_phase_that_is_not_at_rest_has_a_deadline(phase):
    name, components, spec, failure = DEADLINE_OF[phase]
    limit = getattr(DEADLINES, name)
    seen_ = observed(
        components,
        release="r2" if phase is Phase.UPGRADING else "r1",
        operation=RESTART if phase is Phase.RESTARTING else None,
    )
    early = status(phase, age=limit - 2)
    assert judged(early, seen_, spec).phase == phase
    assert 0 < (seconds_to_deadline(early, NOW, DEADLINES) or 0) < 5
    assert judged(status(phase, age=limit + 1), seen_, spec).phase == failure


def test_no_phase_at_rest_has_one():
    for phase in (*REST_PHASES, Phase.INIT_FAILED, Phase.PAUSE_FAILED, Phase.RESTORE_FAILED):
        assert DEADLINES.of(phase.value) is None
        assert seconds_to_deadline(status(phase), NOW, DEADLINES) is None
    named = {Phase.GOING_DOWN, *DEADLINE_OF, *REST_PHASES}
    failures = {Phase.INIT_FAILED, Phase.PAUSE_FAILED, Phase.RESTORE_FAILED}
    assert named | failures == set(Phase)


@pytest.mark.parametrize("phase", [Phase.INIT_FAILED, Phase.PAUSE_FAILED, Phase.RESTORE_FAILED])
def test_a_failure_is_stalled_with_a_reason(phase):
    paused = phase is Phase.PAUSE_FAILED
    result = judged(
        status(phase), observed(STOPPING if paused else NO_REST), PAUSED if paused else RUNNING
    )
    stalled, reconciling = result.condition("Stalled"), result.condition("Reconciling")
    assert (stalled.status, stalled.reason) == ("True", Reason.DEADLINE_EXCEEDED)
    assert reconciling.status == "False"
    assert stalled.message


def test_a_change_without_a_phase_of_its_own_has_a_deadline_too():
    before = status(Phase.ACTIVE_HEALTHY, conditions=[reconciling_since(DEADLINES.changing + 1)])
    result = judged(before, observed(NO_STUDIO))
    assert result.condition("Stalled").status == "True"
    assert result.condition("Reconciling").status == "False"
    again = judged(result, observed(NO_STUDIO))
    assert again.condition("Stalled").status == "True", "it must not flicker"
    changed = judged(again, observed(NO_STUDIO, generation=2))
    assert changed.condition("Stalled").status == "False"
    assert judged(again, observed()).condition("Stalled").status == "False"


def reconciling_since(seconds: float) -> Condition:
    since = stamp(NOW - timedelta(seconds=seconds))
    return Condition(
        type="Reconciling",
        status="True",
        reason="X",
        last_transition_time=since,
        observed_generation=1,
    )


def test_size_and_release_say_what_runs_not_what_is_wished():
    before = status(Phase.ACTIVE_HEALTHY)
    rolling = judged(before, observed(ROLLING, generation=2, release="r2"), SMALL)
    assert (rolling.size, rolling.release, rolling.phase) == ("nano", "r1", Phase.UPGRADING)
    done = judged(rolling, observed(generation=2, release="r2"), SMALL)
    assert (done.size, done.release, done.phase) == ("small", "r2", Phase.ACTIVE_HEALTHY)
    assert done.condition("OperationSucceeded").status == "True"


def test_the_first_acceptance_pins_the_release_at_once():
    assert judged(status(None), observed((), complete=False)).release == "r1"


def test_a_failed_resize_is_told_and_not_begun_again_for_the_same_wish():
    late = status(Phase.RESIZING, age=LATE, generation=2)
    failed = judged(late, observed(NO_REST, generation=2), SMALL)
    assert failed.condition("OperationSucceeded").status == "False"
    assert failed.condition("OperationSucceeded").reason == Reason.FAILED
    again = judged(failed, observed(NO_REST, generation=2), SMALL)
    assert again.phase == Phase.ACTIVE_UNHEALTHY
    third = judged(again, observed(ROLLING, generation=3), SMALL)
    assert third.phase == Phase.RESIZING


def test_a_restart_ends_well():
    running = judged(status(Phase.ACTIVE_HEALTHY), observed(ROLLING, operation=RESTART))
    assert running.phase == Phase.RESTARTING
    assert running.operation == RESTART
    done = judged(running, observed(operation=RESTART))
    assert done.phase == Phase.ACTIVE_HEALTHY
    assert done.operation is None
    assert done.last_operation.phase == "Succeeded"
    assert done.condition("OperationSucceeded").status == "True"


def test_a_restart_that_takes_too_long_failed():
    before = status(Phase.RESTARTING, age=LATE, operation=RESTART)
    failed = judged(before, observed(NO_REST, operation=RESTART))
    assert failed.phase == Phase.ACTIVE_UNHEALTHY
    assert failed.last_operation.phase == "Failed"
    assert failed.condition("OperationSucceeded").status == "False"


def test_the_wish_to_pause_ends_a_restart():
    before = status(Phase.RESTARTING, operation=RESTART)
    result = judged(before, observed(STOPPING, generation=2, operation=RESTART), PAUSED)
    assert result.phase == Phase.PAUSING
    assert result.operation is None
    assert result.last_operation.phase == "Failed"
    assert "PAUSING" in result.last_operation.message


def test_a_project_paused_at_rest_is_as_wished():
    result = judged(status(Phase.PAUSING), observed(STOPPED), PAUSED)
    assert (result.condition("Ready").status, result.condition("Ready").reason) == (
        "True",
        "Paused",
    )
    assert result.condition("Available").status == "False"
    assert result.condition("Reconciling").status == "False"
    assert {c.phase for c in result.components} == {"Stopped"}


def test_a_component_tells_why_it_is_not_ready():
    trouble = Trouble(Reason.CRASH_LOOP, "container rest keeps ending with code 1")
    broken = (READY[0], seen(ComponentName.REST, ready=0, trouble=trouble))
    result = judged(status(Phase.ACTIVE_HEALTHY), observed(broken))
    rest = next(c for c in result.components if c.name == "rest")
    assert (rest.phase, rest.reason) == ("Unhealthy", "CrashLoop")
    assert result.message == "rest: container rest keeps ending with code 1"
    assert result.condition("StackReady").reason == "CrashLoop"
    assert result.condition("DatabaseReady").status == "True"
    assert result.ready == "1/2"


def test_a_component_that_was_never_ready_is_not_lost():
    fresh = (*READY, seen(ComponentName.AUTH, ready=0, pods=0))
    result = judged(status(Phase.ACTIVE_HEALTHY), observed(fresh, generation=2))
    assert result.phase == Phase.ACTIVE_HEALTHY
    assert next(c for c in result.components if c.name == "auth").phase == "Pending"
    assert result.condition("Ready").status == "False"


def test_hands_off_stops_deadlines_and_says_so():
    late = status(Phase.COMING_UP, age=LATE)
    result = judged(late, observed(NO_REST, hands_off=True, complete=False))
    assert result.phase == Phase.COMING_UP
    assert result.condition("Reconciling").reason == Reason.RECONCILE_PAUSED
    assert result.condition("Stalled").status == "False"


def test_hands_off_does_not_begin_a_pause():
    result = judged(status(Phase.ACTIVE_HEALTHY), observed(hands_off=True), PAUSED)
    assert result.phase == Phase.ACTIVE_HEALTHY


def test_a_host_that_is_taken_is_told_without_stopping_anything():
    taken = Problem(Reason.HOST_TAKEN, "it is another's", waiting_helps=False)
    result = judged(status(Phase.COMING_UP), observed(network=taken))
    assert result.phase == Phase.ACTIVE_HEALTHY
    assert result.condition("NetworkReady").reason == Reason.HOST_TAKEN
    assert result.condition("Ready").status == "False"
    assert result.condition("Accepted").status == "True"


@pytest.mark.parametrize(
    ("rollout", "reason"),
    [
        (Rollout(), Reason.UP_TO_DATE),
        (Rollout(stale=True), Reason.NEW_RENDERING),
        (Rollout(stale=True, rolling=True), Reason.ROLLING),
        (Rollout(failed=True), Reason.FAILED),
    ],
)
def test_a_rollout_is_told(rollout, reason):
    assert (
        judged(status(Phase.ACTIVE_HEALTHY), observed(rollout=rollout)).condition("UpToDate").reason
        == reason
    )


phases = st.none() | st.sampled_from(list(Phase))
specs = st.sampled_from([RUNNING, PAUSED, SMALL])
parts = st.sampled_from([READY, NO_REST, NO_STUDIO, ROLLING, STOPPED, STOPPING, ()])
problems = st.sampled_from([None, HOPELESS, HOPEFUL])
observations = st.builds(
    observed,
    parts,
    generation=st.integers(1, 3),
    complete=st.booleans(),
    problem=problems,
    accepted=st.booleans(),
    hands_off=st.booleans(),
    release=st.sampled_from(["r1", "r2"]),
    operation=st.sampled_from([None, RESTART]),
)
pasts = st.builds(status, phases, age=st.sampled_from([0.0, 10.0, LATE]))


@given(pasts, observations, specs)
def test_judging_again_changes_nothing(past, now, spec):
    """What has been said is not unsaid while nothing happens: nothing of ours changes by itself."""
    first = judged(past, now, spec)
    ended = first.operation is None and now.operation is not None
    settled = replace(now, operation=None) if ended else now
    second = judged(first, settled, spec)
    third = judged(second, settled, spec)
    assert third == second
    assert first.phase not in ("UNKNOWN", "REMOVED", None)


@given(pasts, observations, specs)
def test_conditions_are_whole_and_never_contradict_each_other(past, now, spec):
    result = judged(past, now, spec)
    conditions = {c.type: c for c in result.conditions}
    assert {"Accepted", "Ready", "Reconciling", "Stalled"} <= conditions.keys()
    assert len(conditions) == len(result.conditions)
    for condition in result.conditions:
        assert condition.status in ("True", "False")
        assert condition.reason
        assert condition.last_transition_time
    if conditions["Ready"].status == "True":
        assert conditions["Reconciling"].status == "False"
        assert conditions["Stalled"].status == "False"
        assert result.phase in REST_PHASES
    assert not (conditions["Reconciling"].status == conditions["Stalled"].status == "True")


@given(observations, specs)
def test_with_the_status_wiped_a_running_project_never_counts_as_failed_for_lack_of_time(now, spec):
    result = judged(ProjectStatus(), now, spec)
    if now.problem is None or now.problem.waiting_helps:
        assert result.phase in (Phase.COMING_UP, Phase.PAUSING, *REST_PHASES)
