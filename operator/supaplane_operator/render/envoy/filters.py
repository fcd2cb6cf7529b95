"""Which filters does a request go through, and how does a route turn one off or narrow it?"""

from __future__ import annotations

import base64
import hashlib
import re
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
_SPECIAL: Final = re.compile(rb"[^0-9A-Za-z._-]")
_KEY_CHECK: Final = (resources.files(__package__) / "keys.lua").read_text()
_OTHERS: Final = {
    access: (resources.files(__package__) / file).read_text()
    for access, file in {
        Access.OPTIONAL_KEY: "optional_key.lua",
        Access.KEY_BESIDE: "key_beside.lua",
    }.items()
}
"""What happens to keys on routes that ask for none."""


def chain(config: GatewayConfig) -> list[Mapping[str, Any]]:
    """CORS answers preflights; then the sign-in, the key, the role; then the service."""
    return [
        {"name": CORS, "typed_config": {"@type": f"{_FILTERS}cors.v3.Cors"}},
        {
            "name": BASIC_AUTH,
            "typed_config": {
                "@type": f"{_FILTERS}basic_auth.v3.BasicAuth",
                "users": {"inline_string": _user(config)},
            },
        },
        {
            "name": LUA,
            "typed_config": {
                "@type": f"{_FILTERS}lua.v3.Lua",
                "default_source_code": {"inline_string": script(config.keys)},
                **_other_scripts(config),
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


def of_route(access: Access, keys: Sequence[Key]) -> dict[str, Any]:
    """The filters of a route with that access: typed_per_filter_config."""
    no_rbac = {"@type": f"{_FILTERS}rbac.v3.RBACPerRoute"}
    if access is Access.DASHBOARD:
        return {LUA: OFF, RBAC: no_rbac}
    if access is Access.KEY:
        return {BASIC_AUTH: OFF, RBAC: no_rbac | {"rbac": {"rules": _only(keys)}}}
    if access is Access.SERVICE:
        return {BASIC_AUTH: OFF, RBAC: no_rbac | {"rbac": {"rules": _only(_of_services(keys))}}}
    if access in _OTHERS:
        chosen = {"@type": f"{_FILTERS}lua.v3.LuaPerRoute", "name": access.value}
        return {BASIC_AUTH: OFF, LUA: chosen, RBAC: no_rbac}
    return {BASIC_AUTH: OFF, LUA: OFF, RBAC: no_rbac}


def script(keys: Sequence[Key], text: str = _KEY_CHECK) -> str:
    """The check of keys, or another script, with the keys in it."""
    tokens = {key.value: key.token for key in keys}
    rows = [f"[{lua_text(key)}] = {lua_text(token)}" for key, token in tokens.items()]
    return f"local TOKENS = {{ {', '.join(rows)} }}\n{text}"


def _other_scripts(config: GatewayConfig) -> dict[str, Any]:
    """The scripts that routes choose by name; those that none chooses are left out."""
    wanted = sorted({route.access for _, route in config.routes} & _OTHERS.keys())
    if not wanted:
        return {}
    scripts = {a.value: {"inline_string": script(config.keys, _OTHERS[a])} for a in wanted}
    return {"source_codes": scripts}


def lua_text(text: str) -> str:
    """A literal of Lua for any text: whatever is not a plain character by its number."""
    plain = _SPECIAL.sub(lambda match: b"\\%03d" % match[0][0], text.encode())
    return f'"{plain.decode()}"'


def _of_services(keys: Iterable[Key]) -> list[Key]:
    return [key for key in keys if key.service]


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
