"""The chart installed by Helm on a real API server, and the operator running with its rights.

A cluster of its own: admission policies hold for a whole cluster, and the log of all requests is
what tells which rights are used.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.chart.people import Person, hold_refused

from supaplane_contract import names
from supaplane_devcluster import Cluster, ClusterOptions

Json = dict[str, Any]
SYSTEM = "supaplane-system"
HOME = names.DEFAULT_HOME_NAMESPACE
SECONDS = 60.0
WITHOUT = {name: {"enabled": False} for name in ("realtime", "storage", "functions", "pooler")}
"""Six components are left: what most tests ask is answered by them as well as by twelve."""

VALUES: Json = {
    "domainBase": "projects.example.org",
    "api": {"database": {"existingSecret": {"name": "supaplane-database"}}},
    "projects": {"ingress": {"kind": "Ingress"}},
}


@dataclass(frozen=True)
class Platform:
    """A cluster with the chart in it."""

    cluster: Cluster
    chart: Any
    values: Json

    def helm(self, *arguments: str, values: Json | None = None) -> str:
        """Helm on this cluster."""
        text = yaml.safe_dump(self.values if values is None else values)
        environ = {"KUBECONFIG": str(self.cluster.kubeconfig)}
        out: str = self.chart.run(*arguments, input=text, environ=environ)
        return out

    def upgrade(self, values: Json | None = None) -> str:
        """Installs or upgrades."""
        return self.helm(
            *("upgrade", "--install", "supaplane", str(self.chart.folder)),
            *("--namespace", SYSTEM, "--values", "-"),
            values=values,
        )

    def person(self, service_account: str | None = None) -> Person:
        """The administrator, or a ServiceAccount of the release."""
        token = self.cluster.token
        if service_account:
            file = self.cluster.user_kubeconfig(f"{SYSTEM}/{service_account}")
            token = yaml.safe_load(file.read_text())["users"][0]["user"]["token"]
        tls = ssl.create_default_context(cafile=str(self.cluster.ca_file))
        headers = {"Authorization": f"Bearer {token}"}
        # No connection outlives its answer, so that none is left to close.
        limits = httpx.Limits(max_keepalive_connections=0)
        server = self.cluster.server
        return Person(httpx.Client(base_url=server, verify=tls, headers=headers, limits=limits))


@dataclass(frozen=True)
class Projects:
    """SupabaseProjects in the home namespace, handled as an administrator handles them."""

    cluster: Cluster

    def make(self, name: str, **spec: Any) -> None:
        """Makes one, small unless `spec` says more."""
        spec = WITHOUT | spec
        body = {"apiVersion": names.API_VERSION, "kind": names.KIND, "spec": spec}
        body["metadata"] = {"name": name, "namespace": HOME}
        self.cluster.kubectl("create", "-f", "-", input=yaml.safe_dump(body))

    def change(self, name: str, **spec: Any) -> None:
        """A merge patch of the spec."""
        patch = yaml.safe_dump({"spec": spec})
        arguments = ("patch", names.PLURAL, name, "-n", HOME, "--type=merge", "-p", patch)
        self.cluster.kubectl(*arguments)

    def delete(self, name: str) -> None:
        """Deletes one, and waits until it is gone."""
        arguments = ("delete", names.PLURAL, name, "-n", HOME)
        self.cluster.kubectl(*arguments, f"--timeout={SECONDS:.0f}s")

    def status(self, name: str) -> Json:
        """What the operator says of it."""
        out = self.cluster.kubectl("get", names.PLURAL, name, "-n", HOME, "-o", "yaml").stdout
        found: Json = yaml.safe_load(out).get("status") or {}
        return found

    def until(self, name: str, phase: str) -> Json:
        """Waits for a phase; the status then."""
        deadline = time.monotonic() + SECONDS
        while (status := self.status(name)).get("phase") != phase:
            assert time.monotonic() < deadline, f"{name} is not {phase}: {status}"
            time.sleep(0.1)
        return status


MakePlatform = Callable[[str], contextlib.AbstractContextManager[Platform]]


@pytest.fixture(scope="session")
def make_platform(root: Path, chart: Any) -> MakePlatform:
    """A cluster of its own with the chart in it; the word becomes part of its name."""

    @contextlib.contextmanager
    def make(word: str) -> Iterator[Platform]:
        options = ClusterOptions(nodes=2, audit="all")
        cluster = Cluster(f"tests-{os.getpid()}-{word}", home=root / ".supaplane", options=options)
        try:
            cluster.up()
            cluster.kubectl("create", "namespace", SYSTEM)
            # Pods of ours that are not `restricted` would be refused.
            enforce = "pod-security.kubernetes.io/enforce=restricted"
            cluster.kubectl("label", "namespace", SYSTEM, enforce)
            platform = Platform(cluster, chart, VALUES)
            platform.upgrade()
            _until_policies_hold(platform)
            yield platform
        finally:
            cluster.down()

    return make


@pytest.fixture(scope="session")
def platform(make_platform: MakePlatform) -> Iterator[Platform]:
    with make_platform("chart") as platform:
        yield platform


def _until_policies_hold(platform: Platform) -> None:
    """A policy that was just made is honoured a moment later."""
    deadline = time.monotonic() + SECONDS
    names_ = platform.cluster.kubectl("get", "validatingadmissionpolicies", "-o", "name").stdout
    assert len(names_.split()) == 7
    operator = platform.person("supaplane-operator")
    while operator.make("/api/v1/namespaces?dryRun=All", "probe").status_code != 422:
        assert time.monotonic() < deadline, "policies are not honoured"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def projects(platform: Platform) -> Projects:
    return Projects(platform.cluster)


@pytest.fixture(scope="session")
def releases_url() -> Iterator[str]:
    """Where a release is offered, older than all that ship."""
    release = {
        "name": "2020.1.1",
        "postgresVersion": "17",
        "images": {"db": "acme/postgres:17.1"},
        "defaultComponents": ["db"],
    }

    class Offer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"releases": [release]}).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Offer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def running_operator(
    platform: Platform, releases_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[bytes]]:
    """The operator as the Deployment would start it: same settings, same ServiceAccount."""
    manifests = platform.chart.render(VALUES)
    deployment = next(
        m
        for m in manifests
        if m["kind"] == "Deployment" and m["metadata"]["name"] == "supaplane-operator"
    )
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    settings = {v["name"]: v.get("value", "the-only-one") for v in container["env"]}
    settings |= {"SUPAPLANE_PROBE_HOST": "127.0.0.1", "SUPAPLANE_PROBE_PORT": "0"}
    settings |= {"SERVICE_VERSION_URL": releases_url}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SUPAPLANE_", "KUBE"))}
    kubeconfig = platform.cluster.user_kubeconfig(f"{SYSTEM}/supaplane-operator")
    log = tmp_path_factory.mktemp("operator") / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "supaplane_operator", "--kubeconfig", str(kubeconfig)],
            env=inherited | settings,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            _until_it_leads(platform.person(), process)
            yield process
        finally:
            process.terminate()
            code = process.wait(60)
    text = log.read_text()
    assert code == 0, text[-3000:]
    assert "Traceback" not in text, text[-3000:]


def _until_it_leads(admin: Person, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    path = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/supaplane-operator"
    while admin.send("GET", path).status_code != 200:
        assert process.poll() is None
        assert time.monotonic() < deadline, "the operator does not lead"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def admin(platform: Platform) -> Person:
    return platform.person()


@pytest.fixture(scope="session")
def operator(platform: Platform) -> Person:
    """Somebody with the operator's token."""
    return platform.person("supaplane-operator")


@pytest.fixture(scope="session")
def api(platform: Platform) -> Person:
    """Somebody with the API's token."""
    return platform.person("supaplane-api")


@pytest.fixture(scope="session")
def project(running_operator: Any, projects: Projects) -> Json:
    """A project that runs; tests of refusals must leave it as it is. Its status."""
    projects.make("standing")
    return projects.until("standing", "ACTIVE_HEALTHY")


@pytest.fixture(scope="session")
def refused() -> Callable[[httpx.Response, str], None]:
    """Holds that an answer is a refusal that says so in these words."""
    return hold_refused
