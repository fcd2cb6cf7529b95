"""Does the container beside the server do its work at the right moments?"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from supaplane_contract.rotation import pending_key
from supaplane_operator.render.password_check import SCRIPT

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
            new = "chosen by  a person: ' $ % *"
            with _checking(server, new) as (check, refusals):
                _until(lambda: "authentication failed" in refusals.read_text(), refusals)
                assert check.poll() is None
                waiting = {**credentials, pending_key("postgres"): new}
                write_files(server.folder, make_input(credentials=waiting))
                _until(lambda: check.poll() == 0, log)
            assert _lets_in(server, new)
        finally:
            loop.send_signal(signal.SIGTERM)
            assert loop.wait(timeout=60) == 0
        assert "SCRAM" not in log.read_text()


@contextlib.contextmanager
def _checking(server: Any, password: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """What the Job does that signs in with a new password, and where it says what it is told."""
    said = server.folder / "check.log"
    environment = {
        "PATH": f"{server.binaries}:{os.environ['PATH']}",
        "PASSWORD_postgres": password,
        "PGDATABASE": "postgres",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "ROLES": "postgres",
    }
    with said.open("wb") as out:
        check = subprocess.Popen(["sh", "-c", SCRIPT], env=environment, stdout=out, stderr=out)
    try:
        yield check, said
    finally:
        check.kill()
        check.wait()


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
