"""Where the files of one cluster are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "SUPAPLANE_HOME"


def default_home() -> Path:
    return Path(os.environ.get(HOME_VARIABLE) or ".supaplane")


def clusters_folder(home: Path) -> Path:
    return home.absolute() / "clusters"


@dataclass(frozen=True)
class Layout:
    """The paths below one cluster's folder; nothing is kept anywhere else."""

    folder: Path

    @classmethod
    def of(cls, home: Path, name: str) -> Layout:
        return cls(clusters_folder(home) / name)

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def certificates(self) -> Path:
        return self.folder / "certificates"

    @property
    def ca(self) -> Path:
        return self.certificates / "ca.crt"

    @property
    def server_certificate(self) -> Path:
        return self.certificates / "server.crt"

    @property
    def server_key(self) -> Path:
        return self.certificates / "server.key"

    @property
    def service_account_key(self) -> Path:
        return self.certificates / "service-account.key"

    @property
    def service_account_public_key(self) -> Path:
        return self.certificates / "service-account.pub"

    @property
    def tokens(self) -> Path:
        return self.certificates / "tokens.csv"

    @property
    def etcd(self) -> Path:
        return self.folder / "etcd"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def egress(self) -> Path:
        return self.folder / "egress.yaml"

    @property
    def audit_policy(self) -> Path:
        return self.folder / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"

    def component_kubeconfig(self, component: str) -> Path:
        return self.certificates / f"{component}.kubeconfig"

    def user_kubeconfig(self, user: str) -> Path:
        return self.folder / "users" / f"{user}.kubeconfig"

    # --- of a real node only

    @property
    def node(self) -> Path:
        return self.folder / "node"

    @property
    def space_ready(self) -> Path:
        """Written by the first process of the node's namespaces when they are furnished."""
        return self.node / "ready"

    @property
    def containerd_config(self) -> Path:
        return self.node / "containerd.toml"

    @property
    def cni(self) -> Path:
        return self.node / "cni"

    @property
    def kubelet_config(self) -> Path:
        return self.node / "kubelet.yaml"

    @property
    def proxy_config(self) -> Path:
        return self.node / "kube-proxy.yaml"

    @property
    def service_dns(self) -> Path:
        return self.node / "resolv.conf"

    @property
    def volumes(self) -> Path:
        return self.node / "volumes"
