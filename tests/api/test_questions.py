"""What the platform asks a database, asked of a real PostgreSQL: mistakes, users, sizes."""

import psycopg
import pytest

from supaplane_api.gatewayed.people import LIST
from supaplane_api.lints.checks import CHECKS, findings
from supaplane_api.lints.statement import STATEMENT
from supaplane_api.usage.measure import DATABASE_SIZE, FILES_SIZE

MISTAKES = """
create table public.open (id int primary key);
create table public.half (id int primary key);
create policy p on public.half using (true);
create table public.shut (id int primary key);
alter table public.shut enable row level security;
create table public.fine (id int primary key, other int references public.open (id));
create index fine_other on public.fine (other);
alter table public.fine enable row level security;
create policy p on public.fine using (true);
create schema app;
create table app.keyless (open_id int constraint to_open references public.open (id), a int);
create index one on app.keyless (a);
create index two on app.keyless (a);
create index three on app.keyless (a, open_id);
create view public.all_open as select * from public.open;
create view public.own_open with (security_invoker = true) as select * from public.open;
create function app.loose() returns int language sql as 'select 1';
create function app.bound() returns int language sql set search_path = '' as 'select 1';
create schema auth;
create table auth.internal (id int);
"""


@pytest.fixture
async def database(empty_database_url):
    async with await psycopg.AsyncConnection.connect(
        empty_database_url, autocommit=True
    ) as connection:
        yield connection


async def found(connection):
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return list(findings(await (await cursor.execute(STATEMENT)).fetchall()))


async def test_an_empty_database_has_no_mistakes(database):
    assert await found(database) == []


async def test_every_mistake_is_found_where_it_is(database):
    await database.execute(MISTAKES)
    seen = {(one.check.name, f"{one.schema}.{one.name}") for one in await found(database)}
    assert seen == {
        ("rls_disabled_in_public", "public.open"),
        ("rls_disabled_in_public", "public.half"),
        ("policy_exists_rls_disabled", "public.half"),
        ("rls_enabled_no_policy", "public.shut"),
        ("no_primary_key", "app.keyless"),
        ("unindexed_foreign_keys", "app.keyless"),
        ("duplicate_index", "app.keyless"),
        ("security_definer_view", "public.all_open"),
        ("function_search_path_mutable", "app.loose"),
    }


async def test_a_finding_says_what_it_is_about(database):
    await database.execute(MISTAKES)
    by_name = {one.check.name: one for one in await found(database)}
    assert by_name["duplicate_index"].more == "one, two"
    assert "`app.keyless` has a foreign key `to_open`" in by_name["unindexed_foreign_keys"].detail
    keys = [one.key for one in await found(database)]
    assert len(keys) == len(set(keys))


async def test_an_extension_in_public_is_told_and_what_belongs_to_it_is_not(database):
    available = "select 1 from pg_available_extensions where name = 'vector'"
    assert await (await database.execute(available)).fetchone()
    await database.execute("create extension vector schema public")
    assert [one.check.name for one in await found(database)] == ["extension_in_public"]


def test_each_check_is_made_and_each_that_is_made_is_known():
    for check in CHECKS:
        assert f"'{check.name}'" in STATEMENT
    assert list(findings([{"lint": "unheard_of", "schema": "a", "name": "b"}])) == []


@pytest.fixture
async def people(database):
    await database.execute(
        """
        create schema auth;
        create table auth.users (
          id uuid default gen_random_uuid(), aud text, role text, email text, phone text,
          encrypted_password text, email_confirmed_at timestamptz, phone_confirmed_at timestamptz,
          confirmed_at timestamptz, invited_at timestamptz, last_sign_in_at timestamptz,
          raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_sso_user bool,
          is_anonymous bool default false, created_at timestamptz, updated_at timestamptz,
          banned_until timestamptz, deleted_at timestamptz);
        insert into auth.users (email, phone, confirmed_at, is_anonymous, created_at,
                                encrypted_password)
        values ('Ada@example.org', null, now(), false, '2026-11-01', 'hush'),
               ('ben@example.org', '4912345', null, false, '2026-11-02', 'hush'),
               (null, null, null, true, '2026-11-03', 'hush')
        """
    )

    async def listed(keywords="", verified="", limit=20, offset=0):
        # psycopg's own way to number parameters is that of PostgreSQL in raw cursors
        cursor = psycopg.AsyncRawCursor(database)
        await cursor.execute(LIST, [keywords, verified, limit, offset])
        total, users = await cursor.fetchone()
        return total, [user["email"] for user in users], users

    return listed


async def test_the_newest_users_come_first_in_pages_and_without_passwords(people):
    total, emails, users = await people(limit=2)
    assert (total, emails) == (3, [None, "ben@example.org"])
    assert "encrypted_password" not in users[0]
    assert (await people(limit=2, offset=2))[1] == ["Ada@example.org"]


@pytest.mark.parametrize(
    ("keywords", "verified", "emails"),
    [
        ("ada@", "", ["Ada@example.org"]),
        ("123", "", ["ben@example.org"]),
        ("%", "", []),
        ("", "verified", ["Ada@example.org"]),
        ("", "unverified", [None, "ben@example.org"]),
        ("", "anonymous", [None]),
    ],
)
async def test_users_are_found_by_what_is_typed(people, keywords, verified, emails):
    assert (await people(keywords, verified))[1] == emails


async def test_sizes_are_looked_up(database):
    ((size,),) = await (await database.execute(DATABASE_SIZE)).fetchall()
    assert int(size) > 1_000_000
    await database.execute("create schema storage; create table storage.objects (metadata jsonb)")
    assert (await (await database.execute(FILES_SIZE)).fetchone()) == ("0",)
    await database.execute("""insert into storage.objects values ('{"size": 7}'), (null)""")
    assert (await (await database.execute(FILES_SIZE)).fetchone()) == ("7",)
