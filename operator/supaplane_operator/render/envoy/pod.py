"""How does Envoy run?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import orjson

from supaplane_contract import quantities, shares
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import objects
from supaplane_operator.render.context import Project
from supaplane_operator.render.gateway import configuration
from supaplane_operator.render.part import Pod
from supaplane_operator.render.workload import RESTRICTED

from .config import HEALTH_PATH, HEALTH_PORT, bootstrap

USER: Final = 101
"""`envoy` in the image."""
CONFIG: Final = "envoy.json"
FOLDER: Final = "/etc/supaplane"


def pod(project: Project) -> Pod:
    health = (HEALTH_PATH, HEALTH_PORT)
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
        secret_files={CONFIG: _text(bootstrap(configuration(project)))},
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


def _threads(project: Project) -> int:
    limit = shares.share(project.spec, ComponentName.GATEWAY).limits.cpu
    return max(1, math.ceil(quantities.parse(limit)))
