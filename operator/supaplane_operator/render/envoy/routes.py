"""Where does a request go? The table of routes that the components declare, as Envoy reads it."""

from __future__ import annotations

from typing import Any, Final

from supaplane_operator.render.gateway import (
    FORBIDDEN,
    NOBODY_HERE,
    PREFLIGHT_SECONDS,
    GatewayConfig,
    table,
)
from supaplane_operator.render.part import Access, Route

from . import filters

_CORS: Final = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy"
_METHODS: Final = "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS,TRACE,CONNECT"


def virtual_host(config: GatewayConfig) -> dict[str, Any]:
    """Every host: which one it is called by makes no difference to the gateway."""
    return {
        "name": "project",
        "domains": ["*"],
        "metadata": filters.tokens(config.keys),
        "request_headers_to_add": [
            _header("X-Forwarded-Host", "%REQ(:AUTHORITY)%", "ADD_IF_ABSENT"),
            _header("X-Forwarded-Port", str(config.public_port), "ADD_IF_ABSENT"),
        ],
        "typed_per_filter_config": {filters.CORS: _everybody()},
        "routes": [_route(config, name, route) for name, route in table(config.routes)],
    }


def _route(config: GatewayConfig, upstream: str, route: Route) -> dict[str, Any]:
    if route.access is Access.ABSENT:
        return _not_here(config, route.path)
    common: dict[str, Any] = {
        "match": _match(route.path, exact=route.exact),
        "typed_per_filter_config": _filters(config, route),
    }
    if route.access is Access.DENIED:
        body = {"inline_string": FORBIDDEN}
        return common | {"direct_response": {"status": 403, "body": body}}
    prefix = _header(
        "X-Forwarded-Prefix", route.prefix_header or route.path, "OVERWRITE_IF_EXISTS_OR_ADD"
    )
    set_headers = [
        _header(k, v, "OVERWRITE_IF_EXISTS_OR_ADD") for k, v in sorted(route.headers.items())
    ]
    common["request_headers_to_add"] = [prefix, *set_headers]
    if route.remove_headers:
        common["request_headers_to_remove"] = list(route.remove_headers)
    return common | {"route": _action(upstream, route)}


def _action(upstream: str, route: Route) -> dict[str, Any]:
    action: dict[str, Any] = {
        "cluster": upstream,
        "timeout": route.timeout,
        # only where the request has certainly not arrived
        "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 2},
    }
    if route.rewrite is not None:
        action["prefix_rewrite"] = route.rewrite
    if route.host is not None:
        action["host_rewrite_literal"] = route.host
    if route.idle_timeout is not None:
        action["idle_timeout"] = route.idle_timeout
    return action


def _match(path: str, *, exact: bool) -> dict[str, Any]:
    """A prefix ends at a slash: `/auth/v1/verify` must not open `/auth/v1/verify-something`."""
    if exact:
        return {"path": path}
    return {"prefix": path} if path.endswith("/") else {"path_separated_prefix": path}


def _filters(config: GatewayConfig, route: Route) -> dict[str, Any]:
    chosen = filters.of_route(route.access, config)
    if route.own_origin_only:
        chosen[filters.CORS] = _own_pages(config)
    if route.access is Access.DASHBOARD:
        # pages elsewhere have no business with Studio
        chosen[filters.CORS] = filters.OFF
    return chosen


def _not_here(config: GatewayConfig, path: str) -> dict[str, Any]:
    return {
        "match": _match(path, exact=False),
        "direct_response": {
            "status": 404,
            "body": {"inline_string": NOBODY_HERE},
        },
        "typed_per_filter_config": filters.of_route(Access.OPEN, config),
    }


def _policy(origins: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@type": _CORS,
        "allow_origin_string_match": origins,
        "allow_methods": _METHODS,
        # `*` does not stand for Authorization: https://fetch.spec.whatwg.org/#http-access-control-allow-headers
        "allow_headers": "*, authorization",
        "expose_headers": "*",
        "max_age": str(PREFLIGHT_SECONDS),
    }


def _everybody() -> dict[str, Any]:
    return _policy([{"safe_regex": {"regex": ".*"}}])


def _own_pages(config: GatewayConfig) -> dict[str, Any]:
    localhost = r"https?://(localhost|127\.0\.0\.1)(:[0-9]+)?"
    exact = [{"exact": origin} for origin in config.own_origins]
    return _policy([*exact, {"safe_regex": {"regex": localhost}}])


def _header(name: str, value: str, action: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": action}
