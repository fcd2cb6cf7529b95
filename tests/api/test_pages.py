"""Every call of every page of Studio is answered as it reads it, in every phase of a project."""

from contextlib import AsyncExitStack

import orjson
import pytest

from supaplane_api.documents import application
from supaplane_contract import ComponentName, Phase

from .pages import CALLS, DOCUMENT, QUERY, Needs, documented
from .shapes import ANY, Or, Word, missing, unpromised
from .stack import USER, Stack

STOPPED = {"INACTIVE", "PAUSING", "GOING_DOWN", "INIT_FAILED"}
"""Phases in which nothing of a project should run."""
INSIDE = {Needs.DATABASE, Needs.GATEWAY, Needs.ANALYTICS}
RUNNING = [{"name": name.value, "phase": "Ready"} for name in ComponentName]
READS = [call for call in CALLS if not call.changes]
CHANGES = [call for call in CALLS if call.changes]
OPENAPI = application().openapi()


def name(call):
    return f"{call.method} {call.path}"


@pytest.fixture
def stack():
    return Stack()


@pytest.fixture
async def bench(make_bench, stack):
    async with AsyncExitStack() as closing:
        yield await make_bench(closing, inside=stack)


@pytest.fixture
async def place(bench):
    """Somebody with a project, and what the placeholders of paths stand for there."""
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization)
    saved = f"/platform/projects/{made['ref']}/content"
    assert (await person.put(saved, QUERY)).is_success
    known = {"slug": organization["slug"], "ref": made["ref"], "user": USER, "content": USER}
    return person, known


async def answered(person, known, call):
    path, body = call.path, orjson.dumps(call.body).decode()
    for word, value in known.items():
        path, body = path.replace(f"{{{word}}}", value), body.replace(f"{{{word}}}", value)
    sent = {} if call.body is None else {"json": orjson.loads(body)}
    return await person.client.request(call.method, path, **sent)


def wrong(call, answer, expected):
    """What is not as it should be."""
    if expected == "success":
        if not answer.is_success:
            return [f"{name(call)} -> {answer.status_code} {answer.text[:100]}"]
        if call.shape is ANY or call.method == "HEAD":
            return []
        return list(missing(call.shape, answer.json(), name(call)))
    if answer.status_code != expected:
        return [f"{name(call)} -> {answer.status_code}, not {expected}: {answer.text[:100]}"]
    if call.method != "HEAD" and not answer.json().get("message"):
        return [f"{name(call)} says nothing"]
    return []


def expected(call, *, stopped):
    if call.needs in INSIDE and stopped:
        return 503
    return {Needs.REFUSED: 501, Needs.ABSENT: 404}.get(call.needs, "success")


@pytest.mark.parametrize("phase", Phase)
async def test_every_page_is_answered_in_every_phase(bench, place, stack, phase):
    person, known = place
    await bench.says(known["ref"], phase=phase.value, components=RUNNING)
    found = []
    for call in READS:
        before = len(stack.calls)
        answer = await answered(person, known, call)
        stopped = phase.value in STOPPED
        found += wrong(call, answer, expected(call, stopped=stopped))
        asked = len(stack.calls) > before
        if asked and (stopped or call.needs not in INSIDE | {Needs.LOOKS}):
            found.append(f"{name(call)} asks a project that is {phase}, or that it need not ask")
    assert found == []


async def test_what_a_silent_service_should_say_is_never_made_up(bench, place, stack):
    person, known = place
    await bench.says(known["ref"], phase="ACTIVE_HEALTHY", components=RUNNING)
    stack.silent = True
    found = []
    for call in CALLS:
        if call.needs in INSIDE:
            found += wrong(call, await answered(person, known, call), 503)
    assert found == []
    usage = await person.get(f"/platform/organizations/{known['slug']}/usage")
    assert usage.json()["usages"] == []
    assert usage.json()["not_measured"] == [known["ref"]]


async def test_a_project_without_analytics_has_no_logs_in_any_phase(bench, place, stack):
    person, known = place
    without = [part for part in RUNNING if part["name"] != "analytics"]
    calls = [call for call in READS if call.needs is Needs.ANALYTICS]
    for phase in Phase:
        await bench.says(known["ref"], phase=phase.value, components=without)
        for call in calls:
            answer = await answered(person, known, call)
            assert answer.json() == {"result": [], "error": None}, name(call)
    assert stack.calls == []


@pytest.mark.parametrize("call", CHANGES, ids=name)
async def test_every_change_is_answered_and_audited(bench, place, call):
    person, known = place
    await bench.says(known["ref"], phase="ACTIVE_HEALTHY", components=RUNNING)
    ((before,),) = await bench.sql("SELECT count(*) FROM audit_log")
    answer = await answered(person, known, call)
    assert wrong(call, answer, "success") == []
    rows = await bench.sql("SELECT details::text FROM audit_log ORDER BY id OFFSET %s", (before,))
    assert rows
    assert "plum kettle" not in str(rows)


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_the_document_promises_what_pages_read(call):
    pattern = next(
        path
        for path in OPENAPI["paths"]
        if matches(path, call.pattern) and call.method.lower() in OPENAPI["paths"][path]
    )
    responses = OPENAPI["paths"][pattern][call.method.lower()]["responses"]
    if call.needs in (Needs.REFUSED, Needs.ABSENT):
        assert {Needs.REFUSED: "501", Needs.ABSENT: "404"}[call.needs] in responses
        return
    good = next(response for status, response in responses.items() if status < "300")
    schema = good.get("content", {}).get("application/json", {}).get("schema", {})
    assert list(unpromised(call.shape, schema, OPENAPI)) == []
    if call.needs in INSIDE:
        assert "503" in responses


def matches(pattern, path):
    ours, theirs = pattern.split("/"), path.split("/")
    if ours[-1] == "{rest}" and len(theirs) >= len(ours):
        theirs = [*theirs[: len(ours) - 1], "rest"]
    return len(ours) == len(theirs) and all(
        a == b or (a.startswith("{") and b not in ("{ref}", "{slug}"))
        for a, b in zip(ours, theirs, strict=True)
    )


def test_the_guide_shows_every_call():
    text = DOCUMENT.read_text()
    assert documented(text) == text, "run `python tests/api/pages.py`"


def test_no_call_is_listed_twice():
    assert len({name(call) for call in CALLS}) == len(CALLS)


@pytest.mark.parametrize(
    ("shape", "value", "complaints"),
    [
        ({"a": str, "b?": float}, {"a": "x"}, 0),
        ({"a": str}, {}, 1),
        ({"a": [float]}, {"a": [1, "2"]}, 1),
        ([dict], {}, 1),
        (Or(str, None), None, 0),
        (float, True, 1),
        (Word("a", "b"), "c", 1),
    ],
)
def test_a_shape_tells_what_is_missing(shape, value, complaints):
    assert len(list(missing(shape, value))) == complaints


def test_a_schema_without_a_required_key_is_noticed():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert list(unpromised({"a": str}, schema, {}))
    assert list(unpromised({"a": str}, schema | {"required": ["a"]}, {})) == []
    assert list(unpromised({"a": float}, schema | {"required": ["a"]}, {}))
