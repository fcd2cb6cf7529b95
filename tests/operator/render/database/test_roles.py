"""Does the bootstrap make a real PostgreSQL what the services need?

Not proved here, for no package offers them: the extensions pg_net, pg_graphql, supabase_vault,
pgsodium, uuid-ossp and pgcrypto, which the scripts make only where the server has them; and the
roles that the supabase/postgres image itself makes, which are imitated in test_again.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest

from supaplane_contract.credentials import DATABASE_ROLES
from supaplane_operator.render import scram

pytestmark = pytest.mark.slow
One = Callable[..., Any]


@pytest.mark.parametrize("role", sorted(set(DATABASE_ROLES) - {"supabase_admin", "dashboard_user"}))
def test_each_role_signs_in_with_its_own_password_and_no_other(
    reference: Any, credentials: Mapping[str, str], role: str, one: One
) -> None:
    own = credentials[f"password-{role.replace('_', '-')}"]
    with reference.connect(role, password=own) as connection:
        assert one(connection, "select current_user") == role
    other = credentials["password-supabase-admin"]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        reference.connect(role, password=other)


def test_the_password_of_the_superuser_is_set_too(
    reference: Any, credentials: Mapping[str, str], one: One
) -> None:
    password = credentials["password-supabase-admin"]
    salt_key = credentials["pgsodium-root-key"]
    with reference.connect() as connection:
        stored = one(
            connection, "select rolpassword from pg_authid where rolname = 'supabase_admin'"
        )
    assert stored == scram.verifier(password, role="supabase_admin", salt_key=salt_key)


def test_nobody_else_can_sign_in(reference: Any) -> None:
    with reference.connect() as connection:
        rows = connection.execute(
            "select rolname from pg_authid where rolcanlogin and rolpassword is null"
        ).fetchall()
    # etl runs nowhere here; like in the image it has no password, so nobody gets in
    assert [row[0] for row in rows] == ["supabase_etl_admin"]


def test_postgres_is_no_superuser(reference: Any, credentials: Mapping[str, str], one: One) -> None:
    with reference.connect("postgres", password=credentials["password-postgres"]) as connection:
        assert one(connection, "show is_superuser") == "off"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select rolpassword from pg_authid")


def test_the_data_api_acts_as_whom_the_token_names(
    reference: Any, credentials: Mapping[str, str]
) -> None:
    password = credentials["password-authenticator"]
    with reference.connect("authenticator", password=password) as connection:
        for role in ("anon", "authenticated", "service_role"):
            connection.execute(f"set role {role}")
        connection.execute("reset role")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("set role supabase_admin")


def test_a_table_made_by_people_is_open_to_the_roles_of_the_api(
    reference: Any, credentials: Mapping[str, str], one: One
) -> None:
    password = credentials["password-postgres"]
    with (
        reference.connect("postgres", password=password) as connection,
        connection.transaction(force_rollback=True),
    ):
        connection.execute("create table public.todos (id bigserial primary key)")
        held = "select has_table_privilege(%s, 'public.todos', 'insert')"
        for role in ("anon", "authenticated", "service_role"):
            assert (role, one(connection, held, role)) == (role, True)


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
    reference: Any, role: str, schema: str
) -> None:
    with reference.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(f"set role {role}")
        connection.execute(f"create table {schema}.probe (id int)")


@pytest.mark.parametrize(
    "schema", ["public", "graphql_public", "extensions", "auth", "storage", "supabase_functions"]
)
def test_the_roles_of_the_api_may_look_into_what_is_exposed(
    reference: Any, schema: str, one: One
) -> None:
    with reference.connect() as connection:
        for role in ("anon", "authenticated", "service_role", "postgres"):
            held = one(connection, "select has_schema_privilege(%s, %s, 'usage')", role, schema)
            assert (role, held) == (role, True)


def test_the_pooler_may_ask_for_a_verifier_and_nobody_else(
    reference: Any, credentials: Mapping[str, str]
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


def test_the_internal_database_has_the_schemas_of_its_services(reference: Any, one: One) -> None:
    with reference.connect(dbname="_supabase") as connection:
        for schema in ("_analytics", "_supavisor"):
            assert one(connection, "select to_regnamespace(%s)::text", schema) == schema
        assert one(connection, "select current_database()") == "_supabase"
    with reference.connect() as connection:
        owner = "select pg_get_userbyid(datdba) from pg_database where datname = '_supabase'"
        assert one(connection, owner) == "supabase_admin"


def test_sql_may_ask_how_long_tokens_live(reference: Any, one: One) -> None:
    with reference.connect() as connection:
        assert one(connection, "select current_setting('app.settings.jwt_exp')") == "3600"


def test_realtime_finds_its_publication_and_nothing_in_it(reference: Any, one: One) -> None:
    with reference.connect() as connection:
        query = "select puballtables from pg_publication where pubname = 'supabase_realtime'"
        assert one(connection, query) is False


def test_a_webhook_hands_over_what_changed(reference: Any) -> None:
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


def test_no_password_and_no_verifier_reaches_the_servers_log(
    reference: Any, credentials: Mapping[str, str]
) -> None:
    log = (reference.folder / "log").read_text()
    assert "SCRAM-SHA-256$" not in log
    for key, value in credentials.items():
        assert not key.startswith("password-") or value not in log
