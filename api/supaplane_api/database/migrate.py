"""Brings the management database to the shape that this version needs.

Alembic runs plain SQL; all steps happen in one transaction under one advisory lock, so that
replicas that start together wait for each other and a process that is killed leaves nothing half
done (docs/decisions/0004-sql-migrations.md).
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import psycopg
from psycopg import errors

log = logging.getLogger(__name__)
FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x5_0B5_9A1  # any number that nobody else in this database locks
WAIT_SECONDS = 120
CONNECT_SECONDS = 10


class MigrationFailed(RuntimeError):
    """The database could not be brought up to date; the message says why."""


def migrate(url: str) -> None:
    """Applies what is missing; waits for another process that does. Raises MigrationFailed.

    A database that is newer than this program is left as it is: steps only add, so that during a
    rolling update the older replicas go on working, and can be started again.
    """
    try:
        there, wanted = current(url), newest()
        if there is not None and there > wanted:
            log.warning("the database (step %s) is newer than this program (%s)", there, wanted)
        if there is None or there < wanted:
            _upgrade(url)
    except Exception as error:
        lines = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise MigrationFailed(f"the management database: {' '.join(lines)[:500]}") from error


def newest() -> str:
    """The last step that this program knows: files are named after their numbers."""
    return max(file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))


def current(url: str) -> str | None:
    """The last step that the database has seen; None: none."""
    with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except errors.UndefinedTable:
            return None
        return None if row is None else str(row[0])


def _upgrade(url: str) -> None:
    # Alembic and SQLAlchemy cost a third of the time and memory of a start; mostly none is needed.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(
        "postgresql+psycopg://",
        poolclass=NullPool,
        creator=lambda: psycopg.connect(
            url, connect_timeout=CONNECT_SECONDS, application_name="supaplane-api migrations"
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
    finally:
        engine.dispose()


if __name__ == "__main__":
    import os

    try:
        migrate(os.environ["DATABASE_URL"])
    except (KeyError, MigrationFailed) as error:
        sys.exit(f"migrations: {error}")
