"""How is a component that does not speak HTTP reached from outside the cluster?"""

from __future__ import annotations

from collections.abc import Mapping

from supaplane_contract.spec import ComponentName, ExternalAccess

from . import objects
from .context import Project
from .ingress import check_annotations
from .model import Manifest


def load_balancer(
    project: Project, component: ComponentName, access: ExternalAccess, ports: Mapping[str, int]
) -> tuple[Manifest, ...]:
    """A Service for the ranges that are named; none unless it is asked for.

    Raises NotRenderable for an annotation that the platform does not allow.
    """
    check_annotations(access.annotations, project.platform)
    # a load balancer without ranges would let everybody in
    if not access.enabled or not access.allowed_cidrs:
        return ()
    service = objects.service(
        f"{component.value}-external",
        project.ref,
        ports,
        component=component.value,
        type="LoadBalancer",
        loadBalancerSourceRanges=list(access.allowed_cidrs),
        # keeps the client's address, which the NetworkPolicy looks at
        externalTrafficPolicy="Local",
    )
    if access.annotations:
        service["metadata"]["annotations"] = dict(sorted(access.annotations.items()))
    return (service,)
