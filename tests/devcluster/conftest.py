"""What the tests of the devcluster share: clusters that are taken down, and waiting by polling."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supaplane_devcluster import Cluster, ClusterOptions

Eventually = Callable[..., Any]
MakeCluster = Callable[..., Cluster]


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Ask until the answer is true, at most for `timeout` seconds; the last answer is returned."""

    def ask(question: Callable[[], Any], timeout: float = 60.0, every: float = 0.05) -> Any:
        deadline = time.monotonic() + timeout
        while not (answer := question()):
            assert time.monotonic() < deadline, f"not within {timeout} s; the last was {answer!r}"
            time.sleep(every)
        return answer

    return ask


@pytest.fixture
def make_cluster(tmp_path: Path) -> Iterator[MakeCluster]:
    """Clusters of one test, in a home of its own; all are taken down with it."""
    made: list[Cluster] = []

    def make(name: str = "one", **options: Any) -> Cluster:
        cluster = Cluster(name, home=tmp_path / "home", options=ClusterOptions(**options))
        made.append(cluster)
        return cluster

    yield make
    for cluster in made:
        cluster.down()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One running cluster for a file of tests; each test makes a namespace of its own."""
    home = tmp_path_factory.mktemp("home")
    with Cluster("shared", home=home, options=ClusterOptions(nodes=2, audit="writes")) as cluster:
        yield cluster


class Namespace:
    """kubectl in one namespace, with the objects as dictionaries."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def run(self, *args: str, input: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.name, *args, input=input).stdout

    def apply(self, *objects: dict[str, Any]) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.run("apply", "-f", "-", input=json.dumps(items))

    def get(self, *args: str) -> Any:
        return json.loads(self.run("get", *args, "-o", "json"))

    def pods(self, selector: str = "") -> list[Any]:
        found: list[Any] = self.get("pods", "-l", selector)["items"]
        return found

    def annotate(self, what: str, key: str, value: str | None) -> None:
        change = f"{key}-" if value is None else f"{key}={value}"
        self.run("annotate", "--overwrite", *what.split("/"), change)

    def faults(self, rules: dict[str, Any] | None) -> None:
        """The faults of the namespace; None heals."""
        text = None if rules is None else json.dumps(rules)
        self.annotate(f"namespace/{self.name}", "simulated-nodes.supaplane.dev/faults", text)


@pytest.fixture
def namespace(running: Cluster, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    name = "t-" + "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[-50:]
    name = name.rstrip("-")
    running.kubectl("create", "namespace", name)
    yield Namespace(running, name)
    running.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def deployment() -> Callable[..., dict[str, Any]]:
    """A Deployment of two pods, whose one container is named as it is."""

    def make(name: str, replicas: int = 2, **pod: Any) -> dict[str, Any]:
        labels = {"app": name}
        annotations = pod.pop("annotations", {})
        spec = {"containers": [{"name": name, "image": f"example/{name}:1"}]} | pod
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels, "annotations": annotations},
                    "spec": spec,
                },
            },
        }

    return make


@pytest.fixture(scope="session")
def job() -> Callable[..., dict[str, Any]]:
    """A Job of one pod that is never tried again."""

    def make(name: str, annotations: dict[str, str] | None = None) -> dict[str, Any]:
        container = {"name": "work", "image": "example/work:1"}
        template = {
            "metadata": {"annotations": annotations or {}},
            "spec": {"restartPolicy": "Never", "containers": [container]},
        }
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name},
            "spec": {"backoffLimit": 0, "template": template},
        }

    return make


@pytest.fixture(scope="session")
def processes_below() -> Callable[[Path], list[str]]:
    """The command lines of all processes of this machine that mention the folder."""

    def find(folder: Path) -> list[str]:
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in command:
                found.append(command)
        return found

    return find
