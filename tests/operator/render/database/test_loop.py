"""Does the container beside the server do its work at the right moments?"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

pytestmark = pytest.mark.slow
One = Callable[..., Any]


def test_the_loop_waits_for_the_server_and_takes_a_new_password_in(
    start: Any, make_input: Any, credentials: Mapping[str, str], write_files: Any, as_server: Any
) -> None:
    with start() as server:
        state = server.folder / "state"
        state.mkdir()
        (server.folder / "initialising").touch()
        if "user" in as_server:
            os.chown(state, as_server["user"], as_server["group"])
        environment = {
            "PATH": f"{server.binaries}:{os.environ['PATH']}",
            "PGPORT": str(server.port),
            "SUPAPLANE_SCRIPTS": str(server.folder / "scripts"),
            "SUPAPLANE_SECRETS": str(server.folder / "secrets"),
            "SUPAPLANE_STATE": str(state),
            "SUPAPLANE_VOLUME": str(server.folder),
            "SUPAPLANE_SOCKET": str(server.folder),
            "SUPAPLANE_WATCH": "1",
        }
        log = server.folder / "bootstrap.log"
        with log.open("wb") as out:
            loop = subprocess.Popen(
                ["bash", str(server.folder / "scripts" / "bootstrap.sh")],
                env=environment, stdout=out, stderr=subprocess.STDOUT, **as_server,
            )  # fmt: skip
        try:
            _until((state / "done").exists, log)
            assert not (server.folder / "initialising").exists()
            server.connect("postgres", password=credentials["password-postgres"]).close()
            changed = {**credentials, "password-postgres": "chosen by a person: ' $ %"}
            write_files(server.folder, make_input(credentials=changed))
            _until(lambda: _lets_in(server, changed["password-postgres"]), log)
        finally:
            loop.send_signal(signal.SIGTERM)
            assert loop.wait(timeout=60) == 0
        assert "SCRAM" not in log.read_text()


def _lets_in(server: Any, password: str) -> bool:
    try:
        server.connect("postgres", password=password).close()
    except psycopg.OperationalError:
        return False
    return True


def _until(holds: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
