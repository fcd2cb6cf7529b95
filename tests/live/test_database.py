"""SQL reaches a project's own PostgreSQL, and rows outlive what happens to pods."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from supaplane_contract.credentials import password_key

from .platform import PROBE_PORT, Platform
from .things import Project

TABLE = "create table if not exists public.kept (word text primary key)"
ROLES = ("postgres", "authenticator", "supabase_auth_admin", "supabase_storage_admin")


def remember(platform: Platform, project: Project, word: str) -> None:
    with platform.database(project) as database:
        database.execute(TABLE)
        database.execute("insert into public.kept values (%s) on conflict do nothing", [word])


def remembers(platform: Platform, project: Project, word: str) -> bool:
    """Whether it answers with the row; a server that is not back yet is waited for."""

    def rows() -> Any:
        try:
            with platform.database(project) as database:
                return database.execute("select word from public.kept").fetchall() or [()]
        except psycopg.OperationalError:
            return None

    return (word,) in platform.until(rows, "the database answers")


def test_sql_sent_over_rest_reaches_the_projects_own_database_and_no_other(
    platform: Platform, shop: Project, other: Project
) -> None:
    made = platform.query(shop.ref, "create table public.only_here (id int); select 1 as one")
    assert (made.status, made.json) == (200, [{"one": 1}])
    sql = "select to_regclass('public.only_here') is not null as there"
    assert platform.query(shop.ref, sql).json == [{"there": True}]
    assert platform.query(other.ref, sql).json == [{"there": False}]


def test_a_mistake_in_sql_is_answered_in_the_words_of_the_database(
    platform: Platform, shop: Project
) -> None:
    answer = platform.query(shop.ref, "select * from nowhere")
    assert answer.status == 400
    assert 'relation "nowhere" does not exist' in answer.json["message"]


def test_each_role_signs_in_with_its_own_password_and_with_no_other(
    platform: Platform, shop: Project
) -> None:
    for role in ROLES:
        with platform.database(shop, role) as database:
            assert database.execute("select current_user").fetchone() == (role,)
    with (
        pytest.raises(psycopg.OperationalError, match="password authentication failed"),
        platform.database(shop, "postgres", password=shop.keys[password_key("authenticator")]),
    ):
        pass


def test_the_owner_of_a_project_is_no_superuser_of_its_database(
    platform: Platform, shop: Project
) -> None:
    with platform.database(shop) as database:
        row = database.execute("select rolsuper from pg_roles where rolname = current_user")
        assert row.fetchone() == (False,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("select pg_read_file('/etc/passwd')")


def test_a_row_survives_the_death_of_the_databases_pod(platform: Platform, shop: Project) -> None:
    remember(platform, shop, "pod")
    started = time.monotonic()
    platform.replace_pod(shop, "db-0")
    assert remembers(platform, shop, "pod")
    platform.times["a deleted database pod serves again"] = time.monotonic() - started
    platform.until_phase(shop.name, "ACTIVE_HEALTHY")


def test_a_row_survives_kill_9_of_the_database_itself(platform: Platform, shop: Project) -> None:
    remember(platform, shop, "killed")
    # a server process that dies takes all others along, and the server recovers from its log
    sql = "select pg_backend_pid()"
    with platform.database(shop) as database:
        row = database.execute(sql).fetchone()
        assert row is not None
        exec_in_db(platform, shop, f"gosu postgres kill -9 {row[0]}")
    assert remembers(platform, shop, "killed")


def exec_in_db(platform: Platform, project: Project, command: str) -> str:
    argv = ("-n", project.namespace, "exec", "db-0", "-c", "db", "--", "sh", "-c", command)
    return platform.cluster.kubectl(*argv).stdout


def test_pods_go_on_while_the_operator_is_dead_and_none_is_replaced_when_it_is_back(
    platform: Platform, shop: Project
) -> None:
    remember(platform, shop, "operator")
    before = {pod["metadata"]["uid"] for pod in platform.pods(shop)}
    platform.operator.kill()
    try:
        with platform.database(shop) as database:
            row = database.execute("select word from public.kept where word = 'operator'")
            assert row.fetchone() == ("operator",)
    finally:
        platform.operator.start()
    platform.until(lambda: platform.answers(PROBE_PORT, "/readyz"), "the operator is ready")
    platform.patch(shop.name, {"displayName": "Shop again"})
    generation = platform.custom_resource(shop.name)["metadata"]["generation"]  # type: ignore[index]
    platform.until(
        lambda: platform.status(shop.name).get("observedGeneration") == generation,
        "the new operator has looked at it",
    )
    # the name is shown by Studio, whose pod alone is another
    gone = before - {pod["metadata"]["uid"] for pod in platform.pods(shop)}
    platform.until_phase(shop.name, "ACTIVE_HEALTHY")
    assert len(gone) <= 1


def test_a_new_password_and_jwt_secret_count_and_the_old_ones_are_refused_though_the_operator_died(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    name = apply("rotated", {**small, "organization": platform.organization})
    old = platform.until_phase(name, "ACTIVE_HEALTHY")
    remember(platform, old, "rotated")
    (before,) = platform.pods(old, "db")
    started, new = time.monotonic(), f"Xk9-{secrets.token_urlsafe(18)}"
    ask(platform, old, "db-password", {"password": new})
    platform.until(lambda: step(platform, name) == "SettingPassword", "the operator begins")
    platform.operator.kill()
    platform.operator.start()
    # a minute for the kubelet to bring the file up to date, and then the bootstrap looks at it
    succeeded(platform, name, "rotateDatabasePassword")
    platform.times["a new database password counts everywhere"] = time.monotonic() - started
    now = platform.project(name)
    assert now.keys[password_key("postgres")] == new
    assert remembers(platform, now, "rotated")
    with pytest.raises(psycopg.OperationalError), platform.database(old):
        pass
    (after,) = platform.pods(old, "db")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]

    started, secret = time.monotonic(), secrets.token_hex(24)
    tracked = {"jwt_secret": secret, "change_tracking_id": secrets.token_hex(8)}
    assert platform.ask(now, "/rest/v1/kept", now.anon).status == 200
    ask(platform, now, "config/secrets", tracked)
    path = f"/platform/projects/{now.ref}/config/secrets/update-status"
    done = {"change_tracking_id": tracked["change_tracking_id"], "status": 1, "progress": 5}
    platform.until(
        lambda: platform.rest("GET", path).json["update_status"] == {**done, "error": None},
        "Studio is told that it is done",
    )
    platform.times["a new JWT secret counts everywhere"] = time.monotonic() - started
    newest = platform.project(name)
    assert newest.keys["jwt-secret"] == secret
    assert platform.ask(newest, "/rest/v1/kept", newest.anon).status == 200
    for stolen in (now.anon, now.service):
        assert platform.ask(newest, "/rest/v1/kept", stolen).status == 401
        beside = {"apikey": newest.anon, "Authorization": f"Bearer {stolen}"}
        assert platform.ask(newest, "/rest/v1/kept", headers=beside).status == 401
    assert remembers(platform, newest, "rotated")


def ask(platform: Platform, project: Project, path: str, body: dict[str, str]) -> None:
    """Changes something over REST, once the API knows whose the project is."""

    def accepted() -> bool:
        status = platform.rest("PATCH", f"/platform/projects/{project.ref}/{path}", body).status
        assert status in (200, 404), status
        return status == 200

    platform.until(accepted, f"{path} is asked for")


def step(platform: Platform, name: str) -> str | None:
    return (platform.status(name).get("operation") or {}).get("step")


def succeeded(platform: Platform, name: str, kind: str) -> None:
    """Waits until the operation has ended."""

    def last() -> dict[str, Any]:
        return platform.status(name).get("lastOperation") or {}

    platform.until(lambda: last().get("kind") == kind, f"{kind} ends")
    assert last()["phase"] == "Succeeded", last()


def test_a_row_survives_another_size(platform: Platform, tiny: Project) -> None:
    remember(platform, tiny, "sized")
    before = limits(platform, tiny)
    started = time.monotonic()
    platform.patch(tiny.name, {"size": "nano"})
    platform.until_phase(tiny.name, "RESIZING", 60)
    platform.until_phase(tiny.name, "ACTIVE_HEALTHY")
    platform.times["another size"] = time.monotonic() - started
    assert remembers(platform, tiny, "sized")
    assert limits(platform, tiny) != before
    (claim,) = platform.items(tiny.namespace, "persistentvolumeclaims")
    assert claim["status"]["capacity"]["storage"] == "8Gi"


def limits(platform: Platform, project: Project) -> dict[str, str]:
    (pod,) = platform.pods(project, "db")
    found: dict[str, str] = pod["spec"]["containers"][0]["resources"]["limits"]
    return found
