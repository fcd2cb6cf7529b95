"""Saved queries: one's own are one's own, shared ones are the project's."""

import json

import pytest

ABSENT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def shop(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization)
    colleague = await bench.member(organization, "Developer")
    return person, colleague, f"/platform/projects/{made['ref']}/content", organization


def query(**more):
    content = {"schema_version": "1", "sql": "select 1", "content_id": "x"}
    return {"name": "Mine", "type": "sql", "visibility": "user", "content": content, **more}


async def test_what_is_saved_comes_back_with_every_key_that_studio_reads(shop):
    person, _, path, _ = shop
    saved = (await person.put(path, query())).json()
    (listed,) = (await person.get(f"{path}?type=sql")).json()["data"]
    assert listed == saved == (await person.get(f"{path}/item/{saved['id']}")).json()
    assert listed["content"] == query()["content"]
    assert listed["owner"] == {"id": listed["owner_id"], "username": listed["owner"]["username"]}
    assert listed["favorite"] is False
    assert {"project_id", "inserted_at", "updated_at", "visibility", "type"} <= listed.keys()


async def test_saving_with_the_same_id_takes_its_place(shop):
    person, _, path, _ = shop
    await person.put(path, query(id=ABSENT))
    await person.put(path, query(id=ABSENT, name="Renamed", favorite=True))
    (listed,) = (await person.get(path)).json()["data"]
    assert (listed["id"], listed["name"], listed["favorite"]) == (ABSENT, "Renamed", True)
    counts = (await person.get(f"{path}/count?type=sql")).json()
    assert counts == {"favorites": 1, "private": 1, "shared": 0}


async def test_what_is_private_is_seen_and_changed_by_its_owner_only(shop):
    person, colleague, path, _ = shop
    await person.put(path, query(id=ABSENT))
    assert (await colleague.get(path)).json()["data"] == []
    assert (await colleague.get(f"{path}/item/{ABSENT}")).status_code == 404
    assert (await colleague.put(path, query(id=ABSENT, name="Taken"))).status_code == 404
    assert (await colleague.client.delete(f"{path}?ids={ABSENT}")).json() == []
    assert (await person.get(f"{path}/item/{ABSENT}")).json()["name"] == "Mine"


async def test_what_is_shared_is_everybodys_in_the_project(bench, shop):
    person, colleague, path, organization = shop
    await person.put(path, query(id=ABSENT, visibility="project"))
    assert (await colleague.put(path, query(id=ABSENT, visibility="project"))).status_code == 200
    reader = await bench.member(organization, "Read-only")
    (seen,) = (await reader.get(path)).json()["data"]
    assert seen["updated_by"]["username"] != seen["owner"]["username"]
    assert (await reader.put(path, query())).status_code == 403


async def test_only_its_owner_makes_private_what_was_shared(shop):
    person, colleague, path, _ = shop
    await person.put(path, query(id=ABSENT, visibility="project"))
    assert (await colleague.put(path, query(id=ABSENT, name="Hidden"))).status_code == 400
    assert (await colleague.get(f"{path}/item/{ABSENT}")).json()["name"] == "Mine"
    assert (await person.put(path, query(id=ABSENT))).status_code == 200
    assert (await colleague.get(f"{path}/item/{ABSENT}")).status_code == 404


async def test_an_id_of_another_project_is_not_taken_over(bench, shop):
    person, _, path, organization = shop
    other = await bench.project(person, organization, name="Other")
    await person.put(path, query(id=ABSENT))
    answer = await person.put(f"/platform/projects/{other['ref']}/content", query(id=ABSENT))
    assert answer.status_code == 404


async def test_folders_hold_queries_and_let_them_go(shop):
    person, colleague, path, _ = shop
    folder = (await person.post(f"{path}/folders", {"name": "Reports"})).json()
    await person.put(path, query(id=ABSENT, folder_id=folder["id"]))
    root = (await person.get(f"{path}/folders?type=sql")).json()["data"]
    assert (root["contents"], root["folders"]) == ([], [folder])
    inner = (await person.get(f"{path}/folders/{folder['id']}")).json()["data"]
    assert [item["id"] for item in inner["contents"]] == [ABSENT]
    assert (await colleague.get(f"{path}/folders/{folder['id']}")).status_code == 404
    await person.patch(f"{path}/folders/{folder['id']}", {"name": "Older"})
    await person.client.delete(f"{path}/folders?ids={folder['id']}")
    root = (await person.get(f"{path}/folders")).json()["data"]
    assert [item["id"] for item in root["contents"]] == [ABSENT]
    assert root["folders"] == []


async def test_a_cursor_leads_through_all_of_them_once(shop):
    person, _, path, _ = shop
    for number in range(5):
        await person.put(path, query(name=f"Query {number}"))
    seen, cursor = [], ""
    while cursor is not None:
        page = (
            await person.get(f"{path}?limit=2&sort_by=name&sort_order=asc&cursor={cursor}")
        ).json()
        seen += [item["name"] for item in page["data"]]
        cursor = page["cursor"]
    assert seen == [f"Query {number}" for number in range(5)]
    assert (await person.get(f"{path}?cursor=x")).status_code == 400


@pytest.mark.parametrize("content", [{"sql": "\x00"}, {"sql": "\ud800"}, {"n": 2**70}])
async def test_what_no_database_could_keep_is_refused(shop, content):
    person, _, path, _ = shop
    answer = await person.client.put(
        path,
        content=json.dumps(query(content=content)),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 400
