"""The management database: migrations that do not collide, one query, honest trouble."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from supaplane_api.database.migrate import FOLDER, LOCK, MigrationFailed, migrate, newest
from supaplane_api.logs import request_id
from supaplane_api.problems import Unavailable
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import names

TABLES = {
    "access_tokens",
    "factor_challenges",
    "factors",
    "invitations",
    "content",
    "content_folders",
    "accounts",
    "alembic_version",
    "audit_log",
    "organization_membership",
    "one_time_tokens",
    "organizations",
    "outbox",
    "project",
    "refresh_tokens",
    "sessions",
}


def tables(url):
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row[0] for row in rows}


def test_migrations_make_all_tables_and_do_nothing_the_second_time(empty_database_url):
    migrate(empty_database_url)
    assert tables(empty_database_url) == TABLES
    migrate(empty_database_url)
    assert tables(empty_database_url) == TABLES


def test_migrations_are_one_line_of_steps_named_after_their_files():
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [newest()]
    for step in scripts.walk_revisions():
        assert Path(step.path).name.startswith(f"{step.revision}_")


def test_an_older_program_starts_on_a_newer_database(empty_database_url, caplog):
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    migrate(empty_database_url)
    assert "newer than this program" in caplog.text


def test_a_start_on_a_database_that_is_up_to_date_does_not_load_alembic(database_url):
    code = (
        "import os, sys; from supaplane_api.database.migrate import migrate;"
        "migrate(os.environ['DATABASE_URL']); assert 'sqlalchemy' not in sys.modules"
    )
    environ = os.environ | {"DATABASE_URL": database_url}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True, timeout=60)


def start_migrating(url):
    environ = os.environ | {"DATABASE_URL": url}
    command = [sys.executable, "-m", "supaplane_api.database.migrate"]
    return subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)


def wait_for_waiting(url, count):
    """Until so many processes wait for the lock."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(url, autocommit=True) as looking:
        end = time.monotonic() + 60
        while looking.execute(waiting).fetchone() != (count,):
            assert time.monotonic() < end
            time.sleep(0.02)


def test_processes_that_migrate_at_once_do_not_collide(empty_database_url):
    with psycopg.connect(empty_database_url) as holder:
        holder.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        workers = [start_migrating(empty_database_url) for _ in range(3)]
        wait_for_waiting(empty_database_url, 3)
    told = [(worker.communicate(timeout=60)[1], worker.returncode) for worker in workers]
    assert told == [("", 0)] * 3
    assert tables(empty_database_url) == TABLES


def test_a_killed_migration_leaves_nothing_and_holds_up_nobody(empty_database_url):
    """The lock belongs to the connection: the server gives it back by itself."""
    with psycopg.connect(empty_database_url) as holder:
        holder.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        worker = start_migrating(empty_database_url)
        wait_for_waiting(empty_database_url, 1)
        worker.kill()
        worker.communicate(timeout=30)
    assert tables(empty_database_url) == set()
    migrate(empty_database_url)
    assert tables(empty_database_url) == TABLES


def test_a_database_that_is_not_there_is_named_without_its_password():
    with pytest.raises(MigrationFailed) as failed:
        migrate("postgresql://me:hunter2@127.0.0.1:1/nowhere")
    assert "management database" in str(failed.value)
    assert "hunter2" not in str(failed.value)


@pytest.fixture
def counted(monkeypatch):
    """The statements that requests send; the sweeper's are not among them."""
    statements = []
    execute = psycopg.AsyncCursor.execute

    async def counting(self, query, *args, **more):
        if request_id.get() is not None:
            statements.append(query)
        return await execute(self, query, *args, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counting)
    return statements


@pytest.mark.parametrize(
    "path",
    [
        "/profile",
        "/profile/permissions",
        "/organizations",
        "/platform/organizations/{slug}",
        "/projects",
        "/projects/{ref}",
        "/projects/{ref}/status",
        "/platform/projects/{ref}/status",
    ],
)
async def test_what_is_polled_costs_one_query_and_no_call_to_kubernetes(bench, counted, path):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization)
    path = path.format(ref=made["ref"], slug=organization["slug"])
    await person.get(path)  # a version of a row is read once, with a query of its own
    counted.clear()
    asked = len(bench.kube.requests)
    answer = await person.get(path)
    assert answer.status_code == 200
    assert len(counted) == 1
    assert len(bench.kube.requests) == asked


async def test_a_request_without_a_valid_token_costs_no_query(bench, counted):
    for header in ({}, {"Authorization": "Bearer a.b.c"}):
        await bench.client.get(f"/projects/{'a' * 20}/status", headers=header)
    assert counted == []


async def test_after_the_database_restarted_nobody_notices(bench):
    """Every pooled connection is broken then, and does not know it."""
    person = await bench.person()
    await asyncio.gather(*(person.get("/profile") for _ in range(10)))
    await bench.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'supaplane-api' AND datname = current_database()"
    )
    answers = [await person.get("/profile") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_a_database_that_is_away_is_told_and_is_not_the_callers_fault(
    bench, postgres, monkeypatch
):
    from supaplane_api.database import pool

    person = await bench.person()
    monkeypatch.setattr(bench.services.database._pool, "timeout", 0.3)
    assert pool.WAIT_SECONDS <= 10
    with psycopg.connect(postgres, autocommit=True) as connection:
        name = bench.database_url.rpartition("/")[2].partition("?")[0]
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        try:
            answer = await person.get("/profile")
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
            assert "database" in answer.json()["message"]
            ready = await bench.client.get("/readyz")
            assert ready.status_code == 503
            assert ready.json() == {"ready": False, "database": False, "snapshot": True}
            assert (await bench.client.get("/healthz")).status_code == 200
        finally:
            connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

    async def recovered():
        return (await person.get("/profile")).status_code == 200

    await bench.until(recovered)


async def test_a_statement_that_takes_too_long_is_ended(bench):
    async def sleep():
        async with bench.services.database.connection() as connection:
            await connection.execute("SET statement_timeout = '50ms'")
            await connection.execute("SELECT pg_sleep(30)")

    with pytest.raises(Unavailable):
        await sleep()


async def test_no_more_connections_are_taken_than_allowed(make_bench, settings):
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        bench = await make_bench(
            stack, settings=settings.model_copy(update={"database_pool_size": 2})
        )
        person = await bench.person()
        answers = await asyncio.gather(*(person.get("/profile") for _ in range(60)))
        assert {answer.status_code for answer in answers} == {200}
        assert bench.services.database.statistics()["pool_size"] <= 2


async def test_a_text_that_postgresql_cannot_hold_does_not_stop_the_sweeper(bench):
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    home = names.DEFAULT_HOME_NAMESPACE
    for name, shown in (("odd", "a\x00b"), ("fine", "Fine")):
        bench.kube.put(
            PROJECTS,
            {
                "metadata": {"name": name, "namespace": home},
                "spec": {
                    "ref": (name * 20)[:20],
                    "organization": slug,
                    "displayName": shown,
                },
            },
        )
    await bench.sweep()
    assert [p["name"] for p in (await person.get("/projects")).json()] == ["Fine"]
