"""Logs come from the project's Logflare, sizes out of its database, and neither is made up."""

from contextlib import AsyncExitStack

import orjson
import pytest

from supaplane_api.inside import NotReached, Part, Reply

from .inside import ScriptedInside


@pytest.fixture
def inside():
    return ScriptedInside(answer={})


@pytest.fixture
async def bench(make_bench, inside):
    async with AsyncExitStack() as stack:
        yield await make_bench(stack, inside=inside)


async def test_logs_are_asked_for_with_the_private_token(bench, shop, inside):
    person, _, ref = shop
    await bench.says(
        ref, phase="ACTIVE_HEALTHY", components=[{"name": "analytics", "phase": "Ready"}]
    )
    inside.answer = {"result": [{"id": 1}]}
    path = f"/platform/projects/{ref}/analytics/endpoints/logs.all"
    answer = await person.get(f"{path}?sql=select%201&project=another")
    assert answer.json() == {"result": [{"id": 1}], "error": None}
    assert inside.last.part is Part.ANALYTICS
    assert inside.last.path == "/api/endpoints/query/logs.all"
    assert inside.last.query == [("project", "default"), ("sql", "select 1")]
    assert inside.last.headers["x-api-key"]
    await person.post(path, {"sql": "select 2"})
    assert inside.last.query == [("project", "default"), ("sql", "select 2")]


@pytest.mark.parametrize(("status", "told"), [(404, 501), (400, 200), (500, 503), (401, 503)])
async def test_what_logflare_refuses_is_told(bench, shop, inside, status, told):
    person, _, ref = shop
    await bench.says(
        ref, phase="ACTIVE_HEALTHY", components=[{"name": "analytics", "phase": "Ready"}]
    )
    inside.answer, inside.status = {"error": "no such column"}, status
    answer = await person.get(f"/platform/projects/{ref}/analytics/endpoints/logs.all")
    assert answer.status_code == told
    if told == 200:
        assert answer.json() == {"result": [], "error": "no such column"}


async def test_usage_is_the_sum_over_those_that_answer(bench, shop, inside):
    person, organization, first = shop
    second = (await bench.project(person, organization, name="Second"))["ref"]
    silent = (await bench.project(person, organization, name="Silent"))["ref"]
    for ref in (first, second, silent):
        components = [{"name": "storage", "phase": "Ready"}] if ref == first else []
        await bench.says(ref, phase="ACTIVE_HEALTHY", components=components)

    def told(call):
        if call.ref == silent:
            raise NotReached("silent")
        size = "300" if "storage.objects" in orjson.loads(call.body)["query"] else "8000"
        return Reply(200, orjson.dumps([{"bytes": size}]))

    inside.told = told
    path = f"/platform/organizations/{organization['slug']}/usage"
    usage = (await person.get(path)).json()
    by_metric = {one["metric"]: one for one in usage["usages"]}
    assert by_metric["DATABASE_SIZE"]["usage"] == 16_000
    assert by_metric["STORAGE_SIZE"]["usage"] == 300
    assert [one["ref"] for one in by_metric["STORAGE_SIZE"]["project_allocations"]] == [first]
    assert usage["not_measured"] == [silent]
    of_one = (await person.get(f"{path}?project_ref={second}")).json()
    assert [one["usage"] for one in of_one["usages"]] == [8000]


async def test_a_member_sees_only_the_usage_of_projects_that_are_theirs(bench, shop, inside):
    person, organization, first = shop
    second = (await bench.project(person, organization, name="Second"))["ref"]
    inside.answer = [{"bytes": "8"}]
    member = await bench.member(organization, "Developer")
    await bench.sql(
        "UPDATE organization_membership SET project_refs = %s WHERE role = 'Developer'", ([first],)
    )
    usage = (await member.get(f"/platform/organizations/{organization['slug']}/usage")).json()
    told = str(usage)
    assert (first in told, second in told) == (True, False)
