"""A PostgreSQL of our own: started once, surviving restarts, stopped by its pid."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from supaplane_api import embedded_postgres, postgres_programs
from supaplane_api.embedded_postgres import EmbeddedPostgresFailed, start, stop


def alive(server):
    return (
        Path(f"/proc/{server.pid}/cmdline").exists()
        and b"postgres" in Path(f"/proc/{server.pid}/cmdline").read_bytes()
    )


def test_data_survives_a_restart(tmp_path):
    server = start(tmp_path, settings=embedded_postgres.FAST)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    assert not alive(server)
    again = start(tmp_path, settings=embedded_postgres.FAST)
    with psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    again.stop()


def test_one_that_runs_is_used_and_the_last_user_stops_it(tmp_path):
    first = start(tmp_path, settings=embedded_postgres.FAST)
    second = start(tmp_path)
    assert second.pid == first.pid
    first.stop()
    first.stop()
    assert alive(second)
    psycopg.connect(second.url).close()
    second.stop()
    assert not alive(second)


def test_one_that_was_left_by_a_killed_process_is_taken_over(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from supaplane_api import embedded_postgres as e;"
        "e.start(Path(sys.argv[1]), settings=e.FAST); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=60, check=False)
    assert killed.returncode == -9
    server = start(tmp_path)
    psycopg.connect(server.url).close()
    server.stop()
    assert not alive(server)
    assert stop(tmp_path) is False


def test_a_detached_one_runs_on_until_it_is_stopped(tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from supaplane_api import embedded_postgres as e;"
        "print(e.start(Path(sys.argv[1]), settings=e.FAST, detached=True).url)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        timeout=60,
        check=True,
        capture_output=True,
        text=True,
    )
    psycopg.connect(done.stdout.strip()).close()
    assert stop(tmp_path) is True
    assert stop(tmp_path) is False


def test_nobody_else_can_reach_it(tmp_path):
    server = start(tmp_path / "data", settings=embedded_postgres.FAST)
    try:
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        sockets = [path for path in (tmp_path / "data").iterdir() if path.is_socket()]
        folder = sockets[0].parent if sockets else Path(server.url.partition("host=")[2])
        assert folder.stat().st_mode & 0o077 == 0
    finally:
        server.stop()


def test_a_folder_with_a_long_name_works_too(tmp_path):
    server = start(tmp_path / ("deep" * 30), settings=embedded_postgres.FAST)
    try:
        psycopg.connect(server.url).close()
    finally:
        server.stop()


def test_a_start_that_was_interrupted_is_made_anew(tmp_path):
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "half").write_text("made")
    server = start(tmp_path, settings=embedded_postgres.FAST)
    server.stop()
    assert not (tmp_path / "data.new").exists()


def test_a_pid_that_belongs_to_somebody_else_is_left_alone(tmp_path):
    """After a reboot the file names a pid that another process has now."""
    server = start(tmp_path, settings=embedded_postgres.FAST)
    pid_file = tmp_path / "data" / "postmaster.pid"
    kept = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *kept[1:]]) + "\n")
    assert stop(tmp_path) is False
    again = start(tmp_path, settings=embedded_postgres.FAST)
    assert again.pid != os.getpid()
    again.stop()


def test_data_of_a_version_that_is_not_there_is_named(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedPostgresFailed, match=r"9\.6"):
        start(tmp_path)


def test_a_server_that_cannot_start_says_why(tmp_path):
    with pytest.raises(EmbeddedPostgresFailed, match="no_such_setting"):
        start(tmp_path, settings={"no_such_setting": "1"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up its rights")
def test_root_runs_it_as_an_account_where_user_namespaces_are_forbidden(monkeypatch):
    which = shutil.which
    monkeypatch.setattr(
        postgres_programs.shutil, "which", lambda name: None if name == "unshare" else which(name)
    )
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        server = start(Path(folder) / "database", settings=embedded_postgres.FAST)
        try:
            psycopg.connect(server.url).close()
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        finally:
            server.stop()
