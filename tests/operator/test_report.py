"""What is written of a status, and when; what is news."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_contract.status import Endpoints, OperationStatus, ProjectStatus
from supaplane_kube.merge import merge_patched
from supaplane_operator.report import Reporter, difference, dumped

statuses = st.builds(
    ProjectStatus,
    phase=st.none() | st.sampled_from(["COMING_UP", "INACTIVE"]),
    ready=st.none() | st.text(max_size=3),
    endpoints=st.none()
    | st.builds(Endpoints, api=st.none() | st.text(max_size=3), pooler=st.none() | st.just("p")),
    operation=st.none()
    | st.builds(
        OperationStatus, id=st.text(max_size=2), kind=st.just("restart"), phase=st.just("Running")
    ),
)


@given(statuses, statuses)
def test_a_status_patch_makes_the_old_into_the_new(old, new):
    raw = dumped(old) | {"ofANewerVersion": 1}
    patch = difference(raw, new)
    assert merge_patched(raw, patch or {}) == dumped(new) | {"ofANewerVersion": 1}
    assert (patch is None) == (dumped(old) == dumped(new))


def test_progress_waits_so_that_a_phase_never_does():
    now = [0.0]
    reporter = Reporter(None, clock=lambda: now[0])
    key = ("home", "shop")
    assert reporter.wait(key, {"ready": "0/3"}) == 0
    reporter._written[key] = deque([0.0], maxlen=2)
    now[0] = 0.3
    assert reporter.wait(key, {"ready": "1/3"}) == pytest.approx(0.7)
    assert reporter.wait(key, {"phase": "ACTIVE_HEALTHY"}) == 0
    reporter._written[key].append(0.3)
    assert reporter.wait(key, {"phase": "ACTIVE_UNHEALTHY"}) == pytest.approx(0.7)


@pytest.mark.parametrize(("crowd", "distance"), [(0, 1), (8, 1), (16, 2), (40, 5), (1000, 10)])
def test_where_many_are_under_way_progress_is_told_less_often_but_phases_as_ever(crowd, distance):
    reporter = Reporter(None, clock=lambda: 0.0, crowd=lambda: crowd)
    key = ("home", "shop")
    reporter._written[key] = deque([0.0], maxlen=2)
    assert reporter.wait(key, {"ready": "1/3"}) == pytest.approx(distance)
    assert reporter.wait(key, {"phase": "ACTIVE_HEALTHY"}) == 0
