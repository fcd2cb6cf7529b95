"""What is kept of a watched object, and when it counts as done."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from supaplane_contract.status import Endpoints, OperationStatus, ProjectStatus
from supaplane_operator.children import keep, shape_of

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


def workload(**status: Any) -> dict[str, Any]:
    meta = {"name": "db", "namespace": "ns", "uid": "u", "generation": 2, "labels": {}}
    return {"kind": "StatefulSet", "metadata": meta, "spec": {"replicas": 1}, "status": status}


DONE = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}


@pytest.mark.parametrize(
    ("change", "settled"),
    [
        ({}, True),
        ({"observedGeneration": 1}, False),
        ({"replicas": 2}, False),
        ({"updatedReplicas": 0}, False),
        ({"currentRevision": "a", "updateRevision": "b"}, False),
        ({"currentRevision": "a", "updateRevision": "a"}, True),
    ],
)
def test_a_workload_is_settled_when_every_pod_is_as_its_template_says(change, settled):
    assert keep(workload(**(DONE | change))).settled is settled


def test_the_shape_is_what_people_can_change():
    live = workload(**DONE)
    same = workload(replicas=0)
    same["metadata"] |= {"resourceVersion": "9", "generation": 7, "managedFields": [{}]}
    assert shape_of(live) == shape_of(same)
    for change in ({"labels": {"a": "b"}}, {"annotations": {"a": "b"}}):
        other = workload(**DONE)
        other["metadata"] |= change
        assert shape_of(other) != shape_of(live)
