"""Who may talk to whom? Nobody to anybody, then exactly the edges that the components declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.spec import ComponentName, StorageBackend

from . import bucket, objects
from .context import Project
from .model import Manifest
from .part import Part

API_LABELS: Final = {names.LABEL_NAME: "supaplane-api"}
"""Pods of Supaplane's own API, as the chart labels them."""
LOG_LABELS: Final = {names.LABEL_NAME: "supaplane-vector"}
"""Pods of the log shipper, likewise."""
_NAMESPACE: Final = "kubernetes.io/metadata.name"


def edges(project: Project, parts: Mapping[ComponentName, Part]) -> set[tuple[str, str]]:
    """(caller, called) of components that are on, and of their tasks."""
    components = {
        (name.value, other.value)
        for name in project.enabled
        for other in (parts[name].needs | parts[name].calls) & project.enabled
    }
    tasks = {
        (task.name, other.value)
        for name in project.enabled
        for task in parts[name].tasks
        for other in task.calls & project.enabled
    }
    return components | tasks


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
            callers = sorted(a for a, b in graph if b == name)
            yield _policy(
                project,
                part,
                name.value,
                egress=[*_to(project, _called(parts, graph, name)), *_outwards(project, part)],
                ingress=[*_from(project, part, callers), *_from_outside(project, part)],
            )
            for task in part.tasks:
                called = _called(parts, graph, task.name)
                egress = [*_to(project, called), _dns(project)]
                yield _policy(project, part, task.name, egress=egress, ingress=[])


def _policy(
    project: Project, part: Part, pods: str, *, egress: list[Any], ingress: list[Any]
) -> Manifest:
    """A policy for the pods of a component, or of one of its tasks, of that name."""
    spec: Manifest = {
        "podSelector": {"matchLabels": objects.selector(project.ref, pods)},
        "policyTypes": ["Ingress", "Egress"],
        "egress": egress,
    }
    if ingress:
        spec["ingress"] = ingress
    return objects.manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        pods,
        project.ref,
        component=part.name.value,
        spec=spec,
    )


def _called(
    parts: Mapping[ComponentName, Part], graph: set[tuple[str, str]], caller: str
) -> list[Part]:
    return [parts[ComponentName(b)] for a, b in sorted(graph) if a == caller]


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


def _outwards(project: Project, part: Part) -> Iterator[Manifest]:
    """DNS; the internet, where component and project want it; else the one port of a bucket
    there, for which the project asked by naming it."""
    yield _dns(project)
    internet: Manifest = {"cidr": "0.0.0.0/0"}
    if project.platform.egress_except:
        internet["except"] = list(project.platform.egress_except)
    to = {"to": [{"ipBlock": internet}]}
    if part.internet and project.spec.network.egress_allowed:
        yield to
    elif part.bucket and project.spec.storage.backend is StorageBackend.S3:
        yield to | {"ports": [{"port": bucket.of(project).port, "protocol": "TCP"}]}
