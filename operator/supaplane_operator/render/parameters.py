"""Which PostgreSQL parameters does the server start with, and which may a spec not touch?"""

from __future__ import annotations

import re
from typing import Final

from supaplane_contract import shares
from supaplane_contract.database import RESERVED_PARAMETERS
from supaplane_contract.spec import ProjectSpec
from supaplane_contract.status import Reason

from . import objects
from .model import NotRenderable

KEY_SCRIPT: Final = "/supaplane/bin/getkey.sh"

_OURS: Final = {
    "config_file": "/etc/postgresql/postgresql.conf",
    # below this level Realtime's polling fills the log
    "log_min_messages": "fatal",
    # images differ in where they keep the key, and in whether it survives; see prepare.sh
    "pgsodium.getkey_script": KEY_SCRIPT,
    "vault.getkey_script": KEY_SCRIPT,
}
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?", re.IGNORECASE)


def arguments(spec: ProjectSpec) -> list[str]:
    """The server's arguments. Raises NotRenderable for a parameter that may not be set."""
    for name in spec.database.parameters:
        _check(name)
    wanted = {**_OURS, **{k.lower(): v for k, v in shares.postgres_parameters(spec).items()}}
    ordered = sorted(wanted.items(), key=lambda item: (item[0] != "config_file", item[0]))
    pairs = [("-c", f"{name}={objects.value(text)}") for name, text in ordered]
    return ["postgres", *(word for pair in pairs for word in pair)]


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise NotRenderable(
            Reason.SPEC_INVALID,
            f"database.parameters: {name!r} is not the name of a parameter",
        )
    if name.lower() in RESERVED_PARAMETERS:
        raise NotRenderable(
            Reason.SPEC_INVALID, f"database.parameters: {name} is set by the platform: remove it"
        )
