"""Are conditions merged so that their times mean something, and can no message stop a status?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supaplane_contract import Condition, Phase, ProjectStatus, merge_conditions
from supaplane_contract.status import MESSAGE_LIMIT

EARLIER, NOW = "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"

condition = st.builds(
    Condition,
    type=st.sampled_from(["Ready", "Available", "Stalled", "Reconciling"]),
    status=st.sampled_from(["True", "False", "Unknown"]),
    reason=st.sampled_from(["A", "B"]),
    message=st.text(max_size=5),
    observed_generation=st.none() | st.integers(1, 9),
    last_transition_time=st.sampled_from([EARLIER, ""]),
)
conditions = st.lists(condition, unique_by=lambda c: c.type)


def ready(status: str, reason: str = "Ready", since: str = EARLIER) -> Condition:
    return Condition(type="Ready", status=status, reason=reason, last_transition_time=since)


def test_a_condition_that_stays_keeps_its_time_though_reason_and_message_change() -> None:
    (merged,) = merge_conditions([ready("True")], [ready("True", "Other", since="")], now=NOW)
    assert (merged.reason, merged.last_transition_time) == ("Other", EARLIER)


def test_a_condition_that_turns_has_the_time_of_now() -> None:
    (merged,) = merge_conditions([ready("True")], [ready("False")], now=NOW)
    assert merged.last_transition_time == NOW


def test_a_new_condition_has_the_time_of_now() -> None:
    (merged,) = merge_conditions([], [ready("True", since="")], now=NOW)
    assert merged.last_transition_time == NOW


def test_a_condition_that_is_no_longer_wanted_goes() -> None:
    assert merge_conditions([ready("True")], [], now=NOW) == []


@given(previous=conditions, wanted=conditions)
def test_merging_again_changes_nothing(previous: list[Condition], wanted: list[Condition]) -> None:
    once = merge_conditions(previous, wanted, now=NOW)
    assert merge_conditions(once, wanted, now="2027-01-01T00:00:00Z") == once


@given(previous=conditions, wanted=conditions)
def test_merging_changes_nothing_but_times(
    previous: list[Condition], wanted: list[Condition]
) -> None:
    merged = merge_conditions(previous, wanted, now=NOW)
    timeless = [c.model_copy(update={"last_transition_time": ""}) for c in merged]
    assert timeless == [c.model_copy(update={"last_transition_time": ""}) for c in wanted]
    assert all(c.last_transition_time in (EARLIER, NOW) for c in merged)


@given(message=st.text(max_size=10) | st.text(min_size=1).map(lambda part: part * MESSAGE_LIMIT))
def test_a_message_of_any_length_fits(message: str) -> None:
    fitted = Condition(type="Ready", status="True", reason="X", message=message).message
    assert len(fitted) <= MESSAGE_LIMIT
    assert fitted == message or fitted == f"{message[: MESSAGE_LIMIT - 1]}…"


def test_a_condition_is_found_by_its_type() -> None:
    status = ProjectStatus(conditions=[ready("True")])
    assert status.condition("Ready") == ready("True")
    assert status.condition("Stalled") is None


def test_a_status_is_written_as_kubernetes_writes_it() -> None:
    status = ProjectStatus(phase=Phase.COMING_UP, observed_generation=2, conditions=[ready("True")])
    written = status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    assert written["phase"] == "COMING_UP"
    assert written["observedGeneration"] == 2
    assert written["conditions"][0]["lastTransitionTime"] == EARLIER


def test_the_phases_are_those_of_the_management_api_that_are_ever_written() -> None:
    assert {"UNKNOWN", "REMOVED"}.isdisjoint(Phase)
    assert len(Phase) == 13
