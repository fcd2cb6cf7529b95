"""How does a PostgreSQL run on this machine when nobody gave us one?

For development and tests: the server programs come from a wheel (extra `embedded-db`), the data
lies in a folder of ours and survives restarts, and only a Unix socket in a folder of mode 0700 is
listened on. We run the wheel's `initdb` and `postgres` ourselves: its own Python layer makes
accounts, opens the permissions of every folder above the data and ends processes by name.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from . import postgres_programs
from .postgres_programs import EmbeddedPostgresFailed, Programs

__all__ = ["FAST", "EmbeddedPostgres", "EmbeddedPostgresFailed", "start", "stop"]

START_SECONDS = 60.0
STOP_SECONDS = 30.0
DATABASE = "supaplane"
LONGEST_SOCKET = 107
"""Bytes of a socket's path that Linux takes (sun_path, less the NUL)."""
FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings for tests: nothing waits for the disk, and a power cut loses everything."""
_children: dict[int, subprocess.Popen[bytes]] = {}
"""Servers that this process started, to take note of their end."""


@dataclass(frozen=True)
class _Running:
    pid: int
    socket_folder: Path
    port: int

    @property
    def url(self) -> str:
        return (
            f"postgresql://postgres@/{DATABASE}"
            f"?host={quote(str(self.socket_folder), safe='')}&port={self.port}"
        )


@dataclass
class EmbeddedPostgres:
    """A running server. `url` is a libpq URL of an existing, empty database."""

    url: str
    pid: int
    folder: Path
    _use: int | None = None

    def stop(self) -> None:
        """Gives it up; the last process that uses it stops it, by its pid."""
        if self._use is None:
            return
        use, self._use = self._use, None
        try:
            fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            stop(self.folder)
        finally:
            os.close(use)


def start(
    folder: Path, *, settings: Mapping[str, str] | None = None, detached: bool = False
) -> EmbeddedPostgres:
    """A server with its data in `folder`; one that already runs there is used.

    `settings` go on its command line. `detached`: it runs on after this process, until somebody
    calls `stop(folder)`. Raises EmbeddedPostgresFailed.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    use = None if detached else os.open(folder / "in-use.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with _alone(folder):
            if use is not None:
                fcntl.flock(use, fcntl.LOCK_SH)
            running = _running(folder) or _launch(folder, settings or {})
    except BaseException:
        if use is not None:
            os.close(use)
        raise
    return EmbeddedPostgres(running.url, running.pid, folder, use)


def stop(folder: Path) -> bool:
    """Stops the server whose data is in `folder`; False: none ran there.

    Raises EmbeddedPostgresFailed when it does not end in time.
    """
    folder = folder.absolute()
    running = _running(folder) if folder.exists() else None
    if running is None:
        return False
    os.kill(running.pid, signal.SIGINT)  # "fast": open transactions are rolled back
    end = time.monotonic() + STOP_SECONDS
    while _lives(running.pid, folder):
        if time.monotonic() > end:
            raise EmbeddedPostgresFailed(
                f"PostgreSQL (process {running.pid}) does not stop; its log is {folder / 'log'}"
            )
        time.sleep(0.02)
    child = _children.pop(running.pid, None)
    if child is not None:
        child.wait()
    return True


def _launch(folder: Path, settings: Mapping[str, str]) -> _Running:
    programs = postgres_programs.find(folder)
    data, log = folder / "data", folder / "log"
    if not (data / "PG_VERSION").exists():
        _initialize(programs, folder, data)
    sockets = _socket_folder(folder, programs)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "port": "5432",
        "max_connections": "200",
        **settings,
    }
    arguments = ["-D", str(data)]
    for name, value in options.items():
        arguments += ["-c", f"{name}={value}"]
    process = programs.spawn(arguments, log)
    _children[process.pid] = process
    running = _await_ready(process, folder, log)
    _ensure_database(programs, running)
    return running


def _initialize(programs: Programs, folder: Path, data: Path) -> None:
    """Makes the data folder aside first, so that a crash leaves nothing half made."""
    fresh = folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    programs.run(
        "initdb",
        f"--pgdata={fresh}",
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    )
    fresh.rename(data)


def _await_ready(process: subprocess.Popen[bytes], folder: Path, log: Path) -> _Running:
    end = time.monotonic() + START_SECONDS
    while True:
        running = _running(folder)
        if running is not None:
            return running
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            process.wait()
            _children.pop(process.pid, None)
            last = log.read_text(errors="replace")[-1500:] if log.exists() else ""
            raise EmbeddedPostgresFailed(f"PostgreSQL did not start; the end of {log}:\n{last}")
        time.sleep(0.02)


def _ensure_database(programs: Programs, running: _Running) -> None:
    import psycopg

    url = running.url.replace(f"/{DATABASE}?", "/postgres?")
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _running(folder: Path) -> _Running | None:
    """What postmaster.pid says, if that server lives and is ready.

    Its lines: pid, data folder, start time, port, socket folder, address, memory key, state.
    """
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8 or lines[7].strip() != "ready":
        return None
    pid = int(lines[0])
    if not _lives(pid, folder):
        return None
    return _Running(pid, Path(lines[4].strip()), int(lines[3]))


def _lives(pid: int, folder: Path) -> bool:
    """Whether that process still is the server of this folder: pids are used again.

    What has ended and was not taken note of has an empty command line.
    """
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return str(folder / "data").encode() in command


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time starts a server here; the kernel gives the lock back after a crash."""
    lock = os.open(folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _socket_folder(folder: Path, programs: Programs) -> Path:
    """The folder itself if its name is short enough for a socket, else a temporary one."""
    if len(os.fsencode(folder / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"supaplane-{os.geteuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if short.is_symlink() or found.st_uid not in (os.geteuid(), programs.uid):
        raise EmbeddedPostgresFailed(
            f"{short} belongs to somebody else; set SUPAPLANE_HOME to a short path"
        )
    short.chmod(0o700)
    if programs.account:
        os.chown(short, programs.account.pw_uid, programs.account.pw_gid)
    return short
