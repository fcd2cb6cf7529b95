"""What can be chosen about a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from supaplane_devcluster import Cluster, ClusterOptions, DevclusterError
from supaplane_devcluster.options import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("250ms", 0.25), ("1.5s", 1.5), ("2m", 120.0), ("1h", 3600.0), ("3", 3.0)],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1 s", "1s2"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(text)


@pytest.mark.parametrize("name", ["", "Dev", "a/b", "..", "-a", "a" * 41, "a_b"])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(DevclusterError, match="no name for a cluster"):
        Cluster(name)


@pytest.mark.parametrize(
    "wrong", [{"nodes": 0}, {"nodes": 251}, {"pod_delay": -1.0}, {"audit": "some"}]
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DevclusterError):
        ClusterOptions(**wrong)


@pytest.mark.parametrize(
    ("audit", "scope"), [(None, None), (False, None), (True, "writes"), ("all", "all")]
)
def test_audit_can_be_asked_for_by_yes_or_by_scope(audit: Any, scope: str | None) -> None:
    assert ClusterOptions(audit=audit).audit_scope == scope
