"""Rows are remembered by version; who may see them is asked every time."""

import pytest

from supaplane_api.project_rows import ProjectRows


@pytest.fixture
async def shop(bench):
    owner = await bench.person()
    organization = await bench.organization(owner)
    await bench.project(owner, organization, name="First")
    return owner, organization


async def names(person):
    answer = await person.get("/platform/projects?limit=100", headers={"Version": "2"})
    return [one["name"] for one in answer.json()["projects"]]


def statements(bench, monkeypatch):
    """Every statement that the API sends from now on."""
    import psycopg

    sent, execute = [], psycopg.AsyncCursor.execute

    async def noted(self, query, *arguments, **more):
        sent.append(query)
        return await execute(self, query, *arguments, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", noted)
    return sent


async def test_a_list_that_was_read_before_costs_one_statement(bench, shop, monkeypatch):
    owner, organization = shop
    assert await names(owner) == ["First"]
    sent = statements(bench, monkeypatch)
    assert await names(owner) == ["First"]
    assert len(sent) == 1
    monkeypatch.undo()
    await bench.project(owner, organization, name="Second")
    assert await names(owner) == ["First", "Second"]


async def test_a_member_who_was_removed_sees_nothing_that_was_remembered(bench, shop):
    owner, organization = shop
    member = await bench.member(organization, "Developer")
    assert await names(member) == ["First"]
    await bench.sql(
        "DELETE FROM organization_membership m USING accounts a"
        " WHERE a.id = m.account_id AND a.email = %s",
        (member.email,),
    )
    assert await names(member) == []
    assert await names(owner) == ["First"]


async def test_a_project_that_moved_is_shown_where_it_went(bench, shop):
    owner, _ = shop
    assert await names(owner) == ["First"]
    other = await bench.organization(owner, name="Other")
    await bench.sql("UPDATE project SET organization_id = %s", (other["id"],))
    listed = (await owner.get("/platform/projects")).json()
    assert [one["organization_slug"] for one in listed] == [other["slug"]]


async def test_only_so_many_rows_are_remembered_and_all_that_were_asked_for_come(bench, shop):
    owner, organization = shop
    for name in ("Second", "Third"):
        await bench.project(owner, organization, name=name)
    versions = [
        f"{number}:{xmin}" for number, xmin in await bench.sql("SELECT id, xmin FROM project")
    ]
    rows = ProjectRows(most=2)
    for _ in range(2):
        async with bench.services.database.connection() as connection:
            found = await rows.of(connection, versions)
        assert [f"{row.id}" for row in found] == [each.partition(":")[0] for each in versions]
        assert len(rows) == 2


async def test_a_row_that_changed_meanwhile_is_left_out(bench, shop):
    async with bench.services.database.connection() as connection:
        assert await ProjectRows().of(connection, ["1:1"]) == ()
