"""The management database of the demo: an embedded PostgreSQL that runs on after `make demo`."""

from __future__ import annotations

from pathlib import Path

from supaplane_api import embedded_postgres


def start_database(folder: Path) -> str:
    """The URL of the running server; one that already runs is used."""
    return embedded_postgres.start(folder, detached=True).url


def stop_database(folder: Path) -> bool:
    """Stops it; the data stays. False: it did not run."""
    return embedded_postgres.stop(folder)
