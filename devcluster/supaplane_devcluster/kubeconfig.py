"""The text of a kubeconfig, and the token inside one. Touches no file."""

from __future__ import annotations

import base64
from typing import Any

import yaml


def render(name: str, server: str, ca: str, user: str, token: str) -> str:
    """Self-contained: it still works after being copied elsewhere."""
    context = f"supaplane-{name}"
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(ca.encode()).decode("ascii"),
                },
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        "current-context": context,
    }
    return yaml.safe_dump(document, sort_keys=False)


def token_of(text: str) -> str:
    """The token of the only user in a kubeconfig that `render` made."""
    token = yaml.safe_load(text)["users"][0]["user"]["token"]
    assert isinstance(token, str)
    return token
