"""How is a project reached from outside the cluster: Ingress or HTTPRoute?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from supaplane_contract.spec import ComponentName, IngressKind, IssuerKind, IssuerRef, Tls
from supaplane_contract.status import Reason

from . import controllers, objects, urls
from .context import GATEWAY_PORT, Project
from .model import Manifest, NotRenderable, Platform

TLS_SECRET: Final = "gateway-tls"
_GATEWAY: Final = ComponentName.GATEWAY.value
_ISSUER_ANNOTATION: Final = {
    IssuerKind.CLUSTER_ISSUER: "cert-manager.io/cluster-issuer",
    IssuerKind.ISSUER: "cert-manager.io/issuer",
}


def routes(project: Project) -> Iterator[Manifest]:
    """The objects that carry public traffic to the gateway, if it and they are on."""
    kind = project.spec.ingress.kind or project.platform.ingress_kind
    check_hosts(project)
    annotations = _annotations(project)
    if kind is IngressKind.NONE or not project.has(ComponentName.GATEWAY):
        return
    if kind is IngressKind.INGRESS:
        yield from _ingress(project, annotations)
    else:
        yield _http_route(project, annotations)


def check_hosts(project: Project) -> None:
    """Names below the platform's domain belong to the platform. Raises NotRenderable."""
    base = f".{project.platform.domain_base}"
    own = urls.own_hosts(project.ref, project.platform)
    chosen = [project.spec.host] if project.spec.host else []
    for host in [*chosen, *project.spec.custom_domains]:
        if (host.endswith(base) or host == base[1:]) and host not in own:
            raise NotRenderable(
                Reason.HOST_RESERVED,
                f"the host {host} is reserved: names below {base[1:]} are given out by the "
                f"platform, so choose one outside of it",
            )


def _annotations(project: Project) -> dict[str, str]:
    own = project.spec.ingress.annotations
    check_annotations(own, project.platform)
    return {**project.platform.ingress_annotations, **own}


def check_annotations(annotations: Mapping[str, str], platform: Platform) -> None:
    """Annotations can be code for a controller; raises NotRenderable for one not allowed."""
    for key in annotations:
        if not any(_matches(key, pattern) for pattern in platform.allowed_annotations):
            raise NotRenderable(
                Reason.ANNOTATION_REFUSED,
                f"the annotation {key} is not on the platform's allow-list: remove it, or ask "
                f"the platform's administrator to allow it",
            )


def _matches(key: str, pattern: str) -> bool:
    return key.startswith(pattern[:-1]) if pattern.endswith("*") else key == pattern


def _ingress(project: Project, annotations: dict[str, str]) -> Iterator[Manifest]:
    hosts = list(urls.public_hosts(project.spec, project.ref, project.platform))
    backend = {"service": {"name": _GATEWAY, "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec: Manifest = {"rules": [{"host": h, "http": {"paths": [path]}} for h in hosts]}
    class_name = project.spec.ingress.class_name or project.platform.ingress_class
    if class_name:
        spec["ingressClassName"] = class_name
    annotations = {**controllers.unhurried(class_name), **annotations}
    tls = project.spec.ingress.tls
    issuer = _issuer(project, tls)
    if issuer:
        annotations |= {_ISSUER_ANNOTATION[issuer.kind]: issuer.name}
    if issuer:
        spec["tls"] = list(_signed(project, hosts))
    elif _is_https(project, tls):
        given = {"secretName": TLS_SECRET} if tls and tls.secret_name else {}
        spec["tls"] = [{"hosts": hosts} | given]
    yield from _certificate(project, tls)
    yield objects.manifest(
        "networking.k8s.io/v1",
        "Ingress",
        _GATEWAY,
        project.ref,
        component=_GATEWAY,
        annotations=annotations,
        spec=spec,
    )


def _is_https(project: Project, tls: Tls | None) -> bool:
    return project.platform.url_scheme == "https" if tls is None else tls.enabled


def _issuer(project: Project, tls: Tls | None) -> IssuerRef | None:
    if not _is_https(project, tls) or (tls and tls.secret_name):
        return None
    return (tls.issuer_ref if tls else None) or project.platform.tls_issuer


def _signed(project: Project, hosts: list[str]) -> Iterator[Manifest]:
    """A certificate for the platform's names, and one for each other host: a certificate is issued
    only when all of its names are proved, and a custom domain may not point here yet."""
    base = f".{project.platform.domain_base}"
    ours = [host for host in hosts if host.endswith(base)]
    yield {"hosts": ours, "secretName": TLS_SECRET}
    for host in hosts:
        if host not in ours:
            suffix = hashlib.sha256(host.encode()).hexdigest()[:10]
            yield {"hosts": [host], "secretName": f"{TLS_SECRET}-{suffix}"}


def _certificate(project: Project, tls: Tls | None) -> Iterator[Manifest]:
    """The user's certificate, copied: an Ingress reads Secrets of its own namespace only."""
    if tls is None or not tls.enabled or not tls.secret_name:
        return
    values = {key: project.user_secret(tls.secret_name, key) for key in ("tls.crt", "tls.key")}
    yield objects.secret(
        TLS_SECRET, project.ref, values, component=_GATEWAY, type_="kubernetes.io/tls"
    )


def _http_route(project: Project, annotations: dict[str, str]) -> Manifest:
    parents = project.spec.ingress.parent_refs or list(project.platform.ingress_parent_refs)
    if not parents:
        raise NotRenderable(
            Reason.SPEC_INVALID,
            "an HTTPRoute needs a Gateway to attach to: set ingress.parentRefs",
        )
    tls = project.spec.ingress.tls
    if tls and (tls.secret_name or tls.issuer_ref):
        raise NotRenderable(
            Reason.NOT_SUPPORTED,
            "the certificate of an HTTPRoute belongs to its Gateway: remove "
            "ingress.tls.secretName and ingress.tls.issuerRef",
        )
    refs = [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
        | p.model_dump(by_alias=True, exclude_none=True)
        for p in parents
    ]
    backend = {"group": "", "kind": "Service", "name": _GATEWAY, "port": GATEWAY_PORT, "weight": 1}
    rule = {
        "backendRefs": [backend],
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        # routes have timeouts of their own in the gateway; 0s: none here
        "timeouts": {"request": "0s"},
    }
    hosts = list(urls.public_hosts(project.spec, project.ref, project.platform))
    return objects.manifest(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        _GATEWAY,
        project.ref,
        component=_GATEWAY,
        annotations=annotations,
        spec={"parentRefs": refs, "hostnames": hosts, "rules": [rule]},
    )
