"""What goes into the renderer and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from supaplane_contract.spec import (
    ComponentName,
    IngressKind,
    IssuerRef,
    ParentRef,
    ProjectSpec,
)
from supaplane_contract.status import Endpoints, Reason
from supaplane_operator.releases import Release

Manifest = dict[str, Any]

ALL_KEYS = "*"
"""In `referenced_secrets`: every key of that Secret."""


class NotRenderable(Exception):
    """The release or the platform cannot give what the spec asks for; waiting does not help."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Platform:
    """What holds for every project of this operator."""

    domain_base: str
    """The domain below which each project gets its hosts."""
    url_scheme: str = "https"
    """http or https, in public URLs."""
    url_port: int | None = None
    """Port in public URLs; None for the scheme's own."""
    cluster_domain: str = "cluster.local"
    """DNS suffix of the cluster."""
    ingress_kind: IngressKind = IngressKind.NONE
    """What carries the public routes unless the spec says otherwise."""
    ingress_class: str | None = None
    """IngressClass unless the spec says otherwise."""
    ingress_annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of every Ingress or HTTPRoute."""
    ingress_parent_refs: tuple[ParentRef, ...] = ()
    """Gateways that an HTTPRoute attaches to unless the spec says otherwise."""
    ingress_namespaces: tuple[str, ...] = ()
    """Namespaces whose pods may reach a project's gateway; empty: every namespace."""
    tls_issuer: IssuerRef | None = None
    """cert-manager issuer for public hosts unless the spec says otherwise."""
    allowed_annotations: tuple[str, ...] = ()
    """Keys of annotations that a spec may set; a trailing `*` stands for any rest."""
    storage_class: str | None = None
    """StorageClass of volumes unless the spec says otherwise; None: the cluster's default."""
    dns_targets: tuple[str, ...] = ()
    """What public hosts point to; empty: what each Ingress or load balancer says of itself."""
    external_dns_prefix: str | None = None
    """Prefix of the annotations that external-dns reads; None: it is told nothing."""
    external_dns_ttl: int | None = None
    """Seconds that external-dns lets records be kept; None: as it likes."""
    dns_namespace: str = "kube-system"
    """Namespace of the cluster's DNS server, which every pod may ask."""
    dns_cidrs: tuple[str, ...] = ("169.254.20.10/32",)
    """Addresses of DNS servers on the nodes; the default is that of NodeLocal DNSCache."""
    egress_except: tuple[str, ...] = (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
    )
    """Ranges that are not the internet: what may reach the internet may not reach these."""
    api_namespace: str | None = None
    """Namespace of Supaplane's own API, which may reach gateways and postgres-meta."""
    log_namespace: str | None = None
    """Namespace of the log shipper, which may reach the analytics of every project."""
    log_key: str | None = field(default=None, repr=False)
    """What the tokens follow from with which it writes there; None: no shipper, minted tokens."""
    image_pull_secrets: tuple[str, ...] = ()
    """Names of pull Secrets that exist in every project namespace."""


@dataclass(frozen=True)
class RenderInput:
    """One project, complete: the same input always gives the same objects."""

    name: str
    """Name of the SupabaseProject."""
    namespace: str
    """Namespace of the SupabaseProject, not that of its stack."""
    ref: str
    spec: ProjectSpec
    release: Release
    credentials: Mapping[str, str] = field(repr=False)
    """The master Secret's data as text: `supaplane_contract.credentials.KEYS`."""
    platform: Platform
    secrets: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)
    """The user's own Secrets, (name, key) -> value: what `referenced_secrets` named."""
    restarts: Mapping[ComponentName, str] = field(default_factory=dict)
    """Id of the last restart asked for, by component."""


@dataclass(frozen=True)
class RenderedComponent:
    """What to watch of one component."""

    name: ComponentName
    image: str
    workload: tuple[str, str] | None
    """Kind and name of its Deployment or StatefulSet."""
    desired: int
    """Pods that should be ready; with autoscaling the fewest."""
    jobs: tuple[tuple[str, str], ...] = ()
    """Jobs that must have ended well before it is of use: the name of each, and what its pods say
    they belong to."""


@dataclass(frozen=True)
class Rendered:
    """Everything that a project should have in its namespace, in the order to apply it."""

    manifests: tuple[Manifest, ...]
    components: tuple[RenderedComponent, ...]
    endpoints: Endpoints
