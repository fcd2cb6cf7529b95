"""What pods say about why they are not ready."""

from __future__ import annotations

from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_operator.pods import trouble_of, troubles


def pod(
    container: dict[str, Any] | None = None, *, component: str = "rest", **status: Any
) -> dict[str, Any]:
    known: dict[str, Any] = {"phase": "Pending"}
    if container is not None:
        known["containerStatuses"] = [{"name": "c", "image": "img:1", "ready": False} | container]
    return {"metadata": {"labels": {names.LABEL_COMPONENT: component}}, "status": known | status}


def waiting(reason: str, message: str = "", **rest: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **rest}


def ended(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": message, "reason": reason}}


def unscheduled(message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "message": message}
    return pod(conditions=[condition])


CASES = {
    "a pull that fails": (pod(waiting("ImagePullBackOff")), Reason.IMAGE_PULL_FAILED, "img:1"),
    "a crash loop with its last words": (
        pod(waiting("CrashLoopBackOff", "back-off 40s", lastState=ended(3, "no database"))),
        Reason.CRASH_LOOP,
        "with code 3: no database",
    ),
    "too little memory": (
        pod(waiting("CrashLoopBackOff", lastState=ended(137, reason="OOMKilled"))),
        Reason.OUT_OF_MEMORY,
        "more memory",
    ),
    "a missing Secret": (
        pod(waiting("CreateContainerConfigError", 'secret "x" not found')),
        Reason.COMPONENT_NOT_READY,
        'secret "x" not found',
    ),
    "no node": (
        unscheduled("0/3 nodes are available: 3 Insufficient cpu"),
        Reason.UNSCHEDULABLE,
        "3 nodes",
    ),
    "an unbound volume": (
        unscheduled("pod has unbound immediate PersistentVolumeClaims"),
        Reason.VOLUME_PENDING,
        "PersistentVolumeClaims",
    ),
    "a pod that ended with words": (
        pod({"state": ended(7, "no such bucket")}, phase="Failed"),
        Reason.COMPONENT_NOT_READY,
        "with code 7: no such bucket",
    ),
    "an eviction": (
        pod(phase="Failed", reason="Evicted", message="low on memory"),
        Reason.COMPONENT_NOT_READY,
        "evicted: low on memory",
    ),
}


@pytest.mark.parametrize(("said", "reason", "words"), CASES.values(), ids=CASES.keys())
def test_tells_of(said, reason, words):
    trouble = trouble_of(said)
    assert trouble is not None
    assert trouble.reason is reason
    assert words in trouble.message


@pytest.mark.parametrize(
    "fine",
    [
        pod({"ready": True}),
        pod(waiting("ContainerCreating")),
        pod(waiting("PodInitializing")),
        pod(),
    ],
)
def test_a_pod_that_only_needs_time_tells_nothing(fine):
    assert trouble_of(fine) is None


def test_words_do_not_change_while_a_container_waits_longer_and_longer():
    first = pod(waiting("CrashLoopBackOff", "back-off 10s", lastState=ended(1)))
    later = pod(waiting("CrashLoopBackOff", "back-off 5m0s", lastState=ended(1)))
    assert trouble_of(first) == trouble_of(later)


def test_of_several_pods_the_most_telling_is_heard():
    pods = [unscheduled("no cpu"), pod(waiting("CrashLoopBackOff", lastState=ended(1))), pod()]
    assert troubles(pods)["rest"].reason is Reason.CRASH_LOOP


def test_each_component_is_heard():
    pods = [pod(waiting("ErrImagePull"), component="db"), pod({"ready": True}, component="rest")]
    assert set(troubles(pods)) == {"db"}


def test_last_words_do_not_tell_a_password():
    said = "cannot reach postgres://admin:p@ss/word@db:5432/postgres"
    trouble = trouble_of(pod(waiting("CrashLoopBackOff", lastState=ended(1, said))))
    assert "p@ss" not in trouble.message
    assert "//***@db:5432/postgres" in trouble.message
