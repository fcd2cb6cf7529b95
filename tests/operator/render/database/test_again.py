"""Can the bootstrap run again, whatever happened before?"""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest

from supaplane_contract.credentials import DATABASE_ROLES
from supaplane_operator.render import scram
from supaplane_operator.render.bootstrap import SQL

pytestmark = pytest.mark.slow
One = Callable[..., Any]
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


def test_a_second_run_changes_and_writes_nothing(reference: Any, one: One) -> None:
    before = reference.dump()
    versions = "select array_agg(rolname || xmin::text order by rolname) from pg_authid"
    with reference.connect() as connection:
        stamps = one(connection, versions)
        steps = one(connection, "select array_agg(step || applied_at) from _supaplane.bootstrap")
        reference.bootstrap()
        assert one(connection, versions) == stamps
        again = one(connection, "select array_agg(step || applied_at) from _supaplane.bootstrap")
    assert again == steps
    assert reference.dump() == before


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


def test_passwords_of_every_kind_let_their_owner_in(start: Any) -> None:
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
            changed = dataclasses.replace(server, environment=environment)
            changed.bootstrap()
            server.connect("postgres", password=password).close()
            # the server's own idea of the same password
            with server.connect() as connection:
                literal = psycopg.sql.Literal(password)
                connection.execute(
                    psycopg.sql.SQL("alter role pgbouncer password {}").format(literal)
                )
            server.connect("pgbouncer", password=password).close()


def test_what_the_image_made_is_left_as_it_is(
    start: Any, credentials: Mapping[str, str], one: One
) -> None:
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
            assert one(connection, "select count(*) from pg_default_acl d join pg_roles r"
                        " on r.oid = d.defaclrole where rolname = 'postgres'") == 0  # fmt: skip
        server.connect("postgres", password=credentials["password-postgres"]).close()


CUTS = [(name, 0.5) for name in SQL] + [
    ("30-foundation.sql", 1.0),
    ("90-internal-database.sql", 1.0),
]


@pytest.mark.parametrize(("name", "part"), CUTS)
def test_cut_off_anywhere_and_run_again_it_arrives_at_the_same(
    start: Any, reference: Any, name: str, part: float
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
    start: Any, reference: Any
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
