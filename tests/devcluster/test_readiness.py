"""What the answers of an API server say about a cluster's readiness."""

from __future__ import annotations

from typing import Any

import pytest

from supaplane_devcluster.readiness import has_default_class, ready_nodes


def node(ready: str = "True", taint: str | None = None) -> dict[str, Any]:
    taints = [{"effect": taint}] if taint else None
    conditions = [{"type": "Ready", "status": ready}]
    return {"spec": {"taints": taints}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("nodes", "count"),
    [
        ([], 0),
        ([node(), node("False"), node("Unknown")], 1),
        ([node(taint="NoSchedule"), node(taint="NoExecute"), node(taint="PreferNoSchedule")], 1),
        ([{"spec": {}}], 0),
    ],
)
def test_a_node_counts_when_it_is_ready_and_open_to_pods(
    nodes: list[dict[str, Any]], count: int
) -> None:
    assert ready_nodes({"items": nodes}) == count


def test_no_answer_is_no_node_and_no_class() -> None:
    assert ready_nodes(None) == 0
    assert not has_default_class(None)


def test_only_the_class_that_is_marked_is_the_default() -> None:
    marked = {"storageclass.kubernetes.io/is-default-class": "true"}
    assert has_default_class({"items": [{"metadata": {"annotations": marked}}]})
    assert not has_default_class({"items": [{"metadata": {}}, {"metadata": {"annotations": None}}]})
