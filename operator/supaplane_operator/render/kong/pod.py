"""How does Kong run, and for what must it be started anew?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import orjson

from supaplane_contract import quantities, shares
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import objects
from supaplane_operator.render.context import GATEWAY_PORT, Project
from supaplane_operator.render.gateway import (
    CREDENTIALS,
    GatewayConfig,
    configuration,
    live_inputs,
    trusted_hops,
)
from supaplane_operator.render.part import Pod
from supaplane_operator.render.workload import RESTRICTED

from . import plugins
from .config import declarative

USER: Final = 1000
"""`kong` in the image."""
STATUS_PORT: Final = 8100
CONFIG: Final = "kong.json"
FOLDER: Final = "/etc/supaplane"
PREFIX: Final = "/kong_prefix"
"""Where Kong writes what it makes of its settings."""
WORKER_BYTES: Final = 192 * 1024 * 1024
"""What a worker needs under load, its share of the caches included."""

# Combined format, as log tools read it. Without the query, which may hold a key or a token.
_LOG_LINE: Final = (
    '$remote_addr - - [$time_local] "$request_method $uri $server_protocol" '
    '$status $body_bytes_sent "-" "$http_user_agent"'
)


def inputs(project: Project) -> Mapping[str, Any]:
    """All of its configuration: without its admin interface Kong reads that at its start only."""
    return {
        **live_inputs(project),
        "trustedHops": trusted_hops(project),
        "credentials": {key: project.credential(key) for key in CREDENTIALS},
    }


def pod(project: Project) -> Pod:
    config = configuration(project)
    return Pod(
        container={
            # behind the image's own entrypoint, which prepares the prefix
            "args": ["kong", "docker-start"],
            "securityContext": RESTRICTED | {"readOnlyRootFilesystem": True},
            "startupProbe": objects.http_probe(
                "/status/ready", STATUS_PORT, periodSeconds=1, timeoutSeconds=2, failureThreshold=60
            ),
            "readinessProbe": objects.http_probe(
                "/status/ready", STATUS_PORT, periodSeconds=5, timeoutSeconds=3
            ),
            "livenessProbe": objects.http_probe(
                "/status", STATUS_PORT, periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
            # others stop sending to it before it stops listening
            "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
            "volumeMounts": [
                {"name": "config", "mountPath": FOLDER, "readOnly": True},
                {"name": "prefix", "mountPath": PREFIX},
                {"name": "tmp", "mountPath": "/tmp"},
            ],
        },
        env=_settings(project, config),
        secret_files={CONFIG: orjson.dumps(declarative(config)).decode()},
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
                },
                {"name": "prefix", "emptyDir": {"sizeLimit": "1Gi"}},
                {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            ],
        },
    )


def _settings(project: Project, config: GatewayConfig) -> dict[str, str]:
    """https://developer.konghq.com/gateway/configuration/"""
    settings = {
        "DATABASE": "off",
        "DECLARATIVE_CONFIG": f"{FOLDER}/{CONFIG}",
        "PREFIX": PREFIX,
        "ROUTER_FLAVOR": "traditional_compatible",
        "PLUGINS": ",".join(plugins.USED),
        "PROXY_LISTEN": f"0.0.0.0:{GATEWAY_PORT} reuseport backlog=16384",
        # they would show every key, and take new ones
        "ADMIN_LISTEN": "off",
        "ADMIN_GUI_LISTEN": "off",
        "STATUS_LISTEN": f"0.0.0.0:{STATUS_PORT}",
        "ANONYMOUS_REPORTS": "off",
        # by default one for every core of the node
        "NGINX_WORKER_PROCESSES": str(_workers(project)),
        # there are two; by default they may grow to most of the memory limit of small sizes
        "MEM_CACHE_SIZE": "32m",
        # what people see in X-Forwarded-Port
        "PORT_MAPS": f"{config.public_port}:{GATEWAY_PORT}",
        # SRV is looked up first by default, and no Service has such a record by its own name
        "DNS_ORDER": "LAST,A,CNAME",
        "DNS_NOT_FOUND_TTL": "1",
        "DNS_VALID_TTL": "5",
        # which proxy an answer came through is said to nobody
        "HEADERS": "off",
        "NGINX_HTTP_LOG_FORMAT": f"supaplane '{_LOG_LINE}'",
        "PROXY_ACCESS_LOG": "/dev/stdout supaplane",
        # nginx writes whole requests into errors of lesser weight, with keys in the query
        "LOG_LEVEL": "crit",
        # plugins that touch a query write it anew, and would leave out what is beyond
        "LUA_MAX_URI_ARGS": "1000",
        "LUA_MAX_REQ_HEADERS": "1000",
        # sessions in cookies are large
        "NGINX_HTTP_LARGE_CLIENT_HEADER_BUFFERS": "4 96k",
        "NGINX_PROXY_PROXY_BUFFER_SIZE": "160k",
        "NGINX_PROXY_PROXY_BUFFERS": "8 160k",
    }
    if config.trusted_hops:
        # the proxy in front says who asked, and the last address is the one that it saw itself
        settings |= {
            "TRUSTED_IPS": "0.0.0.0/0,::/0",
            "REAL_IP_HEADER": "X-Forwarded-For",
            "REAL_IP_RECURSIVE": "off",
        }
    return {f"KONG_{name}": value for name, value in settings.items()}


def _workers(project: Project) -> int:
    """As many as the CPU limit keeps busy and the memory limit has room for."""
    limits = shares.share(project.spec, ComponentName.GATEWAY).limits
    by_memory = quantities.parse(limits.memory) // WORKER_BYTES
    return max(1, min(math.ceil(quantities.parse(limits.cpu)), int(by_memory)))
