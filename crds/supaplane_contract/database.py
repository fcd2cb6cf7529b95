"""What can PostgreSQL be told?"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from .exposure import ExternalAccess
from .fields import OneLine, Rule, immutable, ruled
from .parts import Component, VolumeSpec

RESERVED_PARAMETERS: Final = (
    # what the stack stands on
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "listen_addresses",
    "pgsodium.getkey_script",
    "port",
    "session_preload_libraries",
    "shared_preload_libraries",
    "unix_socket_directories",
    "unix_socket_group",
    "unix_socket_permissions",
    "vault.getkey_script",
    "wal_level",
    # commands that the server would run as itself
    "archive_cleanup_command",
    "archive_command",
    "recovery_end_command",
    "restore_command",
    "ssl_passphrase_command",
)
"""PostgreSQL parameters that are the platform's own, or commands."""


class Database(Component):
    """PostgreSQL."""

    RULES = (
        Rule(
            "!has(self.enabled) || self.enabled",
            "a project without its database is none: set spec.desiredState to Paused instead",
            field=".enabled",
        ),
    )

    version: Annotated[
        str,
        StringConstraints(pattern=r"^1[0-9]$", max_length=2),
        Field(json_schema_extra=ruled(immutable("the major version of PostgreSQL"))),
    ] = "17"
    """Major version of PostgreSQL; cannot change."""
    storage: VolumeSpec = VolumeSpec()
    """The volume of the database."""
    parameters: Annotated[
        dict[
            Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_.]*$", max_length=63)],
            OneLine,
        ],
        Field(
            max_length=64,
            json_schema_extra=ruled(
                Rule(
                    f"self.all(name, !(name in {list(RESERVED_PARAMETERS)}))",
                    "remove what the platform itself sets, and commands: "
                    + ", ".join(RESERVED_PARAMETERS),
                )
            ),
        ),
    ] = {}
    """PostgreSQL parameters, by their names in postgresql.conf, as in work_mem: 16MB."""
    external: ExternalAccess = ExternalAccess()
    """Reachability of the database from outside the cluster."""
