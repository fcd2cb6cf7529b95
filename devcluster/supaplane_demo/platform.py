"""Brings up what the demo stands on: cluster, CRD, management database, operator, API."""

from __future__ import annotations

import hashlib
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import supaplane_contract
from supaplane_contract import names
from supaplane_devcluster import Cluster, ClusterOptions
from supaplane_devcluster.kind import KindCluster, docker_answers

from .home import Home, read_json, write_json
from .processes import Process, Processes, inherited_environment, log_tail

CLUSTER_NAME = "demo"
DOMAIN_BASE = "supaplane.localhost"
READY_SECONDS = 60.0
NODES = 3


class DemoFailed(Exception):
    """The demo cannot go on; the message says why and what to do."""


class AnyCluster(Protocol):
    """What the demo needs of a cluster, be it ours or kind's."""

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig."""

    def up(self, progress: Callable[[str], None] | None = None) -> None:
        """Makes it run."""

    def down(self) -> None:
        """Takes it away."""


def choose_cluster(wanted: str, home: Home) -> tuple[str, AnyCluster]:
    """kind where a Docker engine answers, else the devcluster; or the one that was named.

    A second run keeps the kind of cluster that the first one chose.
    """
    if wanted == "auto":
        wanted = str(read_json(home.demo_file).get("cluster") or "")
    if not wanted:
        wanted = "kind" if docker_answers() else "devcluster"
    if wanted == "kind":
        return wanted, KindCluster(f"supaplane-{CLUSTER_NAME}", home=home.folder)
    options = ClusterOptions(nodes=NODES, pod_delay=0.0)
    return wanted, Cluster(CLUSTER_NAME, home=home.folder, options=options)


def crd_file() -> Path:
    """The CRD of this checkout."""
    return Path(supaplane_contract.__file__).parent.parent / f"{names.PLURAL}.yaml"


@dataclass(frozen=True)
class Programs:
    """The operator and the API as processes of this machine."""

    processes: Processes
    kubeconfig: Path
    home: Home

    def operator(self) -> Process:
        """Starts the operator and waits until its caches are filled."""
        port = self._port("operator")
        environ = {
            "KUBECONFIG": str(self.kubeconfig),
            "DOMAIN_BASE": DOMAIN_BASE,
            "SUPAPLANE_PROBE_PORT": str(port),
            "SUPAPLANE_PROBE_HOST": "127.0.0.1",
        }
        command = ["supaplane_operator", "--no-lease"]
        process = self._ensure("operator", command, environ)
        self._await(process, f"http://127.0.0.1:{port}/readyz")
        return process

    def api(self, database_url: str) -> tuple[Process, str]:
        """Starts the API and waits until it is ready; the second value is its URL."""
        port = self._port("api")
        url = f"http://127.0.0.1:{port}"
        environ = {
            "KUBECONFIG": str(self.kubeconfig),
            "DATABASE_URL": database_url,
            "DOMAIN_BASE": DOMAIN_BASE,
            "PORT": str(port),
            "SUPAPLANE_ENVIRONMENT": "development",
            "ALLOW_SIGNUP": "true",
            **self._secrets(),
        }
        process = self._ensure("api", ["supaplane_api"], environ)
        self._await(process, f"{url}/readyz")
        return process, url

    def _ensure(self, name: str, command: list[str], environ: Mapping[str, str]) -> Process:
        inputs = hashlib.sha256(repr((command, sorted(environ.items()), _code())).encode())
        return self.processes.ensure(
            name, command, {**inherited_environment(), **environ}, inputs.hexdigest()[:16]
        )

    def _secrets(self) -> dict[str, str]:
        """Secrets of the API; the same on every run, or every session would end with it."""
        file = self.home.folder / "api-secrets.json"
        known = read_json(file)
        if not known:
            known = {n: os.urandom(32).hex() for n in ("JWT_SECRET", "ENCRYPTION_SECRET")}
            write_json(file, known)
        return {k: str(v) for k, v in known.items()}

    def _port(self, name: str) -> int:
        """A free port of loopback, the same on every run while nobody else takes it."""
        file = self.home.folder / "ports.json"
        ports = read_json(file)
        running = self.processes.known().get(name)
        port = int(ports.get(name) or (8080 if name == "api" else 0))
        if running and running.alive and name in ports:
            return port
        ports[name] = _free_port(port)
        write_json(file, ports)
        return int(ports[name])

    @staticmethod
    def _await(process: Process, url: str) -> None:
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if not process.alive:
                raise DemoFailed(
                    f"the {process.name} ended; its log {process.log} says:\n{log_tail(process)}"
                )
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.05)
        raise DemoFailed(
            f"the {process.name} is not ready after {READY_SECONDS:.0f} s; "
            f"its log {process.log} says:\n{log_tail(process)}"
        )


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoFailed("no free port on 127.0.0.1")


def _code() -> str:
    """Changes when the code of the checkout does, so that a second `make demo` runs the new one."""
    rooms = Path(supaplane_contract.__file__).parent.parent.parent
    newest = max(
        file.stat().st_mtime_ns
        for room in ("operator", "api", "crds")
        for file in (rooms / room).rglob("*")
        if file.suffix in (".py", ".yaml", ".sql", ".j2")
    )
    return str(newest)
