"""Which program is the one way in, and what does its pod depend on?

Its whole configuration is rendered here and lies in the component's Secret, for it holds the keys.
Envoy takes another one in while it runs, all but what it is started with; Kong is started anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from supaplane_contract.spec import ComponentName, GatewayKind
from supaplane_operator.render import envoy, kong
from supaplane_operator.render.context import GATEWAY_PORT, Project
from supaplane_operator.render.gateway import CREDENTIALS, live_inputs
from supaplane_operator.render.part import Part, Pod

PODS: Final[Mapping[GatewayKind, Callable[[Project], Pod]]] = MappingProxyType(
    {GatewayKind.ENVOY: envoy.pod, GatewayKind.KONG: kong.pod}
)
INPUTS: Final[Mapping[GatewayKind, Callable[[Project], Mapping[str, Any]]]] = MappingProxyType(
    {GatewayKind.ENVOY: envoy.inputs, GatewayKind.KONG: kong.inputs}
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
    return PODS[project.spec.gateway.kind](project)


def inputs(project: Project) -> Mapping[str, Any]:
    return INPUTS[project.spec.gateway.kind](project)


PART = Part(
    name=ComponentName.GATEWAY,
    pod=pod,
    ports={"http": GATEWAY_PORT},
    calls=CALLED,
    live_credentials=CREDENTIALS,
    inputs=inputs,
    live_inputs=live_inputs,
    for_the_api=True,
    public=True,
)
