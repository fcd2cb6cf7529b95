"""Users and files of a project, with its service key, for members who may."""

from contextlib import AsyncExitStack

import pytest

from supaplane_api.inside import Part
from supaplane_contract import from_secret_data, names
from supaplane_kube.resources import SECRETS

from .inside import ScriptedInside

USER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def inside():
    return ScriptedInside(answer=[])


@pytest.fixture
async def bench(make_bench, inside):
    async with AsyncExitStack() as stack:
        yield await make_bench(stack, inside=inside)


async def test_buckets_are_asked_for_with_the_projects_own_key(bench, shop, inside):
    person, _, ref = shop
    answer = await person.get(f"/platform/storage/{ref}/buckets")
    assert (answer.status_code, answer.json()) == (200, [])
    secret = bench.kube.peek(SECRETS, names.DEFAULT_HOME_NAMESPACE, names.credentials_secret(ref))
    key = from_secret_data(secret)["service-role-key"]
    assert inside.last.headers["apikey"] == key
    assert (inside.last.ref, inside.last.part) == (ref, Part.GATEWAY)
    assert inside.last.path == "/storage/v1/bucket"


async def test_a_bucket_is_one_segment_of_the_path(shop, inside):
    person, _, ref = shop
    await person.client.delete(f"/platform/storage/{ref}/buckets/a%20b")
    assert (inside.last.method, inside.last.path) == ("DELETE", "/storage/v1/bucket/a%20b")


async def test_read_only_members_list_files_and_change_none(bench, shop, inside):
    _, organization, ref = shop
    reader = await bench.member(organization, "Read-only")
    path = f"/platform/storage/{ref}/buckets/photos"
    assert (await reader.post(f"{path}/objects/list", {"path": "2026"})).status_code == 201
    assert inside.last.path == "/storage/v1/object/list/photos"
    assert inside.sent == {"prefix": "2026"}
    before = len(inside.calls)
    answers = [
        await reader.client.delete(path),
        await reader.post(f"{path}/empty"),
        await reader.client.request("DELETE", f"{path}/objects", json={"paths": ["a"]}),
        await reader.post(f"/platform/auth/{ref}/users", {"email": "a@b.org", "password": "x"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert len(inside.calls) == before


async def test_a_new_user_is_audited_without_the_password(bench, shop, inside):
    person, _, ref = shop
    body = {"email": "new@example.org", "password": "hush hush", "email_confirm": True}
    assert (await person.post(f"/platform/auth/{ref}/users", body)).status_code == 201
    assert (inside.last.path, inside.sent) == ("/auth/v1/admin/users", body)
    ((details,),) = await bench.sql(
        "SELECT details::text FROM audit_log WHERE action = 'user.create'"
    )
    assert "hush" not in details


async def test_users_are_banned_and_deleted_by_their_id(shop, inside):
    person, _, ref = shop
    path = f"/platform/auth/{ref}/users/{USER}"
    await person.patch(path, {"ban_duration": "24h"})
    assert (inside.last.method, inside.sent) == ("PUT", {"ban_duration": "24h"})
    await person.client.delete(f"{path}?soft_delete=true")
    assert inside.last.path == f"/auth/v1/admin/users/{USER}"
    assert inside.sent == {"should_soft_delete": True}


@pytest.mark.parametrize(("status", "told"), [(404, 404), (409, 400), (401, 503), (500, 503)])
async def test_what_the_service_refuses_is_told_as_ours(shop, inside, status, told):
    inside.answer, inside.status = {"message": "Bucket not found"}, status
    answer = await shop[0].get(f"/platform/storage/{shop[2]}/buckets/photos")
    assert answer.status_code == told
    assert answer.json()["message"]


async def test_the_flags_are_an_empty_object_and_telemetry_is_thrown_away(bench):
    person = await bench.person()
    assert (await person.get("/platform/telemetry/feature-flags")).json() == {}
    for path in ("event", "page", "page-leave", "groups/identify", "feature-flags/track", "reset"):
        answer = await person.post(f"/platform/telemetry/{path}", {"any": "thing"})
        assert (answer.status_code, answer.json()) == (201, {})
