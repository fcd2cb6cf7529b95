"""What is still missing before a cluster can be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .client import ApiClient


def missing(client: ApiClient, nodes: int, has_dns: bool = False) -> str | None:
    """The first thing that is not there yet, in words; None when all is.

    `has_dns`: whether this cluster is one whose pods ask a DNS server of its own.
    """
    checks: list[tuple[str, Callable[[], bool]]] = [
        ("the API server", lambda: client.answers("/readyz")),
        (
            "the default service account",
            lambda: client.answers("/api/v1/namespaces/default/serviceaccounts/default"),
        ),
        ("the default storage class", lambda: has_default_class(client.get(CLASSES))),
        (f"{nodes} ready nodes", lambda: ready_nodes(client.get("/api/v1/nodes")) >= nodes),
    ]
    if has_dns:
        checks.append(("its DNS server", lambda: available(client.get(DNS))))
    return next((what for what, holds in checks if not holds()), None)


CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def has_default_class(answer: Any | None) -> bool:
    items = (answer or {}).get("items", [])
    return any(
        (item["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true" for item in items
    )


def ready_nodes(answer: Any | None) -> int:
    """Nodes that are Ready and that the scheduler may use."""
    return sum(1 for item in (answer or {}).get("items", []) if _usable(item))


def available(deployment: Any | None) -> bool:
    """Whether at least one pod of a Deployment serves."""
    return bool((deployment or {}).get("status", {}).get("availableReplicas"))


def _usable(node: dict[str, Any]) -> bool:
    if any(taint["effect"] != "PreferNoSchedule" for taint in node["spec"].get("taints") or []):
        return False
    conditions = node.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
