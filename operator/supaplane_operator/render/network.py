"""Who may talk to whom? Nobody to anybody, then exactly the edges that the components declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    """NetworkPolicies of the whole project; none when it does not want them.

    An edge is there when both of its ends allow it: the caller's policy names whom it calls, and
    on which port; `inside` lets pods of the project be called by each other.
    """
    if not project.spec.network.restrict:
        return
    yield _policy(project, "default-deny", {})
    own = {"matchLabels": {names.LABEL_REF: project.ref}}
    called = [{"from": [{"podSelector": own}]}]
    yield _policy(project, "inside", own, ingress=called, egress=[_dns(project)])
    for pods, rules in _alike(_rules(project, parts)):
        selected = {
            "matchLabels": {names.LABEL_REF: project.ref},
            "matchExpressions": [
                {"key": names.LABEL_COMPONENT, "operator": "In", "values": sorted(pods)}
            ],
        }
        # No name that an earlier version used for one component's policy: that one goes when all
        # of these are there.
        yield _policy(project, f"of-{'-'.join(pods)}", selected, **rules)


Rules = dict[str, list[Any]]
"""`ingress` and `egress` of a policy."""


def _rules(project: Project, parts: Mapping[ComponentName, Part]) -> Iterator[tuple[str, Rules]]:
    """What pods may do besides what all may: by name of the component or task."""
    graph = edges(project, parts)
    for name, part in parts.items():
        if name in project.enabled:
            called = _to(project, _called(parts, graph, name))
            outwards = list(_outwards(project, part))
            ingress = list(_from_outside(project, part))
            yield name.value, {"ingress": ingress, "egress": [*called, *outwards]}
            for task in part.tasks:
                called = _to(project, _called(parts, graph, task.name))
                yield task.name, {"ingress": [], "egress": [*called]}


def _alike(rules: Iterable[tuple[str, Rules]]) -> Iterator[tuple[list[str], Rules]]:
    """Those who may do the same, together; without those who may do nothing."""
    groups: list[tuple[list[str], Rules]] = []
    for pods, may in rules:
        found = next((group for group, others in groups if others == may), None)
        if found is not None:
            found.append(pods)
        elif any(may.values()):
            groups.append(([pods], may))
    yield from groups


def _policy(project: Project, name: str, pods: Manifest, **rules: list[Any]) -> Manifest:
    """`pods`: a label selector; `rules`: `ingress` and `egress`, where there are any."""
    spec = {"podSelector": pods, "policyTypes": ["Ingress", "Egress"]}
    return objects.manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        name,
        project.ref,
        spec=spec | {direction: listed for direction, listed in rules.items() if listed},
    )


def _called(
    parts: Mapping[ComponentName, Part], graph: set[tuple[str, str]], caller: str
) -> list[Part]:
    return [parts[ComponentName(b)] for a, b in sorted(graph) if a == caller]


def _ports(part: Part) -> list[Any]:
    return [{"port": number, "protocol": "TCP"} for number in part.ports.values()]


def _pods(project: Project, component: str) -> Manifest:
    return {"podSelector": {"matchLabels": objects.selector(project.ref, component)}}


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
    """The internet, where component and project want it; else the one port of a bucket there,
    for which the project asked by naming it."""
    internet: Manifest = {"cidr": "0.0.0.0/0"}
    if project.platform.egress_except:
        internet["except"] = list(project.platform.egress_except)
    to = {"to": [{"ipBlock": internet}]}
    if part.internet and project.spec.network.egress_allowed:
        yield to
    elif part.bucket and project.spec.storage.backend is StorageBackend.S3:
        yield to | {"ports": [{"port": bucket.of(project).port, "protocol": "TCP"}]}
