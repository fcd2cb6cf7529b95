"""What does Envoy's whole configuration look like for one project?

Dicts in the JSON form of Envoy's v3 API (https://www.envoyproxy.io/docs/envoy/latest/api-v3/api).
It fails closed: a route that says nothing needs a sign-in *and* a key *and* a role.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from supaplane_operator.render.gateway import GatewayConfig, Upstream

from . import filters, routes

PUBLIC_PORT: Final = 8000
HEALTH_PORT: Final = 8001
HEALTH_PATH: Final = "/ready"
MOST_CONNECTIONS: Final = 20_000
"""Of clients, per pod; what comes after is turned away before it takes memory."""
BUFFER_BYTES: Final = 32 * 1024

_TYPE: Final = "type.googleapis.com/envoy."
_HTTP: Final = f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

# Combined format, as log tools read it. Without the query, which may hold a key or a token.
_LOG_LINE: Final = (
    '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% - - [%START_TIME(%d/%b/%Y:%H:%M:%S %z)%] "'
    '%REQ(:METHOD)% %PATH(NQ:ORIG_OR_PATH)% %PROTOCOL%" %RESPONSE_CODE% %BYTES_SENT% "-" '
    '"%REQ(USER-AGENT)%"\n'
)


def bootstrap(config: GatewayConfig) -> dict[str, Any]:
    """The configuration file. No admin interface: it would show every key."""
    return {
        "static_resources": {
            "listeners": [_public(config), _health()],
            "clusters": [_cluster(upstream) for upstream in config.upstreams],
        },
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


def _listener(name: str, port: int, manager: Mapping[str, Any]) -> dict[str, Any]:
    typed = {"@type": _HTTP, "stat_prefix": name, **manager}
    network_filter = {"name": "envoy.filters.network.http_connection_manager"}
    return {
        "name": name,
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [{"filters": [network_filter | {"typed_config": typed}]}],
    }


def _public(config: GatewayConfig) -> dict[str, Any]:
    return _listener(
        "public",
        PUBLIC_PORT,
        {
            "use_remote_address": True,
            "xff_num_trusted_hops": config.trusted_hops,
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
            "route_config": {
                "name": "public",
                "virtual_hosts": [routes.virtual_host(config)],
                # the response says which proxy it came through to nobody
                "response_headers_to_remove": ["x-envoy-upstream-service-time"],
            },
            "http_filters": filters.chain(config),
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


def _cluster(upstream: Upstream) -> dict[str, Any]:
    address = {"address": upstream.host, "port_value": upstream.port}
    endpoint = {"endpoint": {"address": {"socket_address": address}}}
    return {
        "name": upstream.name,
        # what used to be called STRICT_DNS: every address that the name has, asked for again
        "cluster_type": {
            "name": "envoy.cluster.dns",
            "typed_config": {
                "@type": f"{_TYPE}extensions.clusters.dns.v3.DnsCluster",
                "dns_lookup_family": "V4_PREFERRED",
                "dns_refresh_rate": "10s",
                "dns_failure_refresh_rate": {"base_interval": "1s", "max_interval": "10s"},
            },
        },
        "connect_timeout": "5s",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "circuit_breakers": {
            "thresholds": [{"max_connections": 8192, "max_requests": 8192, "max_retries": 16}]
        },
        "load_assignment": {
            "cluster_name": upstream.name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
