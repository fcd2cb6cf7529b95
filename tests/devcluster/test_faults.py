"""Each fault shows as it would on a real node, and heals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from supaplane_devcluster import Cluster

pytestmark = pytest.mark.cluster

FAULT = "simulated-nodes.supaplane.dev/fault"
Make = Callable[..., dict[str, Any]]
Eventually = Callable[..., Any]


def word_of(pod: dict[str, Any]) -> str:
    """What `kubectl get pods` shows for a pod of one container."""
    if pod["status"].get("reason"):
        return str(pod["status"]["reason"])
    statuses = pod["status"].get("containerStatuses") or [{"state": {}}]
    state = statuses[0]["state"]
    for kind in ("waiting", "terminated"):
        if kind in state:
            return str(state[kind]["reason"])
    return "Ready" if statuses[0].get("ready") else "Unready"


WORDS = [
    ("never-ready", "Unready"),
    ("container-creating", "ContainerCreating"),
    ("create-container-config-error", "CreateContainerConfigError"),
    ("err-image-pull", "ErrImagePull"),
    ("image-pull-back-off", "ImagePullBackOff"),
    ("crash-loop-back-off", "CrashLoopBackOff"),
    ("oom-killed", "CrashLoopBackOff"),
    ("no-such-fault", "FaultNotUnderstood"),
]


@pytest.mark.parametrize(("fault", "word"), WORDS)
def test_a_fault_of_the_namespace_shows_on_its_pods_and_heals(
    namespace: Any, deployment: Make, eventually: Eventually, fault: str, word: str
) -> None:
    namespace.apply(deployment("web"), deployment("other", 1))
    eventually(lambda: {word_of(p) for p in namespace.pods()} == {"Ready"})
    namespace.faults({"web": fault})
    eventually(lambda: {word_of(p) for p in namespace.pods("app=web")} == {word})
    assert {word_of(p) for p in namespace.pods("app=other")} == {"Ready"}
    eventually(lambda: "readyReplicas" not in namespace.get("deployment", "web")["status"])
    namespace.faults(None)
    eventually(lambda: {word_of(p) for p in namespace.pods()} == {"Ready"})
    eventually(lambda: namespace.get("deployment", "web")["status"].get("readyReplicas") == 2)


def test_a_fault_of_a_template_is_there_from_the_first_moment(
    namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    fault = {"fault": "crash-loop-back-off", "restarts": 5, "exitCode": 2, "message": "bad key"}
    namespace.apply(deployment("web", 1, annotations={FAULT: json.dumps(fault)}))
    eventually(lambda: [word_of(p) for p in namespace.pods()] == ["CrashLoopBackOff"])
    (status,) = namespace.pods()[0]["status"]["containerStatuses"]
    assert status["restartCount"] == 5
    assert status["lastState"]["terminated"]["exitCode"] == 2
    assert status["lastState"]["terminated"]["message"] == "bad key"
    assert "bad key" in namespace.run("logs", "deployment/web")


def test_a_fault_of_one_live_pod_leaves_its_siblings_well(
    namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    namespace.apply(deployment("web"))
    eventually(lambda: [word_of(p) for p in namespace.pods()] == ["Ready", "Ready"])
    name = namespace.pods()[0]["metadata"]["name"]
    namespace.annotate(f"pod/{name}", FAULT, "oom-killed")
    eventually(
        lambda: sorted(word_of(p) for p in namespace.pods()) == ["CrashLoopBackOff", "Ready"]
    )
    ill = next(p for p in namespace.pods() if p["metadata"]["name"] == name)
    last = ill["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("OOMKilled", 137)
    namespace.annotate(f"pod/{name}", FAULT, None)
    eventually(lambda: [word_of(p) for p in namespace.pods()] == ["Ready", "Ready"])


def test_an_evicted_pod_fails_and_is_replaced(
    namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    namespace.apply(deployment("web", 1))
    eventually(lambda: [word_of(p) for p in namespace.pods()] == ["Ready"])
    name = namespace.pods()[0]["metadata"]["name"]
    namespace.annotate(f"pod/{name}", FAULT, "evicted")
    eventually(lambda: sorted(word_of(p) for p in namespace.pods()) == ["Evicted", "Ready"])


def test_a_slow_start_is_slow_and_then_ready(
    namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    fault = json.dumps({"fault": "slow-start", "seconds": 3})
    namespace.apply(deployment("web", 1, annotations={FAULT: fault}))
    eventually(lambda: [word_of(p) for p in namespace.pods()] == ["ContainerCreating"])
    eventually(lambda: [word_of(p) for p in namespace.pods()] == ["Ready"])


def test_a_lost_node_takes_its_pods_out_of_service_and_comes_back(
    running: Cluster, namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    namespace.apply(deployment("web", 4))
    eventually(lambda: [word_of(p) for p in namespace.pods()] == ["Ready"] * 4)
    lost = namespace.pods()[0]["spec"]["nodeName"]

    def of_lost_node() -> list[dict[str, Any]]:
        return [p for p in namespace.pods() if p["spec"]["nodeName"] == lost]

    def served() -> set[str]:
        ready = {"type": "Ready", "status": "True"}
        return {
            pod["spec"]["nodeName"]
            for pod in namespace.pods()
            if any(ready.items() <= c.items() for c in pod["status"]["conditions"])
        }

    def status_of_node() -> str:
        conditions = namespace.get("node", lost)["status"]["conditions"]
        return str(next(c["status"] for c in conditions if c["type"] == "Ready"))

    running.kubectl("annotate", "node", lost, f"{FAULT}=lost")
    try:
        eventually(lambda: status_of_node() == "Unknown")
        eventually(lambda: lost not in served())
        # The node lifecycle controller sees it too, and keeps new pods away.
        taint = "node.kubernetes.io/unreachable"
        eventually(
            lambda: (
                taint in {t["key"] for t in namespace.get("node", lost)["spec"].get("taints", [])}
            )
        )
        before = len(of_lost_node())
        namespace.run("delete", "pod", of_lost_node()[0]["metadata"]["name"], "--wait=false")
        eventually(lambda: len(namespace.pods()) == 5)
        assert len(of_lost_node()) == before
    finally:
        running.kubectl("annotate", "node", lost, f"{FAULT}-")
    eventually(lambda: status_of_node() == "True")
    eventually(lambda: len(of_lost_node()) < before)
    eventually(lambda: [word_of(p) for p in namespace.pods()] == ["Ready"] * 4)
    eventually(lambda: not namespace.get("node", lost)["spec"].get("taints"))
