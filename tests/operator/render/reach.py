"""Who may talk to whom, by the NetworkPolicies of a rendering alone: read as Kubernetes does.

https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from supaplane_contract import names
from supaplane_devcluster.node.policies import selects
from supaplane_operator.render import Rendered

Edge = tuple[str, str, int]
"""Caller, called, and the port of it."""


def policies(rendered: Rendered) -> dict[str, Any]:
    """The spec of each policy by its name."""
    return {
        m["metadata"]["name"]: m["spec"] for m in rendered.manifests if m["kind"] == "NetworkPolicy"
    }


def pods(rendered: Rendered) -> dict[str, Mapping[str, str]]:
    """Labels of the pods of each component and of each task."""
    templates = [
        m["spec"]["template"]["metadata"]["labels"]
        for m in rendered.manifests
        if m["kind"] in ("Deployment", "StatefulSet", "Job")
    ]
    return {labels[names.LABEL_COMPONENT]: labels for labels in templates}


def rules(rendered: Rendered, component: str, direction: str) -> list[Any]:
    """All `ingress` or `egress` rules that hold for a component's pods."""
    labels = pods(rendered)[component]
    return [
        rule
        for spec in policies(rendered).values()
        if selects(spec["podSelector"], labels)
        for rule in spec.get(direction, [])
    ]


def from_elsewhere(rendered: Rendered, component: str) -> list[Any]:
    """The rules by which others than pods of the project come in."""
    found = rules(rendered, component, "ingress")
    return [rule for rule in found if any(not _inside(p) for p in rule.get("from", [{}]))]


def allowed(rendered: Rendered, ports: Iterable[int]) -> set[Edge]:
    """Every connection to one of these ports that both ends allow, between different pods."""
    known = pods(rendered)
    return {
        (caller, called, port)
        for caller in known
        for called in known
        for port in ports
        if caller != called
        and _any(rules(rendered, caller, "egress"), "to", known[called], port)
        and _any(rules(rendered, called, "ingress"), "from", known[caller], port)
    }


def _inside(peer: Mapping[str, Any]) -> bool:
    return peer.keys() == {"podSelector"}


def _any(found: Iterable[Any], peers: str, other: Mapping[str, str], port: int) -> bool:
    return any(_fits(rule, port) and _names(rule.get(peers), other) for rule in found)


def _fits(rule: Mapping[str, Any], port: int) -> bool:
    return "ports" not in rule or {"port": port, "protocol": "TCP"} in rule["ports"]


def _names(peers: Iterable[Any] | None, other: Mapping[str, str]) -> bool:
    """Whether one of the peers is that pod of the same namespace; no peers mean everybody."""
    if peers is None:
        return True
    return any(_inside(peer) and selects(peer["podSelector"], other) for peer in peers)
