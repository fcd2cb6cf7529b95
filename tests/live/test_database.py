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
    platform: Platform, shop: Project, apply: Any
) -> None:
    made = platform.query(shop.ref, "create table public.only_here (id int); select 1 as one")
    assert (made.status, made.json) == (200, [{"one": 1}])
    other = platform.until_healthy(platform.order("other"), "a second project over REST")
    sql = "select to_regclass('public.only_here') is not null as there"
    assert platform.query(shop.ref, sql).json == [{"there": True}]
    assert platform.query(other.ref, sql).json == [{"there": False}]
    assert platform.rest("DELETE", f"/platform/projects/{other.ref}").status == 200
    platform.until(lambda: platform.custom_resource(other.name) is None, "other is gone")


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


def test_a_new_password_is_taken_in_by_the_running_database_and_the_old_one_is_refused(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    name = apply("password", small)
    project = platform.until_phase(name, "ACTIVE_HEALTHY")
    (before,) = platform.pods(project, "db")
    new = secrets.token_hex(16)
    platform.change_key(name, password_key("postgres"), new)

    def taken() -> bool:
        try:
            with platform.database(project, password=new):
                return True
        except psycopg.OperationalError:
            return False

    # a minute for the kubelet to bring the file up to date, and then the bootstrap looks at it
    platform.until(taken, "the new password is taken")
    with pytest.raises(psycopg.OperationalError), platform.database(project):
        pass
    (after,) = platform.pods(project, "db")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_row_survives_another_size(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    project = platform.until_phase(apply("sized", small), "ACTIVE_HEALTHY")
    remember(platform, project, "sized")
    before = limits(platform, project)
    platform.patch(project.name, {"size": "nano"})
    platform.until_phase(project.name, "RESIZING", 60)
    started = time.monotonic()
    platform.until_phase(project.name, "ACTIVE_HEALTHY")
    platform.times["another size"] = time.monotonic() - started
    assert remembers(platform, project, "sized")
    assert limits(platform, project) != before
    (claim,) = platform.items(project.namespace, "persistentvolumeclaims")
    assert claim["status"]["capacity"]["storage"] == "8Gi"


def limits(platform: Platform, project: Project) -> dict[str, str]:
    (pod,) = platform.pods(project, "db")
    found: dict[str, str] = pod["spec"]["containers"][0]["resources"]["limits"]
    return found
