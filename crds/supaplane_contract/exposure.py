"""How is a project reached from outside the cluster: ingress, certificates, load balancers?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .fields import SET, Annotations, Cidr, Flag, Model, ObjectName, Rule


class IssuerKind(StrEnum):
    """Kinds of cert-manager issuers."""

    ISSUER = "Issuer"
    CLUSTER_ISSUER = "ClusterIssuer"


class IssuerRef(Model):
    """A cert-manager issuer."""

    name: ObjectName
    """Name of the issuer."""
    kind: IssuerKind = IssuerKind.CLUSTER_ISSUER
    """ClusterIssuer, or Issuer for one in the project's own namespace."""


class Tls(Model):
    """Where the certificate of the public hosts comes from."""

    RULES = (
        Rule(
            "!self.enabled || has(self.secretName) != has(self.issuerRef)",
            "with tls.enabled name exactly one origin of the certificate: secretName or issuerRef",
        ),
    )

    enabled: Flag = False
    """Whether public URLs are https."""
    secret_name: ObjectName | None = None
    """A Secret of type kubernetes.io/tls in the SupabaseProject's own namespace, for all hosts."""
    issuer_ref: IssuerRef | None = None
    """A cert-manager issuer that signs the certificate and renews it."""


class IngressKind(StrEnum):
    """Which Kubernetes API carries the public routes."""

    INGRESS = "Ingress"
    HTTP_ROUTE = "HTTPRoute"
    NONE = "None"


class ParentRef(Model):
    """The Gateway that an HTTPRoute attaches to."""

    name: ObjectName
    """Name of the Gateway."""
    namespace: ObjectName | None = None
    """Namespace of the Gateway. Absent: the project's own namespace."""
    section_name: ObjectName | None = None
    """Listener of the Gateway. Absent: every listener that fits."""


class Ingress(Model):
    """How the project is reached from outside the cluster."""

    RULES = (
        Rule(
            "!has(self.kind) || self.kind == 'HTTPRoute' || !has(self.parentRefs)"
            " || size(self.parentRefs) == 0",
            "parentRefs attach an HTTPRoute: set kind: HTTPRoute, or remove parentRefs",
        ),
        Rule(
            "!has(self.kind) || self.kind == 'Ingress' || !has(self.className)",
            "className chooses an IngressClass: set kind: Ingress, or remove className",
        ),
    )

    kind: IngressKind | None = None
    """Which API carries the public routes: Ingress, HTTPRoute (Gateway API), or None for a project
    that is reached inside the cluster only. Absent: as the platform has it."""
    class_name: ObjectName | None = None
    """IngressClass, with kind Ingress. Absent: as the platform has it."""
    annotations: Annotations = {}
    """Annotations for the ingress controller. Their keys must be on the platform's allow-list,
    because some controllers execute what annotations say."""
    tls: Tls | None = None
    """Certificates. Absent: as the platform has it."""
    parent_refs: Annotated[list[ParentRef], Field(max_length=4)] = []
    """Gateways that an HTTPRoute attaches to. Empty: as the platform has it."""


class ExternalAccess(Model):
    """A load balancer of its own in front of a component, for protocols that are not HTTP."""

    enabled: Flag = False
    """Whether a Service of type LoadBalancer is made."""
    allowed_cidrs: Annotated[list[Cidr], Field(max_length=64, json_schema_extra=SET)] = []
    """Source ranges that may connect, as in 203.0.113.0/24. Empty: none."""
    annotations: Annotations = {}
    """Annotations of that Service. Their keys must be on the platform's allow-list."""
