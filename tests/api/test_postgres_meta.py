"""The real postgres-meta, on a real PostgreSQL, asked by a member through this API."""

import os
import socket
import subprocess
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from supaplane_api import embedded_postgres
from supaplane_api.inside.http import HttpInside, Way
from supaplane_api.pgmeta import connection, service
from supaplane_contract import from_secret_data, names, to_secret_data
from supaplane_devcluster import nodejs
from supaplane_kube.resources import SECRETS

pytestmark = pytest.mark.slow

HOME = names.DEFAULT_HOME_NAMESPACE
HERE = Path(__file__).parent / "postgres_meta"
CREDENTIALS = {
    connection.CRYPTO_KEY: "a passphrase that both sides know",
    "password-postgres": "p@ss/w:rd %41",
    "password-supabase-read-only-user": "another p@ss/w:rd",
}
SERVER = "node_modules/@supabase/postgres-meta/dist/server/server.js"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def project_database(tmp_path_factory):
    """Port of a PostgreSQL with a project's roles, whose passwords are asked for."""
    folder, port = tmp_path_factory.mktemp("project"), free_port()
    listening = {"listen_addresses": "127.0.0.1", "port": str(port)}
    server = embedded_postgres.start(folder, settings={**embedded_postgres.FAST, **listening})
    try:
        (folder / "data" / "pg_hba.conf").write_text(
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        url = server.url.replace(f"/{embedded_postgres.DATABASE}?", "/postgres?")
        with psycopg.connect(url, autocommit=True) as to:
            to.execute("SELECT pg_reload_conf()")
            to.execute(
                "CREATE ROLE supabase_read_only_user LOGIN BYPASSRLS IN ROLE pg_read_all_data"
            )
            for role in (connection.WRITER, connection.READER):
                password = psycopg.sql.Literal(connection.password_of(CREDENTIALS, role))
                name = psycopg.sql.Identifier(role)
                to.execute(psycopg.sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, password))
            to.execute("CREATE TABLE fruits (id int PRIMARY KEY, name text NOT NULL)")
            to.execute("INSERT INTO fruits VALUES (1, 'fig'), (2, 'plum')")
            to.execute("CREATE TYPE ripeness AS ENUM ('green', 'ripe')")
        yield port
    finally:
        server.stop()


@pytest.fixture(scope="module")
def postgres_meta(project_database, tmp_path_factory):
    """URL of a postgres-meta that reaches that database under its name in the cluster."""
    log = tmp_path_factory.mktemp("postgres-meta") / "log"
    for _ in range(10):
        port = free_port()
        with log.open("wb") as output:
            server = start_postgres_meta(port, project_database, output)
        try:
            # It also listens on the next port, which another program may have taken.
            if until_healthy(f"http://127.0.0.1:{port}/health", server, log):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            server.terminate()
            server.wait(30)
    pytest.fail("ten pairs of ports were taken: " + log.read_text())


def start_postgres_meta(port, database_port, output):
    settings = {
        "CRYPTO_KEY": CREDENTIALS[connection.CRYPTO_KEY],
        "PG_META_HOST": "127.0.0.1",
        "PG_META_PORT": str(port),
        "PG_META_DB_HOST": "nowhere.invalid",
        "PG_QUERY_TIMEOUT_SECS": "2",  # 55 by default: what it does when it is not told
        "TEST_DATABASE_PORT": str(database_port),
    }
    return subprocess.Popen(
        [nodejs.NODE, "--require", str(HERE / "as_in_the_cluster.cjs"), SERVER],
        cwd=nodejs.packages(HERE),
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


def until_healthy(url, server, log):
    """Whether it answers, and listens on both its ports; not, when one of them was taken."""
    deadline = time.monotonic() + 60
    while log.read_text().count("Server listening at") < 2:
        if server.poll() is not None:
            assert "EADDRINUSE" in log.read_text(), log.read_text()
            return False
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    httpx.get(url).raise_for_status()
    return True


@pytest.fixture
async def bench(make_bench, postgres_meta):
    async def nothing():
        return {}

    inside = HttpInside(Way(lambda ref, part: postgres_meta, nothing))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(inside.close)
        yield await make_bench(stack, inside=inside)


@dataclass
class Shop:
    """A project, its owner, and somebody who may only read."""

    ref: str
    owner: object
    reader: object

    async def sql(self, query, by=None, **more):
        path = f"/platform/pg-meta/{self.ref}/query"
        return await (by or self.owner).post(path, {"query": query}, **more)

    async def named(self, noun, **query):
        answer = await self.owner.get(f"/platform/pg-meta/{self.ref}/{noun}", params=query)
        assert answer.status_code == 200, answer.text
        return [each["name"] for each in answer.json()]


@pytest.fixture
async def shop(bench):
    owner = await bench.person()
    organization = await bench.organization(owner)
    ref = (await bench.project(owner, organization))["ref"]
    secret = bench.kube.peek(SECRETS, HOME, names.credentials_secret(ref))
    values = from_secret_data(secret) | CREDENTIALS
    bench.kube.put(SECRETS, secret | {"data": to_secret_data(values)})
    return Shop(ref, owner, await bench.member(organization, "Read-only"))


async def test_a_member_runs_sql_and_gets_its_rows(shop):
    answer = await shop.sql("select id, name from fruits order by id")
    assert (answer.status_code, answer.json()) == (
        200,
        [{"id": 1, "name": "fig"}, {"id": 2, "name": "plum"}],
    )
    assert (await shop.sql("select current_user as who")).json() == [{"who": "postgres"}]


async def test_a_member_who_only_reads_reads_as_another_role_and_changes_nothing(shop):
    who = await shop.sql("select current_user as who", by=shop.reader)
    assert who.json() == [{"who": "supabase_read_only_user"}]
    assert len((await shop.sql("select * from fruits", by=shop.reader)).json()) == 2
    for evil in (
        "insert into fruits values (3, 'pear')",
        "set default_transaction_read_only = off; insert into fruits values (3, 'pear')",
        "set role postgres; insert into fruits values (3, 'pear')",
    ):
        answer = await shop.sql(evil, by=shop.reader)
        assert answer.status_code == 400, answer.text
    assert len((await shop.sql("select * from fruits")).json()) == 2


async def test_tables_types_and_schemas_are_listed(shop):
    assert "fruits" in await shop.named("tables", included_schemas="public")
    assert "ripeness" in await shop.named("types", included_schemas="public")
    assert "public" in await shop.named("schemas")


async def test_a_table_is_made_changed_and_dropped_by_its_number(shop):
    path = f"/platform/pg-meta/{shop.ref}/tables"
    made = await shop.owner.post(path, {"name": "baskets", "schema": "public"})
    assert made.status_code == 200, made.text
    changed = await shop.owner.patch(f"{path}?id={made.json()['id']}", {"name": "crates"})
    assert changed.json()["name"] == "crates"
    gone = await shop.owner.client.delete(f"{path}?id={made.json()['id']}")
    assert gone.status_code == 200, gone.text
    assert "crates" not in await shop.named("tables", included_schemas="public")


async def test_sql_is_laid_out_without_being_run(shop):
    path = f"/platform/pg-meta/{shop.ref}/query/format"
    answer = await shop.owner.post(path, {"query": "select id,name from fruits"})
    assert answer.status_code == 200, answer.text
    assert answer.json().split() == ["select", "id,", "name", "from", "fruits"]


async def test_the_error_of_the_database_reaches_its_author(shop):
    answer = await shop.sql("select * from vegetables")
    assert answer.status_code == 400
    assert 'relation "vegetables" does not exist' in answer.json()["message"]
    assert "LINE 1: " in answer.json()["formattedError"]


async def test_a_statement_that_takes_too_long_is_ended_by_the_database(shop, monkeypatch):
    monkeypatch.setattr(service, "STATEMENT_SECONDS", 1)
    answer = await shop.sql("select pg_sleep(100)")
    assert answer.status_code == 400
    assert "statement timeout" in answer.json()["message"]


async def test_postgres_meta_gives_no_statement_up_before_the_database_does(shop):
    answer = await shop.sql("select 1 as one from pg_sleep(3)")
    assert (answer.status_code, answer.json()) == (200, [{"one": 1}])


async def test_an_answer_that_is_too_large_is_refused(shop, monkeypatch):
    monkeypatch.setattr(service, "MOST_BYTES", 1000)
    answer = await shop.sql("select repeat('x', 100) as text from generate_series(1, 1000)")
    assert answer.status_code == 400
    assert "ask for less" in answer.json()["message"]


async def test_a_header_that_names_another_connection_is_ignored(shop):
    other = f"postgresql://postgres:x@db.{names.project_namespace(shop.ref)}.svc:5432/template1"
    passphrase = CREDENTIALS[connection.CRYPTO_KEY]
    header = connection.encrypted(other, passphrase, random_bytes=os.urandom)
    answer = await shop.sql(
        "select current_database() as name", headers={connection.HEADER: header}
    )
    assert answer.json() == [{"name": "postgres"}]
