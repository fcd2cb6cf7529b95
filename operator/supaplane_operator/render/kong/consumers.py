"""Who can come to Kong, by which credentials, and whom do the services take them for?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from supaplane_operator.render.gateway import GatewayConfig, Key

from . import plugins

DASHBOARD: Final = "dashboard"
"""Whoever knows the dashboard's name and password."""


def usable(keys: Sequence[Key]) -> tuple[Key, ...]:
    """Without what is empty or there twice: Kong refuses a credential that it finds twice, and
    with it the whole file."""
    found: dict[str, Key] = {}
    for key in keys:
        if key.value:
            found.setdefault(key.value, key)
    return tuple(found.values())


def of(config: GatewayConfig, keys: Sequence[Key]) -> list[dict[str, Any]]:
    """A consumer for each key, for each stands for a token of its own; one for the sign-in."""
    return [*(_holder(key) for key in keys), {"username": plugins.NOBODY}, _dashboard(config)]


def _holder(key: Key) -> dict[str, Any]:
    shown = [key.value]
    if key.opaque:
        # clients show a key of the new kind as a bearer token too, which no service can read
        shown.append(f"Bearer {key.value}")
    return {
        "username": key.name,
        "acls": [{"group": plugins.group(key)}],
        "keyauth_credentials": [{"key": value} for value in shown],
        "plugins": [plugins.identity(key)],
    }


def _dashboard(config: GatewayConfig) -> dict[str, Any]:
    sign_in = {"username": config.dashboard_user, "password": config.dashboard_password}
    return {"username": DASHBOARD, "basicauth_credentials": [sign_in]}
