"""The operator as it runs in a pod: a ServiceAccount's token, no package `kubernetes`, a Lease."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from supaplane_demo.commands import install_crd
from supaplane_devcluster import Cluster, ClusterOptions
from supaplane_kube import KubeClient, login

NAMESPACE = "supaplane-system"
ACCOUNT = "operator"


@dataclass
class Replica:
    """One process of the operator, as in a pod of its own."""

    identity: str
    environ: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Starts it; returns when its caches are filled."""
        port = _free_port()
        own = {"SUPAPLANE_IDENTITY": self.identity, "SUPAPLANE_PROBE_PORT": str(port)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "supaplane_operator"],
                env=self.environ | own,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).close()
                return
            time.sleep(0.05)
        raise TimeoutError("the operator is not ready:\n" + self.log.read_text()[-2000:])

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends it as a pod is ended, or by another signal."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class Inside:
    """A cluster with the operator as its only user besides us."""

    cluster: Cluster
    kube: KubeClient
    folder: Path
    environ: dict[str, str]
    replica: Replica = field(init=False)

    def __post_init__(self) -> None:
        self.replica = self.another("first")

    def another(self, identity: str) -> Replica:
        """One more of the operator, not started."""
        return Replica(identity, self.environ, self.folder / f"{identity}.log")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The operator's process."""
        assert self.replica.process is not None
        return self.replica.process

    def start_operator(self) -> None:
        """Starts it; returns when its caches are filled."""
        self.replica.start()

    def stop_operator(self) -> None:
        """Ends it as a pod is ended."""
        self.replica.end()

    def restart_operator(self) -> None:
        """Ends it and starts another."""
        self.stop_operator()
        self.start_operator()

    def memory(self) -> float:
        """Resident memory of the operator, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(x for x in status.splitlines() if x.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def cpu(self) -> float:
        """CPU seconds that the operator has used, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def inside(nodes: int = 20) -> AsyncIterator[Inside]:
    """Brings cluster and operator up, and takes both down again."""
    with tempfile.TemporaryDirectory(prefix="supaplane-bulk-") as name:
        folder = Path(name)
        options = ClusterOptions(nodes=nodes, pod_delay=0.0, audit="writes")
        cluster = Cluster("bulk", home=folder / "home", options=options)
        try:
            await asyncio.to_thread(cluster.up)
            session = await login.find(kubeconfig=str(cluster.kubeconfig))
            async with KubeClient(session, user_agent="bench", timeout_seconds=120) as kube:
                await install_crd(kube)
                await asyncio.to_thread(_account, cluster)
                running = Inside(cluster, kube, folder, _environment(cluster, folder))
                await asyncio.to_thread(running.start_operator)
                try:
                    await asyncio.sleep(3)
                    yield running
                finally:
                    running.stop_operator()
        finally:
            cluster.down()


def _account(cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("create", "serviceaccount", ACCOUNT, "-n", NAMESPACE)
    cluster.kubectl(
        "create",
        "clusterrolebinding",
        "operator",
        "--clusterrole=cluster-admin",
        f"--serviceaccount={NAMESPACE}:{ACCOUNT}",
    )


def _environment(cluster: Cluster, folder: Path) -> dict[str, str]:
    """What the pod would have: address and token of the API server, and the settings."""
    account = folder / "account"
    account.mkdir()
    token = cluster.kubectl("create", "token", ACCOUNT, "-n", NAMESPACE, "--duration=6h")
    (account / "token").write_text(token.stdout.strip())
    (account / "ca.crt").write_text(cluster.ca_file.read_text())
    (account / "namespace").write_text(NAMESPACE)
    missing = folder / "missing" / "kubernetes"
    missing.mkdir(parents=True)
    # The image does not have this package; kopf loads it wherever it finds it.
    (missing / "__init__.py").write_text("raise ImportError('not in the image')\n")
    address = urlsplit(cluster.server)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SUPAPLANE_")}
    return kept | {
        "PYTHONPATH": os.pathsep.join(
            [str(missing.parent), *filter(None, [kept.get("PYTHONPATH")])]
        ),
        "KUBERNETES_SERVICE_HOST": str(address.hostname),
        "KUBERNETES_SERVICE_PORT": str(address.port),
        "SUPAPLANE_SERVICE_ACCOUNT_DIR": str(account),
        "SUPAPLANE_OPERATOR_NAMESPACE": NAMESPACE,
        "SUPAPLANE_PROBE_HOST": "127.0.0.1",
        "DOMAIN_BASE": "example.com",
    }
