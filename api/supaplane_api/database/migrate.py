"""Brings the management database to the shape that this version needs.

Alembic runs plain SQL; all steps happen in one transaction under one advisory lock, so that
replicas that start together wait for each other and a process that is killed leaves nothing half
done (docs/decisions/0004-sql-migrations.md).
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x5_0B5_9A1  # any number that nobody else in this database locks
WAIT_SECONDS = 120


class MigrationFailed(RuntimeError):
    """The database could not be brought up to date; the message says why."""


def migrate(url: str) -> None:
    """Applies what is missing; waits for another process that does. Raises MigrationFailed."""
    engine = create_engine(
        "postgresql+psycopg://",
        poolclass=NullPool,
        creator=lambda: psycopg.connect(
            url, connect_timeout=10, application_name="supaplane-api migrations"
        ),
    )
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            config = Config()
            config.set_main_option("script_location", str(FOLDER))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except Exception as error:
        lines = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise MigrationFailed(f"the management database: {' '.join(lines)[:500]}") from error
    finally:
        engine.dispose()


if __name__ == "__main__":
    import os

    try:
        migrate(os.environ["DATABASE_URL"])
    except (KeyError, MigrationFailed) as error:
        sys.exit(f"migrations: {error}")
