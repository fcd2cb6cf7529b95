"""An administrator makes accounts on the command line, where sign-up is closed."""

import io
from contextlib import AsyncExitStack

import pytest

from supaplane_api.accounts import main

STRONG = "plum kettle orbit 47"


@pytest.fixture
def run(database_url, monkeypatch):
    def run(*arguments, password=STRONG):
        monkeypatch.setenv("DATABASE_URL", database_url)
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        return main(arguments)

    return run


async def signs_in(bench, email, password):
    answer = await bench.client.post("/auth/token", json={"email": email, "password": password})
    return answer.status_code == 200


def test_an_account_that_was_added_can_sign_in_where_sign_up_is_closed(run, make_bench, settings):
    import asyncio

    assert run("add", "Ada@Example.org") == 0

    async def look():
        async with AsyncExitStack() as stack:
            closed = settings.model_copy(update={"allow_signup": False})
            bench = await make_bench(stack, settings=closed)
            assert await signs_in(bench, "ada@example.org", STRONG)

    asyncio.run(look())


def test_a_new_password_ends_all_sessions(run, make_bench):
    import asyncio

    async def look():
        async with AsyncExitStack() as stack:
            bench = await make_bench(stack)
            person = await bench.person("ada@example.org")
            changed = await asyncio.to_thread(
                run, "set-password", "ada@example.org", password="violet harbor 92 saddle"
            )
            assert changed == 0
            assert (await person.get("/profile")).status_code == 401
            assert not await signs_in(bench, "ada@example.org", STRONG)
            assert await signs_in(bench, "ada@example.org", "violet harbor 92 saddle")
            rows = await bench.sql("SELECT details::text FROM audit_log ORDER BY id")
            assert "violet" not in str(rows)

    asyncio.run(look())


@pytest.mark.parametrize(
    ("arguments", "password", "told"),
    [
        (("add", "ada@example.org"), "password1", "too weak"),
        (("add", "ada@example.org"), "short", "password"),
        (("add", "nobody"), STRONG, "email"),
        (("set-password", "ada@example.org"), STRONG, "no account"),
    ],
)
def test_what_is_refused_is_told(run, capsys, arguments, password, told):
    assert run(*arguments, password=password) == 1
    error = capsys.readouterr().err
    assert told in error
    assert password not in error


def test_an_account_is_added_only_once(run, capsys):
    assert run("add", "ada@example.org") == 0
    assert run("add", "ada@example.org") == 1
    assert "already" in capsys.readouterr().err
