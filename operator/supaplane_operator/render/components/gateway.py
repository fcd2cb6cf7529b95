"""Which program is the one way in, and what does its pod depend on?

Its whole configuration is rendered here and lies in the component's Secret, for it holds the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from supaplane_contract.spec import ComponentName, GatewayKind
from supaplane_operator.render import envoy, kong
from supaplane_operator.render.context import GATEWAY_PORT, Project
from supaplane_operator.render.gateway import own_origins, trusted_hops
from supaplane_operator.render.part import Part, Pod

PROGRAMS: Final[Mapping[GatewayKind, Callable[[Project], Pod]]] = MappingProxyType(
    {GatewayKind.ENVOY: envoy.pod, GatewayKind.KONG: kong.pod}
)

CALLED: Final = frozenset(
    {
        ComponentName.AUTH,
        ComponentName.REST,
        ComponentName.REALTIME,
        ComponentName.STORAGE,
        ComponentName.META,
        ComponentName.FUNCTIONS,
        ComponentName.STUDIO,
    }
)
"""Components that have routes."""


def pod(project: Project) -> Pod:
    return PROGRAMS[project.spec.gateway.kind](project)


def inputs(project: Project) -> Mapping[str, Any]:
    return {
        "components": sorted(project.enabled & CALLED),
        "origins": own_origins(project),
        "trustedHops": trusted_hops(project),
    }


PART = Part(
    name=ComponentName.GATEWAY,
    pod=pod,
    ports={"http": GATEWAY_PORT},
    calls=CALLED,
    credentials=(
        "anon-key",
        "anon-key-asymmetric",
        "dashboard-password",
        "dashboard-username",
        "publishable-key",
        "secret-key",
        "service-role-key",
        "service-role-key-asymmetric",
    ),
    inputs=inputs,
    for_the_api=True,
    public=True,
)
