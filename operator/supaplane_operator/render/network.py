"""Who may talk to whom? Nobody to anybody, then exactly the edges that the components declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.spec import ComponentName

from . import objects
from .context import Project
from .model import Manifest
from .part import Part

API_LABELS: Final = {names.LABEL_NAME: "supaplane-api"}
"""Pods of Supaplane's own API, as the chart labels them."""
LOG_LABELS: Final = {names.LABEL_NAME: "supaplane-vector"}
"""Pods of the log shipper, likewise."""
_NAMESPACE: Final = "kubernetes.io/metadata.name"


def edges(project: Project, parts: Mapping[ComponentName, Part]) -> set[tuple[str, str]]:
    """(caller, called) of components that are on."""
    return {
        (name.value, other.value)
        for name in project.enabled
        for other in (parts[name].needs | parts[name].calls) & project.enabled
    }


def policies(project: Project, parts: Mapping[ComponentName, Part]) -> Iterator[Manifest]:
    """NetworkPolicies of the whole project; none when it does not want them."""
    if not project.spec.network.restrict:
        return
    yield objects.manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "default-deny",
        project.ref,
        spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    )
    graph = edges(project, parts)
    for name, part in parts.items():
        if name in project.enabled:
            yield _policy(project, parts, part, graph)


def _policy(
    project: Project,
    parts: Mapping[ComponentName, Part],
    part: Part,
    graph: set[tuple[str, str]],
) -> Manifest:
    name = part.name.value
    callers = sorted(a for a, b in graph if b == name)
    called = [parts[ComponentName(b)] for a, b in sorted(graph) if a == name]
    spec: Manifest = {
        "podSelector": {"matchLabels": objects.selector(project.ref, name)},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [*_to(project, called), _dns(project), *_internet(project, part)],
    }
    ingress = [*_from(project, part, callers), *_from_outside(project, part)]
    if ingress:
        spec["ingress"] = ingress
    return objects.manifest(
        "networking.k8s.io/v1", "NetworkPolicy", name, project.ref, component=name, spec=spec
    )


def _ports(part: Part) -> list[Any]:
    return [{"port": number, "protocol": "TCP"} for number in part.ports.values()]


def _pods(project: Project, component: str) -> Manifest:
    return {"podSelector": {"matchLabels": objects.selector(project.ref, component)}}


def _from(project: Project, part: Part, callers: list[str]) -> Iterator[Manifest]:
    if callers:
        yield {"from": [_pods(project, c) for c in callers], "ports": _ports(part)}


def _to(project: Project, called: list[Part]) -> Iterator[Manifest]:
    for part in called:
        yield {"to": [_pods(project, part.name.value)], "ports": _ports(part)}


def _from_outside(project: Project, part: Part) -> Iterator[Manifest]:
    platform = project.platform
    if part.public:
        namespaces = [_of_namespace(n) for n in platform.ingress_namespaces]
        rule: Manifest = {"from": namespaces} if namespaces else {}
        yield rule | {"ports": _ports(part)}
    if (
        part.for_the_api
        and platform.api_namespace
        and not (part.public and not platform.ingress_namespaces)
    ):
        pods = {"podSelector": {"matchLabels": API_LABELS}}
        yield {"from": [_of_namespace(platform.api_namespace) | pods], "ports": _ports(part)}
    if part.for_the_logs and platform.log_namespace:
        pods = {"podSelector": {"matchLabels": LOG_LABELS}}
        yield {"from": [_of_namespace(platform.log_namespace) | pods], "ports": _ports(part)}
    cidrs = _external(project, part)
    if cidrs:
        yield {"from": [{"ipBlock": {"cidr": c}} for c in cidrs], "ports": _ports(part)}


def _external(project: Project, part: Part) -> list[str]:
    """Ranges that may reach the database or the pooler from outside the cluster."""
    access = getattr(project.spec.component(part.name), "external", None)
    return list(access.allowed_cidrs) if access and access.enabled else []


def _of_namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE: name}}}


def _dns(project: Project) -> Manifest:
    servers = [_of_namespace(project.platform.dns_namespace)]
    servers += [{"ipBlock": {"cidr": cidr}} for cidr in project.platform.dns_cidrs]
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    return {"to": servers, "ports": ports}


def _internet(project: Project, part: Part) -> Iterator[Manifest]:
    if part.internet and project.spec.network.egress_allowed:
        block: Manifest = {"cidr": "0.0.0.0/0"}
        if project.platform.egress_except:
            block["except"] = list(project.platform.egress_except)
        yield {"to": [{"ipBlock": block}]}
