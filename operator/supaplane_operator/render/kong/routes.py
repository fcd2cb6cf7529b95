"""How does a row of the table become routes of Kong?

The router is `traditional_compatible`. Every path is a regular expression, whose
`regex_priority` puts the rows in their order. But a route that also looks at a header comes before
every route that does not, so each row has one of either kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from supaplane_operator.render.gateway import GatewayConfig, Key, Upstream
from supaplane_operator.render.part import Access, Route

from . import plugins

CONNECT_MILLISECONDS: Final = 5000
SHORTEST_PATIENCE: Final = 60
"""Seconds, as Kong has it by itself: sockets are quiet for half a minute between two heartbeats."""
LONGEST_PATIENCE: Final = 300
"""Seconds, where a row has no limit."""
BEARER_KEY: Final = "~*^bearer +sb_"
"""A key of the new kind as a bearer token; Kong compares headers in lower case."""

_SPECIAL: Final = re.compile(r"[.+*?()|\[\]{}^$\\]")
_SECONDS: Final = re.compile(r"([0-9]+)s")


def service(upstream: Upstream, route: Route, own: list[dict[str, Any]]) -> dict[str, Any]:
    """Where a row leads, with its routes."""
    entity: dict[str, Any] = {
        "name": _name(route),
        "protocol": "http",
        "host": upstream.host,
        "port": upstream.port,
    }
    if route.rewrite is not None:
        entity["path"] = route.rewrite
    return entity | {
        "connect_timeout": CONNECT_MILLISECONDS,
        "read_timeout": _patience(route),
        "write_timeout": _patience(route),
        # it would ask again where an answer failed to come, and links from mails work but once
        "retries": 0,
        "routes": own,
    }


def of_row(
    config: GatewayConfig, keys: Sequence[Key], route: Route, rank: int
) -> list[dict[str, Any]]:
    """The routes of a row: for requests with a bearer token that is a key, and for all others."""
    return [
        _route(
            _name(route),
            _pattern(route),
            rank,
            plugins.of_route(config, keys, route, bearer=bearer),
            bearer=bearer,
            strip_path=route.rewrite is not None,
        )
        for bearer in (False, True)
    ]


def encoded_slash(rank: int) -> list[dict[str, Any]]:
    """What is decoded twice can be two different paths."""
    refusal = [plugins.ending(400, "A slash in a path must not be encoded")]
    return [
        _route("encoded-slash", "~/.*(?:%2F|%2f)", rank, refusal, bearer=bearer, strip_path=False)
        for bearer in (False, True)
    ]


def ends_here(route: Route) -> bool:
    """Whether the gateway answers by itself."""
    return route.access in (Access.DENIED, Access.ABSENT)


def _route(
    name: str,
    pattern: str,
    rank: int,
    own_plugins: list[dict[str, Any]],
    *,
    bearer: bool,
    strip_path: bool,
) -> dict[str, Any]:
    return {
        "name": f"{name}-bearer" if bearer else name,
        "paths": [pattern],
        **({"headers": {"authorization": [BEARER_KEY]}} if bearer else {}),
        "regex_priority": rank,
        "strip_path": strip_path,
        "preserve_host": True,
        # bodies of any size go through as they come
        "request_buffering": False,
        "response_buffering": False,
        "plugins": own_plugins,
    }


def _pattern(route: Route) -> str:
    """A prefix ends at a slash: `/auth/v1/verify` must not open `/auth/v1/verify-something`."""
    path = _SPECIAL.sub(r"\\\g<0>", route.path)
    if route.exact:
        return f"~{path}$"
    if route.prefix_header is not None and route.path == f"{route.prefix_header}/":
        # what is matched is also what Kong says in X-Forwarded-Prefix
        return f"~{path.removesuffix('/')}"
    return f"~{path}" if path.endswith("/") else f"~{path}(?:/|$)"


def _name(route: Route) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", route.path).strip("-") or "everything-else"
    if route.exact:
        name += "-exactly"
    return f"no-{name}" if route.access is Access.ABSENT else name


def _patience(route: Route) -> int:
    """Milliseconds. Kong counts from one byte to the next, and has no limit for the whole."""
    seconds = _seconds(route.idle_timeout or route.timeout) or LONGEST_PATIENCE
    return 1000 * max(SHORTEST_PATIENCE, seconds)


def _seconds(text: str) -> int:
    found = _SECONDS.fullmatch(text)
    assert found, f"{text} is not in whole seconds"
    return int(found[1])
