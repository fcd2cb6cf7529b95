"""A real node: pods run, keep their data, find each other, and are kept apart."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supaplane_devcluster import CannotBuild, Cluster, ClusterOptions
from supaplane_devcluster.images import Images
from supaplane_devcluster.node import network, programs

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(900)]

TOOLS = "localhost/tools:1"
SERVE = 'while true; do echo "$0" | nc -l -p 8080 >/dev/null; done'


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require_node()
    home = tmp_path_factory.mktemp("home")
    with Cluster("real", home=home, options=ClusterOptions(node="real")) as cluster:
        cluster.import_images(Images().build("tools"))
        yield cluster


def require_node() -> None:
    """Skips where there cannot be one; in CI that is a failure."""
    try:
        programs.check_machine()
    except CannotBuild as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def sysctls() -> dict[str, str]:
    """The machine's, of those that a kubelet writes."""
    paths = {name: Path("/proc/sys") / name for name in network.MACHINE_SYSCTLS}
    return {name: path.read_text() for name, path in paths.items() if path.exists()}


BEFORE = sysctls()


class Space:
    """A namespace of one test."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def run(self, *args: str, input: str | None = None, check: bool = True) -> str:
        return self.cluster.kubectl("-n", self.name, *args, input=input, check=check).stdout

    def apply(self, *objects: dict[str, Any]) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.run("apply", "-f", "-", input=json.dumps(items))

    def ready(self, *pods: str) -> None:
        names = [f"pod/{name}" for name in pods]
        self.run("wait", "--for=condition=Ready", "--timeout=90s", *names)

    def fetch(self, pod: str, host: str, port: int = 80) -> str:
        """What a pod is told by a server; nothing if there is no answer within two seconds."""
        ask = ["exec", pod, "--", "nc", "-w", "2", host, str(port)]
        return self.run(*ask, check=False).strip()


@pytest.fixture
def space(node: Cluster, request: pytest.FixtureRequest) -> Iterator[Space]:
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[5:55].strip("-").lower()
    node.kubectl("create", "namespace", name)
    yield Space(node, name)
    node.kubectl("delete", "namespace", name, "--wait=false")


def server(name: str, **spec: Any) -> dict[str, Any]:
    """A pod that answers with its name on port 8080."""
    container = {
        "name": "main",
        "image": TOOLS,
        "command": ["sh", "-c", SERVE, name],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0} | spec,
    }


def service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}]},
    }


def claim(size: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }


def with_data(name: str) -> dict[str, Any]:
    """A pod of an ordinary user with the claim `data`."""
    pod = server(
        name,
        securityContext={"runAsUser": 1000, "fsGroup": 1000},
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    )
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return pod


def test_pods_find_each_other_by_the_name_of_a_service(space: Space) -> None:
    space.apply(server("web"), service("web"), server("client"))
    space.ready("web", "client")
    assert space.fetch("client", "web") == "web"
    assert space.fetch("client", f"web.{space.name}.svc.cluster.local") == "web"


def test_a_program_beside_the_pods_reaches_services_by_name(space: Space) -> None:
    space.apply(server("web"), service("web"))
    space.ready("web")
    name = f"web.{space.name}.svc.cluster.local"
    read = "import socket, sys; print(socket.create_connection((sys.argv[1], 80)).recv(9).decode())"
    answer = space.cluster.run([sys.executable, "-c", read, name])
    assert answer.stdout.strip() == "web", answer.stderr


def test_a_pod_finds_no_name_of_the_world_and_no_way_out(space: Space) -> None:
    space.apply(server("client"))
    space.ready("client")
    looked_up = space.run("exec", "client", "--", "nslookup", "example.org", check=False)
    assert "NXDOMAIN" in looked_up
    assert space.fetch("client", "192.0.2.1") == ""


def test_only_imported_and_tagged_images_are_there(space: Space, eventually: Any) -> None:
    pod = server("web")
    pod["spec"]["containers"][0]["image"] = "supaplane/tools:2"
    space.apply(pod)
    reason = "jsonpath={.status.containerStatuses[0].state.waiting.reason}"
    eventually(lambda: "Image" in space.run("get", "pod", "web", "-o", reason))
    space.cluster.tag_image(TOOLS, "docker.io/supaplane/tools:2")
    space.run("delete", "pod", "web")
    space.apply(pod)
    space.ready("web")


def test_a_file_outlives_its_pod(space: Space) -> None:
    space.apply(claim("1Gi"), with_data("one"))
    space.ready("one")
    space.run("exec", "one", "--", "sh", "-c", "echo kept > /data/row")
    space.run("delete", "pod", "one")
    space.apply(with_data("two"))
    space.ready("two")
    assert space.run("exec", "two", "--", "cat", "/data/row") == "kept\n"


def test_a_claim_grows_under_its_pod_and_its_folder_goes_with_it(space: Space) -> None:
    space.apply(claim("1Gi"), with_data("one"))
    space.ready("one")
    volume = space.run("get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}")
    folder = space.cluster.layout.volumes / volume
    assert folder.is_dir()
    space.apply(claim("2Gi"))
    space.run("wait", "--for=jsonpath={.status.capacity.storage}=2Gi", "pvc/data", "--timeout=30s")
    space.run("delete", "pod/one", "pvc/data")
    space.run("wait", "--for=delete", f"pv/{volume}", "--timeout=30s")
    assert not folder.exists()


def policy(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}} | spec,
    }


def test_a_policy_drops_packets_and_its_end_lets_them_pass(space: Space, eventually: Any) -> None:
    space.apply(server("web"), service("web"), server("friend"), server("stranger"))
    space.ready("web", "friend", "stranger")
    assert space.fetch("stranger", "web") == "web"
    friends = {"podSelector": {"matchLabels": {"app": "friend"}}}
    space.apply(policy("friends", ingress=[{"from": [friends], "ports": [{"port": "http"}]}]))
    eventually(lambda: space.fetch("stranger", "web") == "")
    assert space.fetch("friend", "web") == "web"
    space.run("delete", "networkpolicy", "friends")
    eventually(lambda: space.fetch("stranger", "web") == "web")


def test_a_policy_on_what_goes_out_also_holds_towards_the_api_server(
    space: Space, eventually: Any
) -> None:
    space.apply(server("web"), server("other"))
    space.ready("web", "other")
    address = space.run("get", "pod", "other", "-o", "jsonpath={.status.podIP}")
    api = ["exec", "web", "--", "nc", "-w", "2", "10.96.0.1", "443"]

    def reaches_api() -> bool:
        return space.cluster.kubectl("-n", space.name, *api, check=False).returncode == 0

    assert reaches_api()
    block = {"cidr": "10.244.0.0/16"}
    space.apply(policy("pods-only", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}]))
    eventually(lambda: not reaches_api())
    assert space.fetch("web", address, 8080) == "other"


def test_the_kubelet_sees_what_it_would_have_written_for_the_whole_machine(node: Cluster) -> None:
    pid = str(node.node.first_process)
    shown = {name: Path(f"/proc/{pid}/root/proc/sys") / name for name in BEFORE}
    assert {name: path.read_text() for name, path in shown.items()} == {
        name: f"{network.MACHINE_SYSCTLS[name]}\n" for name in BEFORE
    }
    assert sysctls() == BEFORE


def test_pods_outlive_a_kubelet_an_api_server_and_an_etcd_that_stop(space: Space) -> None:
    space.apply(server("web"), service("web"), server("client"))
    space.ready("web", "client")
    for component in ("kubelet", "kube-apiserver", "etcd"):
        space.cluster.kill(component)
        space.cluster.start(component)
    space.ready("web", "client")
    assert space.fetch("client", "web") == "web"
    restarts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}"
    assert space.run("get", "pods", "-o", restarts) == "0 0"
