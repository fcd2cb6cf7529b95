"""What simulated nodes make of pods, Jobs and claims."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from supaplane_devcluster import Cluster

pytestmark = pytest.mark.cluster

FAULT = "simulated-nodes.supaplane.dev/fault"
Make = Callable[..., dict[str, Any]]
Eventually = Callable[..., Any]


def ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def all_ready(pods: list[dict[str, Any]], count: int) -> bool:
    return len(pods) == count and all(ready(pod) for pod in pods)


def test_the_pods_of_a_deployment_become_ready(
    namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    sidecar = {"name": "proxy", "image": "example/proxy:1", "restartPolicy": "Always"}
    setup = {"name": "setup", "image": "example/setup:1"}
    namespace.apply(deployment("web", 3, initContainers=[setup, sidecar]))
    eventually(lambda: all_ready(namespace.pods(), 3))
    pods = namespace.pods()
    addresses = [pod["status"]["podIP"] for pod in pods]
    assert len(set(addresses)) == 3
    status = pods[0]["status"]
    assert status["phase"] == "Running"
    assert status["hostIP"].startswith("192.0.2.")
    assert status["containerStatuses"][0]["imageID"].startswith("example/web@sha256:")
    first, second = status["initContainerStatuses"]
    assert first["state"]["terminated"]["exitCode"] == 0
    assert "running" in second["state"]
    assert namespace.get("deployment", "web")["status"]["readyReplicas"] == 3


def test_a_rollout_replaces_pods(namespace: Any, deployment: Make, eventually: Eventually) -> None:
    namespace.apply(deployment("web"))
    eventually(lambda: all_ready(namespace.pods(), 2))
    namespace.run("set", "image", "deployment/web", "web=example/web:2")
    namespace.run("rollout", "status", "deployment/web", "--timeout=30s")
    images = {pod["spec"]["containers"][0]["image"] for pod in namespace.pods()}
    eventually(lambda: all_ready(namespace.pods(), 2))
    assert "example/web:2" in images


def test_a_deleted_pod_goes_at_once(
    namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    namespace.apply(deployment("web", 1, terminationGracePeriodSeconds=600))
    eventually(lambda: all_ready(namespace.pods(), 1))
    started = time.monotonic()
    namespace.run("delete", "pod", "--all")
    assert time.monotonic() - started < 15


def test_a_namespace_with_pods_goes_within_seconds(
    running: Cluster, namespace: Any, deployment: Make, job: Make, eventually: Eventually
) -> None:
    namespace.apply(deployment("web", 5), job("setup", {FAULT: "never-ready"}))
    eventually(lambda: all_ready(namespace.pods("app=web"), 5))
    running.kubectl("delete", "namespace", namespace.name, "--timeout=60s")
    running.kubectl("create", "namespace", namespace.name)


def test_a_job_succeeds(namespace: Any, job: Make) -> None:
    namespace.apply(job("work"))
    namespace.run("wait", "--for=condition=Complete", "job/work", "--timeout=30s")
    assert [pod["status"]["phase"] for pod in namespace.pods()] == ["Succeeded"]


def test_a_job_fails(namespace: Any, job: Make) -> None:
    fault = json.dumps({"fault": "job-failed", "exitCode": 3, "message": "no such table"})
    namespace.apply(job("work", {FAULT: fault}))
    namespace.run("wait", "--for=condition=Failed", "job/work", "--timeout=30s")
    (pod,) = namespace.pods()
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["message"]) == (3, "no such table")


def claim(name: str, storage_class: str | None = None, **metadata: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    if storage_class:
        spec["storageClassName"] = storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def mounting(name: str) -> list[dict[str, Any]]:
    return [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]


def test_a_claim_binds_when_a_pod_wants_it_grows_and_takes_its_volume_along(
    running: Cluster, namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    namespace.apply(claim("data"))
    time.sleep(0.5)  # long enough for a volume that should not come
    assert namespace.get("pvc", "data")["status"]["phase"] == "Pending"
    namespace.apply(deployment("db", 1, volumes=mounting("data")))
    eventually(lambda: namespace.get("pvc", "data")["status"]["phase"] == "Bound")
    eventually(lambda: all_ready(namespace.pods(), 1))
    volume = namespace.get("pvc", "data")["spec"]["volumeName"]
    grown = {"spec": {"resources": {"requests": {"storage": "3Gi"}}}}
    namespace.run("patch", "pvc", "data", "-p", json.dumps(grown))
    eventually(lambda: namespace.get("pvc", "data")["status"]["capacity"]["storage"] == "3Gi")
    assert namespace.get("pv", volume)["spec"]["capacity"]["storage"] == "3Gi"
    namespace.run("delete", "deployment/db", "pvc/data", "--timeout=30s")
    eventually(lambda: running.kubectl("get", "pv", volume, check=False).returncode != 0)


def test_a_claim_of_the_immediate_class_waits_for_no_pod(
    namespace: Any, eventually: Eventually
) -> None:
    namespace.apply(claim("data", "standard-immediate"))
    eventually(lambda: namespace.get("pvc", "data")["status"]["phase"] == "Bound")


def test_a_claim_can_be_kept_from_binding_and_then_heal(
    namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    namespace.apply(
        claim("data", annotations={FAULT: "never-bound"}),
        deployment("db", 1, volumes=mounting("data")),
    )
    eventually(
        lambda: (
            "volume.kubernetes.io/selected-node"
            in namespace.get("pvc", "data")["metadata"]["annotations"]
        )
    )
    assert namespace.get("pvc", "data")["status"]["phase"] == "Pending"
    namespace.annotate("pvc/data", FAULT, None)
    eventually(lambda: all_ready(namespace.pods(), 1))


def test_logs_and_proxies_answer_at_once_and_honestly(
    running: Cluster, namespace: Any, deployment: Make, eventually: Eventually
) -> None:
    namespace.apply(deployment("web", 1))
    namespace.run("expose", "deployment/web", "--port=80")
    eventually(lambda: all_ready(namespace.pods(), 1))
    log = namespace.run("logs", "deployment/web")
    assert log == "simulated: example/web:1 is not run on this node\n"
    path = f"/api/v1/namespaces/{namespace.name}/services/web:80/proxy/"
    started = time.monotonic()
    eventually(
        lambda: "code 503" in running.kubectl("get", "--raw", path, check=False).stderr, every=0.2
    )
    assert time.monotonic() - started < 20
    refused = running.kubectl(
        "-n", namespace.name, "exec", "deployment/web", "--", "true", check=False
    )
    assert refused.returncode != 0
