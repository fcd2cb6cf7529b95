"""SQL through the platform: for members only, to their project only, as the role that is theirs."""

import asyncio
import base64
import hashlib
from contextlib import AsyncExitStack
from urllib.parse import unquote, urlsplit

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from supaplane_api.access import Role
from supaplane_api.inside import Call, NotReached, Part, TooMuch
from supaplane_api.inside.http import HttpInside, Way, of_the_proxy, proxy_path
from supaplane_api.pgmeta import connection
from supaplane_api.pgmeta.service import first_word
from supaplane_contract import from_secret_data, names
from supaplane_kube.resources import SECRETS

from .inside import ScriptedInside

HOME = names.DEFAULT_HOME_NAMESPACE


@pytest.fixture
def inside():
    return ScriptedInside(answer=[{"one": 1}])


@pytest.fixture
async def bench(make_bench, inside):
    async with AsyncExitStack() as stack:
        yield await make_bench(stack, inside=inside)


def credentials(bench, ref):
    return from_secret_data(bench.kube.peek(SECRETS, HOME, names.credentials_secret(ref)))


def decrypted(header, passphrase):
    """As the other side does it, written a second time."""
    raw = base64.b64decode(header)
    assert raw[:8] == b"Salted__"
    blocks = [b""]
    for _ in range(3):
        blocks.append(hashlib.md5(blocks[-1] + passphrase.encode() + raw[8:16]).digest())
    made = b"".join(blocks)
    decryptor = Cipher(algorithms.AES(made[:32]), modes.CBC(made[32:])).decryptor()
    padded = decryptor.update(raw[16:]) + decryptor.finalize()
    return padded[: -padded[-1]].decode()


def test_connections_are_encrypted_as_openssl_does_it():
    made = connection.encrypted(
        "postgresql://x", "passphrase", random_bytes=lambda n: bytes(range(1, n + 1))
    )
    assert base64.b64decode(made)[16:] == base64.b64decode("3uUVcpUTUn97EUcTyU1MLA==")


async def test_the_rows_come_back_as_a_bare_array(bench, shop, inside):
    person, _, ref = shop
    answer = await person.post(f"/platform/pg-meta/{ref}/query", {"query": "select 1 as one"})
    assert (answer.status_code, answer.json()) == (200, [{"one": 1}])
    assert (inside.last.ref, inside.last.part, inside.last.path) == (ref, Part.META, "/query")
    assert inside.sent == {"query": "select 1 as one"}


@pytest.mark.parametrize(
    ("role", "user"),
    [
        (Role.OWNER, "postgres"),
        (Role.DEVELOPER, "postgres"),
        (Role.READ_ONLY, "supabase_read_only_user"),
    ],
)
async def test_sql_runs_as_the_role_that_the_member_is_given(bench, shop, inside, role, user):
    _, organization, ref = shop
    member = await bench.member(organization, role.value)
    await member.post(f"/platform/pg-meta/{ref}/query", {"query": "select 1"})
    values = credentials(bench, ref)
    url = urlsplit(decrypted(inside.last.headers[connection.HEADER], values[connection.CRYPTO_KEY]))
    assert url.username == user
    assert url.password == values[f"password-{user.replace('_', '-')}"]
    assert url.hostname == f"db.supabase-{ref}.svc"
    options = unquote(url.query)
    assert "statement_timeout=60s" in options
    assert ("default_transaction_read_only=on" in options) == (role is Role.READ_ONLY)


async def test_a_connection_out_of_the_request_is_never_used(bench, shop, inside):
    person, _, ref = shop
    evil = {"x-connection-encrypted": "evil", "x-pg-application-name": "evil", "host": "evil"}
    await person.post(
        f"/platform/pg-meta/{ref}/query?key=evil", {"query": "select 1"}, headers=evil
    )
    assert "evil" not in repr(dict(inside.last.headers)) + inside.last.path + inside.last.ref
    assert inside.last.query == [("queryTimeoutSecs", "62")]


async def test_strangers_reach_nothing(bench, shop, inside):
    stranger = await bench.person()
    answer = await stranger.post(f"/platform/pg-meta/{shop[2]}/query", {"query": "select 1"})
    assert answer.status_code == 404
    assert inside.calls == []


async def test_read_only_members_change_no_tables(bench, shop, inside):
    _, organization, ref = shop
    member = await bench.member(organization, "Read-only")
    answer = await member.post(f"/platform/pg-meta/{ref}/tables", {"name": "t"})
    assert answer.status_code == 403
    assert inside.calls == []


async def test_an_id_in_the_query_is_one_segment_of_the_path(bench, shop, inside):
    person, _, ref = shop
    await person.patch(f"/platform/pg-meta/{ref}/tables?id=16384", {"name": "t"})
    assert (inside.last.method, inside.last.path) == ("PATCH", "/tables/16384")
    await person.client.delete(f"/pg-meta/{ref}/columns?id=../config&cascade=true")
    assert (inside.last.path, inside.last.query) == ("/columns/..%2Fconfig", [("cascade", "true")])
    assert (await person.client.delete(f"/pg-meta/{ref}/columns?id=..")).status_code == 400
    assert (await person.client.delete(f"/pg-meta/{ref}/columns")).status_code == 400


async def test_only_what_is_known_can_be_listed(bench, shop, inside):
    person, _, ref = shop
    answer = await person.get(f"/platform/pg-meta/{ref}/tables?included_schemas=public")
    assert answer.json() == [{"one": 1}]
    assert inside.last.query == [("included_schemas", "public")]
    assert (await person.get(f"/platform/pg-meta/{ref}/config")).status_code == 400


async def test_every_run_is_audited_without_its_text(bench, shop):
    person, _, ref = shop
    sql = "-- x\nalter role a password 'hush'"
    await person.post(f"/platform/pg-meta/{ref}/query", {"query": sql})
    rows = await bench.sql("SELECT actor_email, details FROM audit_log WHERE action = 'sql.run'")
    assert rows == [
        (person.email, {"database_role": "postgres", "command": "ALTER", "characters": len(sql)})
    ]


async def test_an_error_of_the_database_is_told_as_it_is(bench, shop, inside):
    inside.answer, inside.status = {"message": 'relation "x" does not exist'}, 400
    answer = await shop[0].post(f"/pg-meta/{shop[2]}/query", {"query": "table x"})
    assert (answer.status_code, answer.json()) == (400, {"message": 'relation "x" does not exist'})


async def test_the_place_of_a_mistake_is_told_and_nothing_else_of_an_error(shop, inside):
    person, _, ref = shop
    inside.status = 400
    inside.answer = {"message": "no", "formattedError": "LINE 1: no", "stack": "at x", "error": {}}
    answer = await person.post(f"/pg-meta/{ref}/query", {"query": "no"})
    assert answer.json() == {"message": "no", "formattedError": "LINE 1: no"}


@pytest.mark.parametrize(("error", "status"), [(NotReached("secret"), 503), (TooMuch(), 400)])
async def test_what_cannot_be_answered_says_so(bench, shop, inside, error, status):
    def fails(_):
        raise error

    inside.told = fails
    answer = await shop[0].post(f"/pg-meta/{shop[2]}/query", {"query": "select 1"})
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_a_paused_project_is_not_even_asked(bench, shop, inside):
    person, _, ref = shop
    await bench.says(ref, phase="INACTIVE")
    answer = await person.post(f"/pg-meta/{ref}/query", {"query": "select 1"})
    assert answer.status_code == 503
    assert "INACTIVE" in answer.json()["message"]
    assert inside.calls == []


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select 1", "SELECT"),
        ("  /* a */ -- b\n Drop table x", "DROP"),
        ("(select 1)", ""),
        ("", ""),
    ],
)
def test_the_command_is_seen_behind_comments(sql, word):
    assert first_word(sql) == word


@pytest.fixture
async def served():
    """A real HTTP server in the place of a Service, and a way to it."""
    seen = []

    async def answer(request):
        seen.append((request.method, request.raw_path, dict(request.headers)))
        if request.path == "/slow":
            await asyncio.sleep(5)
        if request.path == "/away":
            raise web.HTTPFound("http://elsewhere.example/")
        return web.json_response(["x" * 1000])

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]

    async def nothing():
        return {}

    way = HttpInside(Way(lambda ref, part: f"http://127.0.0.1:{port}", nothing))
    yield way, seen
    await way.close()
    await runner.cleanup()


def call(path, **more):
    return Call("a" * 20, Part.META, "GET", path, **more)


async def test_an_encoded_path_arrives_as_it_was_encoded(served):
    way, seen = served
    reply = await way.send(call("/tables/..%2Fx", query=[("a", "b c")], headers={"apikey": "k"}))
    assert reply.status == 200
    assert seen[0][1] in ("/tables/..%2Fx?a=b+c", "/tables/..%2Fx?a=b%20c")
    assert seen[0][2]["apikey"] == "k"


async def test_what_is_too_large_or_too_slow_is_given_up(served):
    way, _ = served
    with pytest.raises(TooMuch):
        await way.send(call("/large", most_bytes=100))
    with pytest.raises(NotReached):
        await way.send(call("/slow", seconds=0.2))


async def test_no_redirect_is_followed_out_of_the_project(served):
    way, seen = served
    assert (await way.send(call("/away"))).status == 302
    assert len(seen) == 1


def test_the_api_servers_own_errors_are_not_the_services():
    assert of_the_proxy(503, b'{"kind":"Status","apiVersion":"v1","code":503}')
    assert not of_the_proxy(400, b'{"message":"relation does not exist"}')
    assert not of_the_proxy(200, b'{"kind":"Status","apiVersion":"v1"}')
    assert proxy_path("a" * 20, Part.META).endswith("/services/http:meta:8080/proxy")
