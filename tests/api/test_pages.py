"""Every call of every page of Studio is answered as it reads it, in every phase of a project."""

from contextlib import AsyncExitStack

import orjson
import pytest

from supaplane_api.documents import application
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import ComponentName, Phase, names

from .pages import CALLS, DOCUMENT, Form, Needs, documented
from .pages.contents import QUERY
from .shapes import ANY, Or, Word, missing, unpromised
from .stack import USER, Stack

HOME, PROJECT = names.DEFAULT_HOME_NAMESPACE, "/platform/projects/{ref}"
ORGANIZATION = "/platform/organizations"
STOPPED = {"INACTIVE", "PAUSING", "GOING_DOWN", "INIT_FAILED"}
"""Phases in which nothing of a project should run."""
INSIDE = {Needs.DATABASE, Needs.GATEWAY, Needs.ANALYTICS}
RUNNING = [{"name": name.value, "phase": "Ready"} for name in ComponentName]
LAST = {("POST", f"{PROJECT}/transfer"), ("DELETE", PROJECT)}
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
    person, other = await bench.person(), await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization, desired_instance_size="micro")
    known = {"slug": organization["slug"], "ref": made["ref"], "user": USER, "content": USER}
    known |= {"function": "hello"}
    for name in ("empty", "taker"):
        known[name] = (await bench.organization(person, name=name))["slug"]
    elsewhere = await bench.organization(other)
    known |= {"other": elsewhere["slug"]}
    for name in ("member", "leaver"):
        known[name] = (await bench.member(organization, "Developer")).session["user"]["id"]
    made_for_it = {
        "token": (other, f"{ORGANIZATION}/{elsewhere['slug']}/members/invitations", "token"),
        "invitation": (person, f"{ORGANIZATION}/{organization['slug']}/members/invitations", "id"),
        "key": (person, "/platform/profile/access-tokens", "id"),
        "folder": (person, f"/platform/projects/{made['ref']}/content/folders", "id"),
    }
    body = {"email": person.email, "role_id": 3, "name": "Mine"}
    for name, (who, path, key) in made_for_it.items():
        invited = "zed@example.org" if name == "invitation" else person.email
        answer = await who.post(path, body | {"email": invited})
        assert answer.status_code == 201, answer.text
        known[name] = str(answer.json()[key])
    saved = await person.put(f"/platform/projects/{made['ref']}/content", QUERY)
    function = {"slug": "hello", "name": "Hello", "body": "// hello"}
    deployed = await person.post(f"/v1/projects/{made['ref']}/functions", function)
    old = await person.post(f"/v1/projects/{made['ref']}/secrets", [{"name": "OLD", "value": "x"}])
    assert all(answer.is_success for answer in (saved, deployed, old))
    return person, known


async def phase_is(bench, ref, phase, parts=RUNNING):
    """The operator says so; a database of such a project has a load balancer."""
    live = bench.kube.peek(PROJECTS, HOME, ref)
    live["spec"].setdefault("database", {})["external"] = {"enabled": True}
    if phase == "GOING_DOWN":
        live["metadata"] |= {"deletionTimestamp": "2026-11-22T12:00:00Z", "finalizers": ["a/b"]}
    bench.kube.put(PROJECTS, live)
    await bench.says(ref, phase=phase, components=parts)
    await bench.until(lambda: bench.services.snapshot.get(HOME, ref).status == phase)


async def answered(person, known, call):
    form = isinstance(call.body, Form)
    path, body = call.path, "null" if form else orjson.dumps(call.body).decode()
    for word, value in known.items():
        path, body = path.replace(f"{{{word}}}", value), body.replace(f"{{{word}}}", value)
    sent = {} if call.body is None else {"json": orjson.loads(body)}
    if form:
        files = [("file", (name, text)) for name, text in call.body.files.items()]
        sent = {"data": call.body.fields, "files": files}
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


def expected(call, phase):
    if call.needs in INSIDE and phase in STOPPED:
        return 503
    if phase in call.phases:
        return call.phases[phase]
    return {Needs.REFUSED: 501, Needs.ABSENT: 404}.get(call.needs, "success")


@pytest.mark.parametrize("phase", Phase)
async def test_every_page_is_answered_in_every_phase(bench, place, stack, phase):
    person, known = place
    await phase_is(bench, known["ref"], phase.value)
    found = []
    for call in READS:
        before = len(stack.calls)
        answer = await answered(person, known, call)
        stopped = phase.value in STOPPED
        found += wrong(call, answer, expected(call, phase.value))
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


@pytest.mark.parametrize("phase", Phase)
async def test_every_change_is_made_and_audited_or_refused_and_neither_in_every_phase(
    bench, place, stack, phase
):
    """A 2xx leaves something done and a line in the audit log, a refusal leaves neither."""
    person, known = place
    await phase_is(bench, known["ref"], phase.value)
    found = []
    for call in sorted(CHANGES, key=lambda call: (call.method, call.pattern) in LAST):
        ended(bench, known["ref"])
        before, told = traces(bench, stack), await audited(bench)
        wanted = expected(call, phase.value)
        found += wrong(call, await answered(person, known, call), wanted)
        after, rows = traces(bench, stack), (await audited(bench))[len(told) :]
        done = after != before or call.of_the_platform
        if wanted == "success" and not (rows and done):
            found.append(f"{name(call)}: audited {rows}, done: {done}")
        # what goes into a project is noted before: nobody knows how far it comes
        if wanted != "success" and (after != before or (rows and call.needs not in INSIDE)):
            found.append(f"{name(call)} is refused, and yet is audited {rows} or writes")
    assert not found, "\n".join(found)
    assert "plum kettle" not in str(await audited(bench))


def ended(bench, ref):
    """What was asked of the operator before is done, and forgotten: one operation at a time."""
    live = bench.kube.peek(PROJECTS, HOME, ref)
    if live is not None and live["spec"].pop("operation", None) is not None:
        bench.kube.put(PROJECTS, live)


def traces(bench, stack):
    """What was sent to Kubernetes and into the project so far."""
    return {"kubernetes": len(bench.kube.writes), "inside": len(stack.calls)}


async def audited(bench):
    return await bench.sql("SELECT action, details::text FROM audit_log ORDER BY id")


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
    assert documented(text) == text, "run `python -m tests.api.pages`"


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
