"""The simulated nodes go on through whatever happens to the rest of the cluster."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from supaplane_devcluster import Cluster
from supaplane_devcluster.state import load

pytestmark = pytest.mark.cluster

MakeCluster = Callable[..., Cluster]
Eventually = Callable[..., Any]


def scale(cluster: Cluster, replicas: int) -> None:
    cluster.kubectl("scale", "deployment/web", f"--replicas={replicas}")


def ready(cluster: Cluster) -> int:
    text = cluster.kubectl("get", "deployment/web", "-o", "jsonpath={.status.readyReplicas}").stdout
    return int(text or "0")


@pytest.fixture
def cluster(make_cluster: MakeCluster, eventually: Eventually) -> Cluster:
    made = make_cluster()
    made.up()
    made.kubectl("create", "deployment", "web", "--image=example/web:1", "--replicas=2")
    eventually(lambda: ready(made) == 2)
    return made


@pytest.mark.parametrize("component", ["kube-apiserver", "etcd"])
def test_the_server_is_killed_and_started_and_pods_still_become_ready(
    cluster: Cluster, eventually: Eventually, component: str
) -> None:
    simulated = cluster.status()["simulated-nodes"]
    cluster.kill(component)
    cluster.start(component)
    scale(cluster, 4)
    eventually(lambda: ready(cluster) == 4)
    assert cluster.status()["simulated-nodes"] == simulated


def test_a_watch_that_is_too_old_is_started_afresh(
    cluster: Cluster, eventually: Eventually
) -> None:
    listed = json.loads(cluster.kubectl("get", "--raw", "/api/v1/pods").stdout)
    version = listed["metadata"]["resourceVersion"]
    cluster.pause("simulated-nodes")
    scale(cluster, 5)
    eventually(lambda: pods(cluster) == 5)
    # A new server remembers nothing of what was before it, and a compacted store neither.
    cluster.kill("kube-apiserver")
    compact(cluster)
    cluster.start("kube-apiserver", wait=False)
    eventually(lambda: cluster.kubectl("get", "--raw", "/readyz", check=False).returncode == 0)
    path = f"/api/v1/pods?watch=1&timeoutSeconds=5&resourceVersion={version}"
    answer = cluster.kubectl("get", "--raw", path, check=False)
    assert '"code":410' in answer.stdout + answer.stderr
    assert ready(cluster) == 2
    cluster.resume("simulated-nodes")
    eventually(lambda: ready(cluster) == 5)


def pods(cluster: Cluster) -> int:
    return len(cluster.kubectl("get", "pods", "-o", "name").stdout.split())


def compact(cluster: Cluster) -> None:
    """Drop all history from etcd, by its own JSON gateway."""
    state = load(cluster.layout.state)
    assert state is not None
    base = f"http://127.0.0.1:{state.ports['etcd']}/v3/kv"
    revision = post(f"{base}/range", {"key": "AA=="})["header"]["revision"]
    post(f"{base}/compaction", {"revision": revision, "physical": True})


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_new_simulated_nodes_take_over_pods_with_their_addresses(
    cluster: Cluster, eventually: Eventually
) -> None:
    addresses = ("get", "pods", "-o", "jsonpath={range .items[*]}{.status.podIP} {end}")
    before = set(cluster.kubectl(*addresses).stdout.split())
    cluster.kill("simulated-nodes")
    scale(cluster, 6)
    cluster.start("simulated-nodes")
    eventually(lambda: ready(cluster) == 6)
    after = cluster.kubectl(*addresses).stdout.split()
    assert before < set(after)
    assert len(set(after)) == 6


def test_pods_that_are_slow_are_not_ready_before_their_time(
    make_cluster: MakeCluster, eventually: Eventually
) -> None:
    cluster = make_cluster(pod_delay=3.0, pod_jitter=0.5)
    cluster.up()
    cluster.kubectl("create", "deployment", "web", "--image=example/web:1")
    seen = ("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].state}")
    eventually(lambda: "ContainerCreating" in cluster.kubectl(*seen).stdout)
    assert ready(cluster) == 0
    eventually(lambda: ready(cluster) == 1)
