"""A kubeconfig for a ServiceAccount: to run here with exactly the rights it has there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from . import kubeconfig
from .errors import DevclusterError
from .state import write_private

if TYPE_CHECKING:
    from .cluster import Cluster


def service_account_kubeconfig(cluster: Cluster, service_account: str, duration: str) -> Path:
    namespace, slash, name = service_account.partition("/")
    if not (namespace and slash and name):
        raise DevclusterError(f"{service_account!r} should be namespace/name")
    answer = cluster.kubectl("create", "token", name, "-n", namespace, f"--duration={duration}")
    path = cluster.layout.user_kubeconfig(f"{namespace}.{name}")
    ca = cluster.ca_file.read_text(encoding="ascii")
    user = f"system:serviceaccount:{namespace}:{name}"
    token = answer.stdout.strip()
    write_private(path, kubeconfig.render(cluster.name, cluster.server, ca, user, token))
    return path
