"""What every request has to keep to, and what every answer carries."""

import asyncio
import json
import logging

import httpx
import pytest

from supaplane_api.logs import JsonFormatter
from supaplane_api.projects import change
from supaplane_api.web import cors, envelope

STUDIO = "https://studio.example.org"
JSON = {"Content-Type": "application/json"}


async def test_errors_are_messages_whoever_raises_them(bench):
    for method, path, status in (
        ("GET", "/nope", 404),
        ("POST", "/platform/nope", 404),
        ("DELETE", "/profile", 405),
        ("GET", "/profile", 401),
        ("GET", "/platform/organizations/", 404),
    ):
        answer = await bench.client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/json"
        assert set(answer.json()) == {"message"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 200_000,
        b'{"name": NaN}',
        b'{"name": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"null",
    ],
    ids=["nothing", "half", "nested", "nan", "long number", "no text", "null"],
)
async def test_a_body_that_is_no_json_object_is_refused(bench, content):
    person = await bench.person()
    answer = await person.client.post("/organizations", content=content, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["message"]


async def test_the_type_of_a_body_must_be_json(bench):
    person = await bench.person()
    answer = await person.client.post("/organizations", content=b'{"name": "Acme"}')
    assert answer.status_code == 400


async def test_what_was_sent_is_not_repeated_in_the_error(bench):
    person = await bench.person()
    answer = await person.post("/platform/projects", {"db_pass": ["my-secret-password"]})
    assert answer.status_code == 400
    assert "my-secret-password" not in answer.text


async def test_every_answer_has_an_id_and_headers_that_browsers_act_upon(bench):
    for path in ("/healthz", "/nope", "/profile"):
        headers = (await bench.client.get(path)).headers
        assert len(headers["X-Request-Id"]) == 32
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("0d2b6c1e-7f3a-4c57-9d0c-5a1b2c3d4e5f", True),
        ("x", False),
        ("a" * 65, False),
        ("a b" * 5, False),
    ],
)
async def test_a_clients_request_id_is_kept_if_it_is_one(bench, sent, kept):
    answer = await bench.client.get("/healthz", headers={"X-Request-Id": sent})
    assert (answer.headers["X-Request-Id"] == sent) == kept


async def test_a_body_that_announces_too_much_is_not_read(bench, settings):
    answer = await bench.client.post(
        "/signup", content=b"x" * (settings.max_body_bytes + 1), headers=JSON
    )
    assert answer.status_code == 413
    assert str(settings.max_body_bytes) in answer.json()["message"]


async def test_a_body_that_grows_too_large_is_cut_off(bench, settings):
    sent = 0

    async def chunks():
        nonlocal sent
        while sent < 50 * settings.max_body_bytes:
            sent += 65536
            yield b" " * 65536

    answer = await bench.client.post("/signup", content=chunks(), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["message"]


async def test_a_body_that_does_not_come_is_not_waited_for(bench, monkeypatch):
    monkeypatch.setattr(envelope, "BODY_SECONDS", 0.05)

    async def chunks():
        yield b"{"
        await asyncio.sleep(30)
        yield b"}"

    async with asyncio.timeout(25):
        answer = await bench.client.post("/signup", content=chunks(), headers=JSON)
    assert answer.status_code == 408


async def test_what_nobody_foresaw_says_nothing_of_itself(bench, monkeypatch, caplog):
    person = await bench.person()
    ref = (await bench.project(person, await bench.organization(person)))["ref"]

    async def broken(*_args):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(change, "rename", broken)
    answer = await person.patch(f"/projects/{ref}", {"name": "x"})
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.json()["message"]
    assert "unexpected error" in caplog.text


def preflight(origin, method="PATCH"):
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,version,x-request-id",
    }


@pytest.mark.parametrize("method", cors.METHODS)
async def test_studios_browser_may_use_every_method(bench, method):
    answer = await bench.client.options("/platform/projects", headers=preflight(STUDIO, method))
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == STUDIO
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert "*" not in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", f"{STUDIO}.evil.org"])
async def test_other_pages_may_not(bench, origin):
    answer = await bench.client.options("/platform/projects", headers=preflight(origin))
    assert answer.status_code == 400
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.json()["message"]
    answer = await bench.client.get("/healthz", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_errors_can_be_read_by_studio_too(bench):
    answer = await bench.client.get("/profile", headers={"Origin": STUDIO})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == STUDIO
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


async def test_requests_are_counted_by_route_and_never_by_path(bench):
    person = await bench.person()
    ref = (await bench.project(person, await bench.organization(person)))["ref"]
    await person.get(f"/projects/{ref}/status")
    await bench.client.get("/nope/hunter2")
    await bench.client.request("HUNTER2", "/healthz")
    text = (await bench.client.get("/metrics")).text
    assert 'route="/projects/{ref}/status",status="200"} 1.0' in text
    assert 'route="(none)",status="404"} 1.0' in text
    assert ref not in text
    assert "hunter2" not in text.lower()


def test_a_log_line_is_one_json_object():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "hello\n%s", ("wörld",), None)
    record.ref = "a" * 20
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "hello\nwörld"
    assert json.loads(line)["ref"] == "a" * 20


async def test_health_is_told_without_a_token(bench):
    assert (await bench.client.get("/healthz")).json() == {"status": "ok"}
    ready = await bench.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "database": True, "snapshot": True}


async def test_the_document_is_served_and_no_page_with_scripts(bench):
    document: httpx.Response = await bench.client.get("/openapi.json")
    assert document.json()["openapi"].startswith("3.")
    assert (await bench.client.get("/docs")).status_code == 404
