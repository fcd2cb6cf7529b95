"""The names of what a cluster is made of, and all that decides how each part is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .layout import Layout
from .options import ClusterOptions

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
# of a cluster with simulated nodes
NODES = "simulated-nodes"
# of a cluster with a real node
SPACE = "node-space"
CONTAINERD = "containerd"
KUBELET = "kubelet"
PROXY = "kube-proxy"
VOLUMES = "volume-provisioner"
POLICIES = "network-policies"

LOOPBACK = "127.0.0.1"
SERVICE_RANGE = "10.96.0.0/16"


@dataclass(frozen=True)
class Plan:
    """All that decides the command lines."""

    binary: Path
    layout: Layout
    ports: dict[str, int]
    options: ClusterOptions
    debian: Path | None = None
    """A real node's programs, where the machine has none: the root of unpacked packages."""

    @property
    def server(self) -> str:
        return f"https://{LOOPBACK}:{self.ports['api']}"

    @property
    def tunnel(self) -> str:
        """Where the API server goes instead of dialling addresses that only pods would have."""
        return f"{LOOPBACK}:{self.ports['tunnel']}"

    @property
    def etcd_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports['etcd']}"
