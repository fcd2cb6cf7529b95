"""How does Envoy run, and for what must it be started anew?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import orjson

from supaplane_contract import quantities, shares
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import objects
from supaplane_operator.render.context import Project
from supaplane_operator.render.gateway import configuration, trusted_hops
from supaplane_operator.render.part import Pod
from supaplane_operator.render.workload import RESTRICTED

from . import dynamic
from .config import CLUSTERS, FOLDER, HEALTH_PATH, HEALTH_PORT, ROUTES, bootstrap

USER: Final = 101
"""`envoy` in the image."""
CONFIG: Final = "envoy.json"


def inputs(project: Project) -> Mapping[str, Any]:
    """What Envoy reads at its start only."""
    return {"trustedHops": trusted_hops(project)}


def pod(project: Project) -> Pod:
    health = (HEALTH_PATH, HEALTH_PORT)
    taken_in = dynamic.files(configuration(project))
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
        secret_files={CONFIG: _text(bootstrap(trusted_hops(project)))},
        live_secret_files={name: _text(content) for name, content in taken_in.items()},
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
                        "items": [{"key": k, "path": k} for k in (CONFIG, CLUSTERS, ROUTES)],
                    },
                }
            ],
        },
    )


def _text(config: Mapping[str, Any]) -> str:
    return orjson.dumps(config, option=orjson.OPT_INDENT_2).decode()


def _threads(project: Project) -> int:
    limit = shares.share(project.spec, ComponentName.GATEWAY).limits.cpu
    return max(1, math.ceil(quantities.parse(limit)))
