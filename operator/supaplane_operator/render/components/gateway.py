"""How does Envoy run, the one way in?

Its whole configuration is rendered here and lies in the component's Secret, for it holds the keys.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from supaplane_contract import quantities, shares
from supaplane_contract.spec import ComponentName, IngressKind
from supaplane_contract.status import Reason
from supaplane_operator.render import envoy, objects, urls
from supaplane_operator.render.context import GATEWAY_PORT, Project
from supaplane_operator.render.model import NotRenderable
from supaplane_operator.render.part import Part, Pod
from supaplane_operator.render.workload import RESTRICTED

USER: Final = 101
"""`envoy` in the image."""
CONFIG: Final = "envoy.json"
FOLDER: Final = "/etc/supaplane"


def pod(project: Project) -> Pod:
    health = (envoy.config.HEALTH_PATH, envoy.config.HEALTH_PORT)
    return Pod(
        container={
            "command": ["envoy"],
            "args": [
                "--config-path",
                f"{FOLDER}/{CONFIG}",
                # by default a thread for every core of the node, each with buffers of its own
                "--concurrency",
                str(_threads(project)),
                "--disable-hot-restart",
                "--log-level",
                "warning",
            ],
            "securityContext": RESTRICTED | {"readOnlyRootFilesystem": True},
            "startupProbe": objects.http_probe(
                *health, periodSeconds=1, timeoutSeconds=2, failureThreshold=60
            ),
            "readinessProbe": objects.http_probe(*health, periodSeconds=5, timeoutSeconds=3),
            "livenessProbe": objects.http_probe(
                *health, periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
            # Envoy ends at once when told to; until then others stop sending to it
            "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
            "volumeMounts": [{"name": "config", "mountPath": FOLDER, "readOnly": True}],
        },
        secret_files={CONFIG: _text(envoy.bootstrap(configuration(project)))},
        spec={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [
                {
                    "name": "config",
                    "secret": {
                        "secretName": ComponentName.GATEWAY.value,
                        "defaultMode": 0o440,
                        "items": [{"key": CONFIG, "path": CONFIG}],
                    },
                }
            ],
        },
    )


def _text(config: Mapping[str, Any]) -> str:
    return orjson.dumps(config, option=orjson.OPT_INDENT_2).decode()


def configuration(project: Project) -> envoy.GatewayConfig:
    """What the gateway has to know of a project."""
    routed = sorted({(name, port) for name, port, _ in project.routes})
    url = urlsplit(project.public_url)
    return envoy.GatewayConfig(
        upstreams=tuple(envoy.Upstream(n.value, project.host(n), port) for n, port in routed),
        routes=tuple((name.value, route) for name, _, route in project.routes),
        keys=_keys(project),
        dashboard_user=_user_name(project),
        dashboard_password=project.credential("dashboard-password"),
        own_origins=_own_origins(project),
        public_port=url.port or (443 if url.scheme == "https" else 80),
        trusted_hops=_trusted_hops(project),
    )


def _keys(project: Project) -> envoy.Keys:
    anon, service = project.credential("anon-key"), project.credential("service-role-key")
    new_anon = project.credential("anon-key-asymmetric")
    new_service = project.credential("service-role-key-asymmetric")
    return envoy.Keys(
        tokens={
            anon: anon,
            service: service,
            project.credential("publishable-key"): new_anon,
            project.credential("secret-key"): new_service,
        },
        any_role=(anon, new_anon, service, new_service),
        service_role=(service, new_service),
    )


def _user_name(project: Project) -> str:
    name = project.credential("dashboard-username")
    if not name or ":" in name or not name.isprintable():
        raise NotRenderable(
            Reason.SPEC_INVALID,
            "dashboard-username in the credentials Secret must be printable and without a colon",
        )
    return name


def _own_origins(project: Project) -> tuple[str, ...]:
    hosts = urls.public_hosts(project.spec, project.ref, project.platform)
    return tuple(urls.public_url(project.spec, project.platform, host) for host in hosts)


def _trusted_hops(project: Project) -> int:
    kind = project.spec.ingress.kind or project.platform.ingress_kind
    return 0 if kind is IngressKind.NONE else 1


def _threads(project: Project) -> int:
    limit = shares.share(project.spec, ComponentName.GATEWAY).limits.cpu
    return max(1, math.ceil(quantities.parse(limit)))


def inputs(project: Project) -> Mapping[str, Any]:
    return {
        "components": sorted(project.enabled),
        "origins": _own_origins(project),
        "trustedHops": _trusted_hops(project),
    }


PART = Part(
    name=ComponentName.GATEWAY,
    pod=pod,
    ports={"http": GATEWAY_PORT},
    calls=frozenset(
        {
            ComponentName.AUTH,
            ComponentName.REST,
            ComponentName.REALTIME,
            ComponentName.STORAGE,
            ComponentName.META,
            ComponentName.FUNCTIONS,
            ComponentName.STUDIO,
        }
    ),
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
    ignores=frozenset({"kind"}),
    for_the_api=True,
    public=True,
)
