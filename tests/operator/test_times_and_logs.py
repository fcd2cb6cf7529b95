"""Moments and log lines."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_contract.status import Endpoints, OperationStatus, ProjectStatus
from supaplane_operator import logs
from supaplane_operator.times import read_stamp, seconds_since, stamp

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


@given(st.integers(min_value=0, max_value=4_000_000_000), st.integers(0, 999_999))
def test_stamps_are_read_back(seconds, microseconds):
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    assert read_stamp(stamp(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-99-99T00:00:00Z"])
def test_a_stamp_that_cannot_be_read_is_no_time_ago(text):
    assert seconds_since(text, datetime.now(UTC)) == 0.0


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_log_line_tells_of_which_project(form):
    stream, log = io.StringIO(), logging.getLogger("supaplane_operator.test")
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logs.set_up(form, "INFO", stream=stream)
        with logs.about(("home", "shop"), "a" * 20):
            log.info("it is %s", "up")
        log.info("and nothing else")
    finally:
        root.handlers[:], root.level = before
    first, second = stream.getvalue().splitlines()
    assert "home/shop" in first
    assert "home/shop" not in second
    if form == "json":
        line = json.loads(first)
        assert (line["message"], line["ref"], line["level"]) == ("it is up", "a" * 20, "info")
