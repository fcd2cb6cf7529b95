"""What does Envoy take in while it runs? Routes, which hold the keys, and what they lead to.

Files with a DiscoveryResponse each, as Envoy's v3 API has them in JSON
(https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto). One that
Envoy refuses changes nothing: it goes on with what it had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from supaplane_operator.render.gateway import GatewayConfig, Upstream

from . import routes
from .config import BUFFER_BYTES, CLUSTERS, ROUTE_CONFIG, ROUTES

_TYPE: Final = "type.googleapis.com/envoy."


def files(config: GatewayConfig) -> dict[str, Mapping[str, Any]]:
    """What each file holds, by its name."""
    return {
        CLUSTERS: _resources("cluster.v3.Cluster", map(_cluster, config.upstreams)),
        ROUTES: _resources("route.v3.RouteConfiguration", [_routes(config)]),
    }


def _resources(kind: str, found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"resources": [{"@type": f"{_TYPE}config.{kind}", **one} for one in found]}


def _routes(config: GatewayConfig) -> dict[str, Any]:
    return {
        "name": ROUTE_CONFIG,
        "virtual_hosts": [routes.virtual_host(config)],
        # the response says which proxy it came through to nobody
        "response_headers_to_remove": ["x-envoy-upstream-service-time"],
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
