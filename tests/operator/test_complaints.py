"""What Events say counts while the object that they are about is as they explain."""

from __future__ import annotations

from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import Forbidden
from supaplane_kube import resources as kinds
from supaplane_kube.selectors import fields_match
from supaplane_operator import podwatch
from supaplane_operator.children import Child
from supaplane_operator.complaints import complaints, explained_by_events
from supaplane_operator.observe import refusal

DB = (kinds.STATEFUL_SETS, "db")
VOLUME = (kinds.VOLUME_CLAIMS, "db")
QUOTA = 'create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota'


def event(kind: str, name: str, reason: str, message: str, at: str = "00:00") -> dict[str, Any]:
    return {
        "metadata": {"name": f"{name}.{at}"},
        "involvedObject": {"kind": kind, "name": name},
        "reason": reason,
        "message": message,
        "type": "Warning",
        "lastTimestamp": f"2026-01-01T{at}:00Z",
    }


def pod(name: str, component: str, waits: str) -> dict[str, Any]:
    container = {"name": "c", "state": {"waiting": {"reason": waits}}}
    return {
        "metadata": {"name": name, "labels": {names.LABEL_COMPONENT: component}},
        "status": {"phase": "Pending", "containerStatuses": [container]},
    }


def child(component: str = "db", **known: Any) -> Child:
    return Child(uid="u", shape="s", component=component, **known)


def test_a_stateful_set_whose_pods_a_quota_refuses():
    children = {DB: child(desired=1, pods=0)}
    told = complaints([event("StatefulSet", "db", "FailedCreate", QUOTA)], children, [])
    assert told["db"].reason is Reason.QUOTA_EXCEEDED
    assert "exceeded quota" in told["db"].message


def test_a_complaint_that_is_over_is_not_heard():
    children = {DB: child(desired=1, pods=1), VOLUME: child(state="Bound")}
    events = [
        event("StatefulSet", "db", "FailedCreate", QUOTA),
        event("PersistentVolumeClaim", "db", "ProvisioningFailed", "no such class"),
        event("Pod", "rest-1", "FailedMount", "secret not found"),
    ]
    assert complaints(events, children, []) == {}
    assert not explained_by_events(children, [])


def test_a_volume_that_nobody_makes():
    children = {VOLUME: child(state="Pending")}
    events = [event("PersistentVolumeClaim", "db", "ProvisioningFailed", 'class "fast" not found')]
    assert complaints(events, children, [])["db"].reason is Reason.VOLUME_PENDING
    assert 'class "fast" not found' in complaints(events, children, [])["db"].message


def test_a_mount_that_fails_is_told_of_the_component_of_the_pod():
    pods = [pod("rest-1", "rest", "ContainerCreating")]
    events = [event("Pod", "rest-1", "FailedMount", 'secret "x" not found')]
    assert explained_by_events({}, pods)
    assert 'secret "x" not found' in complaints(events, {}, pods)["rest"].message


def test_a_pod_that_runs_needs_no_events():
    pods = [pod("rest-1", "rest", "CrashLoopBackOff")]
    assert not explained_by_events({}, pods)
    assert complaints([event("Pod", "rest-1", "FailedMount", "old")], {}, pods) == {}


def running(name: str, component: str, **container: Any) -> dict[str, Any]:
    made = pod(name, component, "")
    made["status"] = {
        "phase": "Running",
        "containerStatuses": [{"name": "c", "state": {"running": {}}, **container}],
    }
    return made


PROBE = "Readiness probe failed: read tcp 10.0.0.1:{port}->10.0.0.9:3000: i/o timeout"


def test_a_probe_that_fails_is_quoted_and_in_the_same_words_each_time():
    pods = [running("rest-1", "rest", started=True, ready=False)]
    assert explained_by_events({}, pods)
    told = [
        complaints([event("Pod", "rest-1", "Unhealthy", PROBE.format(port=port))], {}, pods)
        for port in (40001, 52002)
    ]
    assert told[0] == told[1]
    assert told[0]["rest"].reason is Reason.PROBE_FAILING
    assert "10.0.0.9:3000: i/o timeout" in told[0]["rest"].message


@pytest.mark.parametrize("state", [{"started": True, "ready": True}, {"started": False}])
def test_a_probe_that_failed_once_or_only_waits_for_the_start_is_no_complaint(state):
    pods = [running("rest-1", "rest", **state)]
    assert not explained_by_events({}, pods)
    assert complaints([event("Pod", "rest-1", "Unhealthy", PROBE)], {}, pods) == {}


def test_the_newest_complaint_is_heard():
    children = {VOLUME: child(state="Pending")}
    events = [
        event("PersistentVolumeClaim", "db", "ProvisioningFailed", "first", "01:00"),
        event("PersistentVolumeClaim", "db", "ProvisioningFailed", "last", "03:00"),
        event("PersistentVolumeClaim", "db", "ProvisioningFailed", "second", "02:00"),
    ]
    assert complaints(events, children, [])["db"].message.endswith("last")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('pods "a" is forbidden: exceeded quota: project', Reason.QUOTA_EXCEEDED),
        ('pods "a" is forbidden: violates PodSecurity "restricted"', Reason.APPLY_REFUSED),
        ('admission webhook "x.io" denied the request: no', Reason.APPLY_REFUSED),
        ("ValidatingAdmissionPolicy 'x' with binding 'y' denied request", Reason.APPLY_REFUSED),
        ('Internal error occurred: failed calling webhook "x.io"', Reason.APPLY_REFUSED),
        ("timed out", Reason.COMPONENT_NOT_READY),
    ],
)
def test_who_refuses_pods_is_told_apart(message, reason):
    assert refusal(message) is reason


@pytest.fixture
def soon(monkeypatch):
    """Pods and Events are asked at once, and often."""
    for name in ("FIRST_LOOK", "SOONEST", "LATEST"):
        monkeypatch.setattr(podwatch, name, 0.02)
    monkeypatch.setattr(podwatch, "EVENTS_AFTER", 0.0)


async def test_a_database_whose_pod_is_refused_says_so(stage, soon):
    stage.lazy.add("db")
    stage.make()
    await stage.until(lambda: stage.status().get("namespace"))
    told = event("StatefulSet", "db", "FailedCreate", QUOTA)
    told["metadata"]["namespace"] = stage.namespace()
    stage.kube.put(kinds.EVENTS, told)
    await stage.until(
        lambda: stage.condition("DatabaseReady").get("reason") == Reason.QUOTA_EXCEEDED
    )
    assert "exceeded quota" in stage.status()["message"]


async def test_an_operator_that_may_not_read_events_goes_on_without(stage, soon):
    stage.kube.fail(
        Forbidden(403, "Forbidden", "no", {}),
        times=9999,
        when=lambda r: r.resource == kinds.EVENTS and r.verb == "list",
    )
    stage.lazy.add("db")
    stage.make()
    await stage.until(lambda: stage.condition("DatabaseReady"))
    stage.lazy.clear()
    stage.controllers_look()
    await stage.active()


def test_fields_are_selected_by_path():
    body = {"type": "Warning", "involvedObject": {"kind": "Pod"}}
    assert fields_match("type=Warning,involvedObject.kind=Pod", body)
    assert not fields_match("type!=Warning", body)
    assert not fields_match("involvedObject.name=x", body)
    assert fields_match("", body)
