"""Which of Kong's plugins does a row of the table need, and what are they told?

Of several that are the same, Kong runs the one with the narrowest scope: a consumer's before a
route's, and one for both before either (https://developer.konghq.com/gateway/entities/plugin/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from supaplane_operator.render.gateway import (
    FORBIDDEN,
    NOBODY_HERE,
    PREFLIGHT_SECONDS,
    GatewayConfig,
    Key,
)
from supaplane_operator.render.part import Access, Route

USED: Final = (
    "acl",
    "basic-auth",
    "cors",
    "key-auth",
    "request-termination",
    "request-transformer",
)
"""Every plugin that is loaded; those that run Lua are not among them."""
ANON: Final = "anon"
ADMIN: Final = "admin"
NOBODY: Final = "nobody"
"""The consumer that a request without a key stands for, where none is needed."""
BESIDE: Final = "sb-api-key"
_QUERY: Final = ("apikey",)
"""What services would take for their own."""

_LOCALHOST: Final = r"^https?://(localhost|127\.0\.0\.1)(:[0-9]+)?$"


def group(key: Key) -> str:
    """The group that the holder of a key belongs to."""
    return ADMIN if key.service else ANON


def of_route(
    config: GatewayConfig, keys: Sequence[Key], route: Route, *, bearer: bool
) -> list[dict[str, Any]]:
    """The plugins of a row. `bearer`: for requests that show a key as their bearer token."""
    # pages elsewhere have no business with Studio
    cors = [] if route.access is Access.DASHBOARD else [_cors(config, route)]
    match route.access:
        case Access.DENIED:
            return [*cors, ending(403, FORBIDDEN)]
        case Access.ABSENT:
            return [*cors, ending(404, NOBODY_HERE)]
        case Access.DASHBOARD:
            return [*cors, _plugin("basic-auth", hide_credentials=True), *_headers(route)]
        case Access.OPEN:
            return [*cors, *_headers(route)]
        case Access.OPTIONAL_KEY:
            checks = [_key_auth(bearer=bearer, hide=bearer, needed=False)]
        case Access.KEY_BESIDE:
            checks = [_key_auth(bearer=bearer, hide=False, needed=bearer)]
        case Access.KEY:
            checks = [_key_auth(bearer=bearer, hide=True, needed=True), _acl(ADMIN, ANON)]
        case Access.SERVICE:
            checks = [_key_auth(bearer=bearer, hide=True, needed=True), _acl(ADMIN)]
        case _:
            assert_never(route.access)
    return [*cors, *checks, *_headers_by_consumer(route, keys)]


def identity(key: Key) -> dict[str, Any]:
    """Says to the service behind whom the holder of a key is."""
    return _transformer(_set_by(key), add=_added_by(key), remove_query=_QUERY)


def ending(status: int, message: str) -> dict[str, Any]:
    """Answers in the place of a service."""
    return _plugin(
        "request-termination",
        status_code=status,
        content_type="application/json; charset=utf-8",
        body=json.dumps({"message": message}),
    )


def _set_by(key: Key) -> dict[str, str]:
    # x-api-key is where Realtime looks for the key of a socket
    return {"apikey": key.token, "x-api-key": key.token}


def _added_by(key: Key) -> dict[str, str]:
    # a session's own token stays
    return {"authorization": f"Bearer {key.token}"}


def _own(route: Route) -> dict[str, str]:
    host = {} if route.host is None else {"Host": route.host}
    return {**route.headers, **host}


def _headers(route: Route) -> list[dict[str, Any]]:
    own = _own(route)
    if not (own or route.remove_headers):
        return []
    return [_transformer(own, remove=route.remove_headers)]


def _headers_by_consumer(route: Route, keys: Sequence[Key]) -> list[dict[str, Any]]:
    """What the row says of headers, together with what a consumer's own plugin would have said."""
    if route.access is Access.KEY_BESIDE:
        return [
            *(_for(key.name, _beside(route, key)) for key in keys),
            _beside(route, None),
        ]
    row = _headers(route)
    if not row:
        return []
    known = [
        _for(
            key.name,
            _transformer(
                _set_by(key) | _own(route),
                add=_added_by(key),
                remove=route.remove_headers,
                remove_query=_QUERY,
            ),
        )
        for key in keys
    ]
    return [*known, *row]


def _beside(route: Route, key: Key | None) -> dict[str, Any]:
    """What was shown stays; nobody but the gateway says what a key of the new kind stands for."""
    if key is None or not key.opaque:
        return _transformer(_own(route), remove=(*route.remove_headers, BESIDE))
    return _transformer({**_own(route), BESIDE: key.token}, remove=route.remove_headers)


def _for(consumer: str, plugin: Mapping[str, Any]) -> dict[str, Any]:
    return {**plugin, "consumer": consumer}


def _transformer(
    set_: Mapping[str, str],
    *,
    add: Mapping[str, str] | None = None,
    remove: Sequence[str] = (),
    remove_query: Sequence[str] = (),
) -> dict[str, Any]:
    """`set_`: whether the request has them or not; `add`: where it has none."""
    given = [f"{name}:{value}" for name, value in set_.items()]
    added = [f"{name}:{value}" for name, value in (add or {}).items()]
    steps = {
        "remove": {"headers": list(remove), "querystring": list(remove_query)},
        "replace": {"headers": given},
        "add": {"headers": given + added},
    }
    filled = {step: {k: v for k, v in what.items() if v} for step, what in steps.items()}
    return _plugin("request-transformer", **{step: what for step, what in filled.items() if what})


def _key_auth(*, bearer: bool, hide: bool, needed: bool) -> dict[str, Any]:
    """`needed`: whether nobody gets through without a key."""
    return _plugin(
        "key-auth",
        key_names=["authorization" if bearer else "apikey"],
        key_in_header=True,
        key_in_query=not bearer and needed,
        key_in_body=False,
        hide_credentials=hide,
        **({} if needed else {"anonymous": NOBODY}),
    )


def _acl(*groups: str) -> dict[str, Any]:
    return _plugin("acl", allow=list(groups), hide_groups_header=True)


def _cors(config: GatewayConfig, route: Route) -> dict[str, Any]:
    """Preflights are answered with the headers that they ask for, and every method."""
    origins = [*config.own_origins, _LOCALHOST] if route.own_origin_only else ["*"]
    return _plugin(
        "cors", origins=origins, exposed_headers=["*"], max_age=PREFLIGHT_SECONDS, credentials=False
    )


def _plugin(name: str, **config: Any) -> dict[str, Any]:
    return {"name": name, "config": config}
