"""How does the pooler's one tenant come to be? The text of the script that sees to it."""

from __future__ import annotations

from importlib import resources
from typing import Final

TENANT: Final = (resources.files(__name__) / "tenant.exs").read_text()
"""Elixir, run in the pooler's own release before each start of the server."""
