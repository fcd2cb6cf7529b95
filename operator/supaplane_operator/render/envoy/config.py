"""What is Envoy started with? All that stays as it is for as long as it runs, and no key.

Dicts in the JSON form of Envoy's v3 API (https://www.envoyproxy.io/docs/envoy/latest/api-v3/api).
It fails closed: a route that says nothing needs a sign-in *and* a key *and* a role.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from . import filters

PUBLIC_PORT: Final = 8000
HEALTH_PORT: Final = 8001
HEALTH_PATH: Final = "/ready"
MOST_CONNECTIONS: Final = 20_000
"""Of clients, per pod; what comes after is turned away before it takes memory."""
BUFFER_BYTES: Final = 32 * 1024
FOLDER: Final = "/etc/supaplane"
"""Where the files are mounted. The kubelet replaces them all at once, by a rename in there."""
ROUTES: Final = "rds.json"
CLUSTERS: Final = "cds.json"
ROUTE_CONFIG: Final = "public"

_TYPE: Final = "type.googleapis.com/envoy."
_HTTP: Final = f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

# Combined format, as log tools read it. Without the query, which may hold a key or a token.
_LOG_LINE: Final = (
    '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% - - [%START_TIME(%d/%b/%Y:%H:%M:%S %z)%] "'
    '%REQ(:METHOD)% %PATH(NQ:ORIG_OR_PATH)% %PROTOCOL%" %RESPONSE_CODE% %BYTES_SENT% "-" '
    '"%REQ(USER-AGENT)%"\n'
)


def bootstrap(trusted_hops: int) -> dict[str, Any]:
    """The file that Envoy is started with. No admin interface: it would show every key."""
    return {
        # Envoy takes no dynamic configuration without; nobody is told
        "node": {"id": "gateway", "cluster": "project"},
        "static_resources": {"listeners": [_public(trusted_hops), _health()]},
        "dynamic_resources": {"cds_config": _file(CLUSTERS)},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{_TYPE}extensions.resource_monitors.downstream_connections"
                        ".v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": MOST_CONNECTIONS,
                    },
                }
            ]
        },
    }


def _file(name: str) -> dict[str, Any]:
    """A file that is read again when the kubelet has renamed something beside it
    (https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/config_source.proto)."""
    source = {"path": f"{FOLDER}/{name}", "watched_directory": {"path": FOLDER}}
    return {"path_config_source": source, "resource_api_version": "V3"}


def _listener(name: str, port: int, manager: Mapping[str, Any]) -> dict[str, Any]:
    typed = {"@type": _HTTP, "stat_prefix": name, **manager}
    network_filter = {"name": "envoy.filters.network.http_connection_manager"}
    return {
        "name": name,
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [{"filters": [network_filter | {"typed_config": typed}]}],
    }


def _public(trusted_hops: int) -> dict[str, Any]:
    return _listener(
        "public",
        PUBLIC_PORT,
        {
            "use_remote_address": True,
            "xff_num_trusted_hops": trusted_hops,
            "normalize_path": True,
            "merge_slashes": True,
            # what is decoded twice can be two different paths
            "path_with_escaped_slashes_action": "REJECT_REQUEST",
            "common_http_protocol_options": {
                "headers_with_underscores_action": "REJECT_REQUEST",
                "max_headers_count": 200,
            },
            # sessions in cookies are large
            "max_request_headers_kb": 96,
            "request_headers_timeout": "15s",
            "upgrade_configs": [{"upgrade_type": "websocket"}],
            "access_log": [_access_log()],
            "local_reply_config": _local_replies(),
            # other routes leave connections as they are; another listener would end them
            "rds": {"route_config_name": ROUTE_CONFIG, "config_source": _file(ROUTES)},
            "http_filters": filters.chain(),
        },
    )


def _health() -> dict[str, Any]:
    """For the kubelet; in no Service. Unlike a TCP connect it shows that a worker answers."""
    route = {
        "match": {"path": HEALTH_PATH},
        "direct_response": {"status": 200, "body": {"inline_string": "ready\n"}},
    }
    host = {"name": "health", "domains": ["*"], "routes": [route]}
    manager = {
        "route_config": {"name": "health", "virtual_hosts": [host]},
        "http_filters": [filters.ROUTER],
    }
    return _listener("health", HEALTH_PORT, manager)


def _access_log() -> dict[str, Any]:
    return {
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": f"{_TYPE}extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"text_format_source": {"inline_string": _LOG_LINE}},
        },
    }


def _local_replies() -> dict[str, Any]:
    """What the gateway itself answers, as clients of Supabase expect it: JSON with a message."""

    def when(status: int, message: str) -> dict[str, Any]:
        value = {"default_value": status, "runtime_key": f"gateway.status.{status}"}
        condition = {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}
        return {"filter": condition, "body": {"inline_string": message}}

    return {
        "mappers": [
            when(503, "The service is not available at the moment"),
            when(504, "The service did not answer in time"),
        ],
        "body_format": {"json_format": {"message": "%LOCAL_REPLY_BODY%"}},
    }
