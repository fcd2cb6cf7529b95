"""Which filters does a request go through, and how does a route turn one off or narrow it?"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, Final

from supaplane_operator.render.gateway import GatewayConfig, Key
from supaplane_operator.render.part import Access

_TYPE: Final = "type.googleapis.com/envoy."
_FILTERS: Final = f"{_TYPE}extensions.filters.http."
CORS: Final = "envoy.filters.http.cors"
BASIC_AUTH: Final = "envoy.filters.http.basic_auth"
LUA: Final = "envoy.filters.http.lua"
RBAC: Final = "envoy.filters.http.rbac"

ROUTER: Final[Mapping[str, Any]] = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{_FILTERS}router.v3.Router"},
}
OFF: Final = {"@type": f"{_TYPE}config.route.v3.FilterConfig", "disabled": True}
_KEY_CHECK: Final = (resources.files(__package__) / "keys.lua").read_text()
_OTHERS: Final = {
    access: (resources.files(__package__) / file).read_text()
    for access, file in {
        Access.OPTIONAL_KEY: "optional_key.lua",
        Access.KEY_BESIDE: "key_beside.lua",
    }.items()
}
"""What happens to keys on routes that ask for none."""


def chain() -> list[Mapping[str, Any]]:
    """CORS answers preflights; then the sign-in, the key, the role; then the service.

    Whom they let in is said by the routes: here nobody is.
    """
    return [
        {"name": CORS, "typed_config": {"@type": f"{_FILTERS}cors.v3.Cors"}},
        {
            "name": BASIC_AUTH,
            "typed_config": {
                "@type": f"{_FILTERS}basic_auth.v3.BasicAuth",
                "users": {"inline_string": "# nobody\n"},
            },
        },
        {
            "name": LUA,
            "typed_config": {
                "@type": f"{_FILTERS}lua.v3.Lua",
                "default_source_code": {"inline_string": _KEY_CHECK},
                "source_codes": {a.value: {"inline_string": text} for a, text in _OTHERS.items()},
                # what was checked for one route must not be served by another
                "clear_route_cache": False,
            },
        },
        # a second look, by other means, at what the script decided: should it ever fail, its
        # request goes on without it
        {
            "name": RBAC,
            "typed_config": {"@type": f"{_FILTERS}rbac.v3.RBAC", "rules": _only([])},
        },
        ROUTER,
    ]


def of_route(access: Access, config: GatewayConfig) -> dict[str, Any]:
    """The filters of a route with that access: typed_per_filter_config."""
    no_rbac = {"@type": f"{_FILTERS}rbac.v3.RBACPerRoute"}
    if access is Access.DASHBOARD:
        users = {"inline_string": _user(config)}
        sign_in = {"@type": f"{_FILTERS}basic_auth.v3.BasicAuthPerRoute", "users": users}
        return {BASIC_AUTH: sign_in, LUA: OFF, RBAC: no_rbac}
    if access is Access.KEY:
        return {BASIC_AUTH: OFF, RBAC: no_rbac | {"rbac": {"rules": _only(config.keys)}}}
    if access is Access.SERVICE:
        services = [key for key in config.keys if key.service]
        return {BASIC_AUTH: OFF, RBAC: no_rbac | {"rbac": {"rules": _only(services)}}}
    if access in _OTHERS:
        chosen = {"@type": f"{_FILTERS}lua.v3.LuaPerRoute", "name": access.value}
        return {BASIC_AUTH: OFF, LUA: chosen, RBAC: no_rbac}
    return {BASIC_AUTH: OFF, LUA: OFF, RBAC: no_rbac}


def tokens(keys: Iterable[Key]) -> dict[str, Any]:
    """The token that each key stands for, as the scripts find it: metadata of a virtual host."""
    return {"filter_metadata": {LUA: {key.value: key.token for key in keys if key.value}}}


def _only(keys: Sequence[Key]) -> dict[str, Any]:
    """Rules that let pass whose `apikey` is now the token of one of these; without any, nobody."""
    if not keys:
        return {"action": "ALLOW"}
    tokens = [key.token for key in sorted(keys, key=lambda key: key.service)]
    shown = [{"header": {"name": "apikey", "string_match": {"exact": t}}} for t in tokens]
    policy = {"permissions": [{"any": True}], "principals": shown}
    return {"action": "ALLOW", "policies": {"key": policy}}


def _user(config: GatewayConfig) -> str:
    """A line of an .htpasswd file with SHA-1, the one form that Envoy's filter reads."""
    digest = hashlib.sha1(config.dashboard_password.encode(), usedforsecurity=False).digest()
    return f"{config.dashboard_user}:{{SHA}}{base64.b64encode(digest).decode()}"
