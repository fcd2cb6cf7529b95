"""Supaplane as its chart installs it on a node: operator, API and database are pods."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from supaplane_devcluster import Cluster

from .platform import Platform, Program, Reply, full_reference

CHART = Path(__file__).parent.parent.parent / "helm" / "supaplane"
SYSTEM = "supaplane-system"
VALUES: dict[str, Any] = {
    "domainBase": "example.test",
    "operator": {"replicas": 2, "resources": {"requests": {"cpu": "5m", "memory": "64Mi"}}},
    "api": {
        "replicas": 2,
        "allowSignup": True,
        "signupAutoconfirm": True,
        "resources": {"requests": {"cpu": "5m", "memory": "64Mi"}},
        "database": {
            "trial": {
                "enabled": True,
                "resources": {"requests": {"cpu": "5m", "memory": "64Mi"}},
            }
        },
    },
}


LOGS = {
    "vector": {"enabled": True, "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}}},
}
"""More values: with the logs of projects collected."""


def shipper_image() -> str:
    """As a container engine calls the one that the chart names."""
    image = yaml.safe_load((CHART / "values.yaml").read_text())["vector"]["image"]
    return full_reference(f"{image['repository']}:{image['tag']}")


@dataclass
class Installed(Platform):
    """Supaplane as its chart installs it."""

    helm: str = ""

    def rest(self, method: str, path: str, body: Any = None) -> Reply:
        """A call to the API's Service."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        address = self.address(SYSTEM, "supaplane-api", 80)
        return self.request(address, method, path, headers=headers, body=body)

    def run_helm(self, *arguments: str, values: dict[str, Any] | None = None) -> str:
        """Helm's answer. A command that takes values gets those of these tests, and `values`."""
        given = () if values is None else ("--values", "-")
        port = int(self.cluster.server.rpartition(":")[2])
        network = {"networkPolicy": {"apiServerPorts": [443, port]}}
        answer = self.cluster.run(
            [self.helm, *arguments, "--namespace", SYSTEM, *given],
            input=json.dumps(VALUES | network | (values or {})),
            timeout=400,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def install(self, **values: Any) -> None:
        """Installs or upgrades, and waits until all pods are ready."""
        arguments = ("--install", "--wait", "--timeout", "5m", "--reset-values")
        self.run_helm("upgrade", *arguments, "supaplane", str(CHART), values=values)

    def own_pods(self, component: str) -> list[dict[str, Any]]:
        """Pods of the operator, the API or the database that are not ending."""
        wanted = f"supaplane-{component}"
        return [
            pod
            for pod in self.items(SYSTEM, "pods")
            if pod["metadata"]["labels"].get("app.kubernetes.io/name") == wanted
            and "deletionTimestamp" not in pod["metadata"]
        ]


class Pods(Program):
    """Stands where other live tests have a process: pods are started again by the kubelet."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, (), {}, Path(os.devnull))

    @property
    def ended(self) -> bool:
        return False
