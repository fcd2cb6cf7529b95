"""Files are moved, signed and fetched, and people written to, by the project's own services."""

from contextlib import AsyncExitStack
from urllib.parse import parse_qs, urlsplit

import pytest

from supaplane_api.inside import Part, Reply
from supaplane_api.pgmeta import connection

from .inside import ScriptedInside

USER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def inside():
    return ScriptedInside(answer={})


@pytest.fixture
async def bench(make_bench, inside):
    async with AsyncExitStack() as stack:
        yield await make_bench(stack, inside=inside)


@pytest.fixture
def objects(shop):
    return f"/platform/storage/{shop[2]}/buckets/photos/objects"


async def test_a_signed_link_leads_to_the_projects_own_address(shop, inside, objects):
    inside.answer = {"signedURL": "/object/sign/photos/a%20b.png?token=t"}
    body = {"path": "2026/a b.png", "expiresIn": 60, "options": {"download": True}}
    link = (await shop[0].post(f"{objects}/sign", body)).json()["signedUrl"]
    assert inside.last.path == "/storage/v1/object/sign/photos/2026/a%20b.png"
    assert inside.sent == {"expiresIn": 60}
    parts = urlsplit(link)
    assert parts.path == "/storage/v1/object/sign/photos/a%20b.png"
    assert parts.netloc.startswith(shop[2])
    assert parse_qs(parts.query, keep_blank_values=True) == {"token": ["t"], "download": [""]}


async def test_of_many_files_those_that_are_gone_say_so(shop, inside, objects):
    inside.answer = [
        {"path": "a", "error": None, "signedURL": "/object/sign/photos/a?token=t"},
        {"path": "b", "error": "Either the object does not exist", "signedURL": None},
    ]
    body = {"path": ["a", "b"], "expiresIn": 60}
    first, second = (await shop[0].post(f"{objects}/sign-multi", body)).json()
    assert first["signedUrl"].endswith("/storage/v1/object/sign/photos/a?token=t")
    assert (second["error"] is not None, second["signedUrl"]) == (True, "")


async def test_who_made_a_link_is_in_the_audit_log_and_the_link_is_not(
    bench, shop, inside, objects
):
    inside.answer = {"signedURL": "/object/sign/photos/a?token=hush"}
    await shop[0].post(f"{objects}/sign", {"path": "a", "expiresIn": 60})
    rows = await bench.sql("SELECT details::text FROM audit_log WHERE action = 'object.sign'")
    assert len(rows) == 1
    assert "hush" not in rows[0][0]


@pytest.mark.parametrize("path", ["../other/a", "a//b", "a/../../b", ""])
async def test_no_path_climbs_out_of_its_bucket(shop, inside, objects, path):
    answer = await shop[0].post(f"{objects}/sign", {"path": path, "expiresIn": 60})
    assert answer.status_code == 400
    assert inside.calls == []


async def test_a_public_address_is_told_without_asking(shop, inside, objects):
    plain = await shop[0].post(f"{objects}/public-url", {"path": "a.png"})
    assert urlsplit(plain.json()["publicUrl"]).path == "/storage/v1/object/public/photos/a.png"
    small = {"path": "a.png", "options": {"transform": {"width": 10}}}
    link = (await shop[0].post(f"{objects}/public-url", small)).json()["publicUrl"]
    assert link.endswith("/storage/v1/render/image/public/photos/a.png?width=10")
    assert inside.calls == []


async def test_a_file_comes_as_bytes_that_no_browser_runs(shop, inside, objects):
    inside.told = lambda call: Reply(200, b"<script>")
    answer = await shop[0].post(f"{objects}/download", {"path": "a.html"})
    assert answer.content == b"<script>"
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_a_file_that_is_not_there_is_missing(shop, inside, objects):
    inside.answer, inside.status = {"message": "Object not found"}, 404
    answer = await shop[0].post(f"{objects}/download", {"path": "a.html"})
    assert (answer.status_code, answer.json()) == (404, {"message": "Object not found"})


async def test_files_are_moved_within_their_bucket(shop, inside, objects):
    await shop[0].post(f"{objects}/move", {"from": "a", "to": "b/c"})
    assert inside.last.path == "/storage/v1/object/move"
    assert inside.sent == {"bucketId": "photos", "sourceKey": "a", "destinationKey": "b/c"}


@pytest.mark.parametrize("word", ["invite", "magiclink", "recover"])
async def test_mails_go_out_by_the_projects_auth(shop, inside, word):
    user = {"email": "Ada@example.org", "id": USER, "phone": None, "raw_app_meta_data": {}}
    answer = await shop[0].post(f"/platform/auth/{shop[2]}/{word}", user)
    assert (answer.status_code, answer.json()) == (201, {})
    assert (inside.last.method, inside.last.path) == ("POST", f"/auth/v1/{word}")
    assert inside.sent == {"email": "ada@example.org"}


async def test_a_code_goes_to_the_telephone_and_makes_no_user(shop, inside):
    path = f"/platform/auth/{shop[2]}/otp"
    await shop[0].post(path, {"phone": "4912345"})
    assert inside.sent == {"phone": "4912345", "create_user": False}
    assert (await shop[0].post(path, {"email": "a@example.org"})).status_code == 400


async def test_every_factor_of_a_user_is_taken_away(shop, inside):
    inside.answer = [{"id": "one"}, {"id": "two"}]
    await shop[0].client.delete(f"/platform/auth/{shop[2]}/users/{USER}/factors")
    base = f"/auth/v1/admin/users/{USER}/factors"
    assert [(call.method, call.path) for call in inside.calls] == [
        ("GET", base),
        ("DELETE", f"{base}/one"),
        ("DELETE", f"{base}/two"),
    ]


async def test_users_are_listed_as_the_role_that_only_reads(bench, shop, inside, monkeypatch):
    asked = []
    monkeypatch.setattr(
        connection, "connection_url", lambda ref, user, password, seconds: asked.append(user) or ""
    )
    inside.answer = [{"total": 0, "users": []}]
    answer = await shop[0].get(f"/platform/auth/{shop[2]}/users?keywords=o'hara&limit=5")
    assert answer.json() == {"users": [], "total": 0}
    assert asked == ["supabase_read_only_user"]
    assert inside.sent["parameters"] == ["o'hara", "", 5, 0]
    assert "o'hara" not in inside.sent["query"]


async def test_graphql_runs_as_whom_the_projects_own_token_names(shop, inside):
    path = f"/platform/projects/{shop[2]}/api/graphql"
    await shop[0].post(path, {"query": "{ a }"})
    assert inside.last.headers["Authorization"] == f"Bearer {inside.last.headers['apikey']}"
    theirs = {"x-graphql-authorization": "Bearer theirs"}
    await shop[0].post(path, {"query": "{ a }", "variables": {"b": 1}}, headers=theirs)
    assert inside.last.headers["Authorization"] == "Bearer theirs"
    assert inside.sent == {"query": "{ a }", "variables": {"b": 1}}


async def test_read_only_members_run_no_graphql(bench, shop, inside):
    member = await bench.member(shop[1], "Read-only")
    answer = await member.post(f"/platform/projects/{shop[2]}/api/graphql", {"query": "{ a }"})
    assert answer.status_code == 403
    assert inside.calls == []


async def test_types_are_told_as_text(shop, inside):
    inside.told = lambda call: Reply(200, b"export type Json = string")
    answer = await shop[0].get(f"/v1/projects/{shop[2]}/types/typescript?included_schemas=app")
    assert answer.json() == {"types": "export type Json = string"}
    assert (inside.last.part, inside.last.path) == (Part.META, "/generators/typescript")
    assert inside.last.query == [("included_schemas", "app")]


async def test_every_member_of_a_project_is_told(bench, shop):
    person, organization, ref = shop
    member = await bench.member(organization, "Developer")
    told = (await person.get(f"/platform/projects/{ref}/members")).json()["members"]
    assert [one["primary_email"] for one in told] == [person.email, member.email]
    await bench.sql(
        "UPDATE organization_membership SET project_refs = '{}' WHERE role = 'Developer'"
    )
    told = (await person.get(f"/platform/projects/{ref}/members")).json()["members"]
    assert [one["primary_email"] for one in told] == [person.email]


async def test_a_mark_that_cannot_be_kept_is_refused(shop):
    path = f"/platform/projects/{shop[2]}/settings/sensitivity"
    assert (await shop[0].patch(path, {"is_sensitive": True})).status_code == 501


async def test_a_notification_that_is_not_there_is_not_marked(bench):
    person = await bench.person()
    marked = [{"id": USER, "status": "seen"}]
    assert (await person.patch("/platform/notifications", marked)).status_code == 404
    assert (await person.patch("/platform/notifications", [])).json() == []


@pytest.mark.parametrize("answer", [[], [{"one": 1}], {"rows": []}, [[1]]])
async def test_a_list_of_users_is_never_made_up(shop, inside, answer):
    inside.answer = answer
    told = await shop[0].get(f"/platform/auth/{shop[2]}/users")
    assert told.status_code == 503
