"""Whatever is interrupted is finished or undone; whatever is done elsewhere is followed."""

from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from supaplane_api.projects import create
from supaplane_api.projects.schemas import CreateProject
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import from_secret_data, names, read_spec
from supaplane_kube import errors
from supaplane_kube.resources import SECRETS

HOME = names.DEFAULT_HOME_NAMESPACE
CHOSEN = "violet-harbor-92-saddle"


@pytest.fixture
def lost_at(bench, crash, project_body):
    """Starts to make a project and loses the process after a step; the row that is left."""

    async def lose(step, person, organization):
        async def checkpoint(reached):
            if reached == step:
                raise crash

        outside = replace(bench.services.outside, checkpoint=checkpoint)
        services = replace(bench.services, outside=outside)
        wish = CreateProject.model_validate(project_body(organization["slug"]))
        caller = await _caller(bench, person)
        with pytest.raises(crash):
            await create.create(services, caller, wish, None)
        ((number, ref, state),) = await bench.sql("SELECT id, ref, state FROM project")
        assert state == "reserved"
        return number, ref

    return lose


async def _caller(bench, person):
    from supaplane_api.caller import identify

    claims = bench.services.access_tokens.read(
        person.session["access_token"], now=bench.clock.now()
    )
    async with bench.services.database.connection() as connection:
        return await identify(
            connection, subject=claims.subject, session=claims.session, now=bench.clock.now()
        )


async def test_lost_before_the_secret_it_is_undone(bench, clock, lost_at):
    person = await bench.person()
    organization = await bench.organization(person)
    _, ref = await lost_at("reserved", person, organization)
    assert (await person.get(f"/projects/{ref}/status")).json() == {"status": "COMING_UP"}
    clock.advance(seconds=61)
    await bench.sweep()
    assert (await person.get(f"/projects/{ref}/status")).status_code == 404
    assert await bench.sql("SELECT 1 FROM project") == []
    assert bench.kube.all(PROJECTS) == bench.kube.all(SECRETS) == ()


@pytest.mark.parametrize("step", ["secret-made", "resource-made"])
async def test_lost_after_the_secret_it_is_finished(bench, clock, lost_at, step):
    person = await bench.person()
    organization = await bench.organization(person)
    number, ref = await lost_at(step, person, organization)
    before = bench.kube.peek(SECRETS, HOME, f"{ref}-credentials")
    clock.advance(seconds=61)
    await bench.sweep()
    live = bench.kube.peek(PROJECTS, HOME, ref)
    assert live["spec"]["displayName"] == "First"
    assert live["spec"]["organization"] == organization["slug"]
    rows = await bench.sql("SELECT id, state, cr_uid FROM project")
    assert rows == [(number, "live", live["metadata"]["uid"])]
    after = bench.kube.peek(SECRETS, HOME, f"{ref}-credentials")
    assert after == before
    assert from_secret_data(after)["password-postgres"] == CHOSEN
    assert (await person.get(f"/projects/{ref}/status")).json() == {"status": "COMING_UP"}


async def test_a_request_that_is_still_at_work_is_left_alone(bench, clock, lost_at):
    person = await bench.person()
    await lost_at("reserved", person, await bench.organization(person))
    clock.advance(seconds=59)
    await bench.sweep()
    assert await bench.sql("SELECT state FROM project") == [("reserved",)]


async def test_a_resource_that_the_watch_shows_is_live_without_waiting(bench, lost_at):
    person = await bench.person()
    await lost_at("resource-made", person, await bench.organization(person))
    await bench.sweep()
    assert await bench.sql("SELECT state FROM project") == [("live",)]


async def test_what_kubernetes_refuses_for_ever_is_undone_with_its_secret(bench, clock, lost_at):
    person = await bench.person()
    _, ref = await lost_at("secret-made", person, await bench.organization(person))
    refusal = errors.Invalid(422, "Invalid", "spec: no", {})
    bench.kube.fail(refusal, when=lambda r: r.verb == "create")
    clock.advance(seconds=61)
    await bench.sweep()
    assert await bench.sql("SELECT 1 FROM project") == []
    assert bench.kube.peek(SECRETS, HOME, f"{ref}-credentials") is None


async def test_one_project_that_cannot_be_mended_does_not_hold_up_the_others(bench, clock, lost_at):
    person = await bench.person()
    organization = await bench.organization(person)
    _, stuck = await lost_at("secret-made", person, organization)
    made = await bench.project(person, organization)
    bench.kube.remove(PROJECTS, HOME, made["ref"])
    bench.kube.fail(
        errors.Forbidden(403, "Forbidden", "quota", {}),
        times=99,
        when=lambda r: r.verb == "create",
    )
    clock.advance(seconds=61)
    await bench.sweep()
    rows = dict(await bench.sql("SELECT ref, state FROM project"))
    assert rows == {stuck: "reserved", made["ref"]: "gone"}


async def test_a_lost_answer_of_the_api_server_makes_nothing_twice(bench, project_body):
    """The request arrived, its answer did not: the next attempt finds what is there."""
    person = await bench.person()
    organization = await bench.organization(person)
    wish = CreateProject.model_validate(project_body(organization["slug"]))
    caller = await _caller(bench, person)
    created = await create.create(bench.services, caller, wish, None)
    ref = created.row.ref
    values = await create._make_secret(bench.services, created.row, "another-password-92")
    assert values["password-postgres"] == CHOSEN
    live = bench.kube.peek(PROJECTS, HOME, ref)
    spec, _ = read_spec(created.row.requested)
    assert await create.make_resource(bench.services, HOME, ref, spec) == live["metadata"]["uid"]
    assert len(bench.kube.all(PROJECTS)) == 1


async def test_a_project_deleted_by_kubectl_is_gone_and_never_made_again(bench, clock):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    bench.kube.remove(PROJECTS, HOME, made["ref"])
    await bench.sweep()
    assert await bench.sql("SELECT state FROM project") == [("gone",)]
    clock.advance(minutes=10)
    await bench.sweep()
    assert bench.kube.all(PROJECTS) == ()
    assert (await person.get("/projects")).json() == []


async def test_a_lagging_snapshot_does_not_make_a_project_gone(bench, monkeypatch):
    person = await bench.person()
    await bench.project(person, await bench.organization(person))
    monkeypatch.setattr(bench.services.snapshot, "all", list)
    from supaplane_api.projects import sweeper

    await sweeper.sweep(bench.services)
    assert await bench.sql("SELECT state FROM project") == [("live",)]


def by_hand(name="byhand", **spec):
    return {"metadata": {"name": name, "namespace": HOME}, "spec": {"ref": "b" * 20, **spec}}


async def test_a_project_made_by_kubectl_appears_in_the_organization_it_names(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    bench.kube.put(PROJECTS, by_hand(organization=organization["slug"], displayName="By hand"))

    async def listed():
        found = (await person.get("/projects")).json()
        return [(p["ref"], p["name"]) for p in found] == [("b" * 20, "By hand")]

    await bench.until(listed)  # the watch wakes the sweeper by itself
    assert (await person.get(f"/projects/{'b' * 20}/status")).json() == {"status": "COMING_UP"}


@pytest.mark.parametrize("organization", [None, "nobody", "", 7])
async def test_a_project_of_no_organization_is_seen_by_kubectl_only(bench, organization):
    person = await bench.person()
    await bench.organization(person)
    bench.kube.put(PROJECTS, by_hand(organization=organization))
    await bench.sweep()
    assert await bench.sql("SELECT 1 FROM project") == []


async def test_an_organization_made_later_gets_the_projects_that_name_it(bench, monkeypatch):
    from supaplane_api.organizations import service

    monkeypatch.setattr(service, "slug_for", lambda *_: "later")
    bench.kube.put(PROJECTS, by_hand(organization="later"))
    await bench.sweep()
    person = await bench.person()
    await bench.organization(person)
    await bench.sweep()
    assert len((await person.get("/projects")).json()) == 1


async def test_a_project_without_a_ref_waits_for_the_operator_to_derive_it(bench):
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    bench.kube.put(
        PROJECTS,
        {"metadata": {"name": "shop", "namespace": HOME}, "spec": {"organization": slug}},
    )
    await bench.sweep()
    assert (await person.get("/projects")).json() == []
    await bench.says("shop", phase="COMING_UP", ref="q" * 20)
    await bench.sweep()
    assert [p["ref"] for p in (await person.get("/projects")).json()] == ["q" * 20]


async def test_a_ref_that_is_taken_is_not_given_to_a_second_project(bench):
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    bench.kube.put(PROJECTS, by_hand(organization=slug, displayName="One"))
    await bench.sweep()
    bench.kube.put(PROJECTS, by_hand("thief", organization=slug, displayName="Two"))
    await bench.sweep()
    assert [p["name"] for p in (await person.get("/projects")).json()] == ["One"]


async def test_a_project_made_anew_under_its_old_name_is_another_row(bench):
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    bench.kube.put(PROJECTS, by_hand(organization=slug))
    await bench.sweep()
    bench.kube.remove(PROJECTS, HOME, "byhand")
    bench.kube.put(PROJECTS, by_hand(organization=slug))
    await bench.sweep()
    rows = await bench.sql("SELECT state FROM project ORDER BY id")
    assert rows == [("gone",), ("live",)]
    assert len((await person.get("/projects")).json()) == 1


async def test_a_project_that_names_another_organization_moves_there(bench):
    ada, bob = await bench.person(), await bench.person()
    hers, his = await bench.organization(ada), await bench.organization(bob, "Bob")
    made = await bench.project(ada, hers)
    live = bench.kube.peek(PROJECTS, HOME, made["ref"])
    live["spec"]["organization"] = his["slug"]
    bench.kube.put(PROJECTS, live)
    await bench.until(
        lambda: bench.services.snapshot.get(HOME, made["ref"]).organization == his["slug"]
    )
    await bench.sweep()
    assert (await ada.get(f"/projects/{made['ref']}/status")).status_code == 404
    assert (await bob.get(f"/projects/{made['ref']}/status")).status_code == 200


async def test_two_replicas_that_sweep_at_once_do_it_once(
    make_bench, clock, database_url, project_body
):
    import asyncio

    async with AsyncExitStack() as stack:
        one, other = await make_bench(stack), await make_bench(stack)
        person = await one.person()
        organization = await one.organization(person)
        for name in ("shop", "store", "stall"):
            manifest = {
                "metadata": {"name": name, "namespace": HOME},
                "spec": {"ref": (name * 20)[:20], "organization": organization["slug"]},
            }
            one.kube.put(PROJECTS, manifest)
        await asyncio.gather(*(bench.sweep() for bench in (one, other, one, other)))
        assert await one.sql("SELECT count(*) FROM project") == [(3,)]
        assert await one.sql("SELECT count(*) FROM audit_log WHERE action = 'project.adopt'") == [
            (3,)
        ]
        for name in ("shop", "store", "stall"):
            one.kube.remove(PROJECTS, HOME, name)
        await asyncio.gather(*(bench.sweep() for bench in (one, other, one, other)))
        assert await one.sql("SELECT DISTINCT state FROM project") == [("gone",)]
        assert await one.sql("SELECT count(*) FROM audit_log WHERE action = 'project.gone'") == [
            (3,)
        ]


async def test_background_work_that_fails_begins_again(make_bench, monkeypatch, caplog):
    from supaplane_api import app
    from supaplane_api.projects import sweeper

    turns = []
    genuine = sweeper.sweep

    async def failing_once(services):
        turns.append(1)
        if len(turns) == 1:
            raise RuntimeError("nobody foresaw this")
        await genuine(services)

    monkeypatch.setattr(app, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(sweeper, "sweep", failing_once)
    async with AsyncExitStack() as stack:
        bench = await make_bench(stack)
        await bench.until(lambda: len(turns) > 1)
        text = bench.services.metrics.text().decode()
    assert 'supaplane_api_background_failures_total{work="sweeper"} 1.0' in text
    assert "nobody foresaw this" in caplog.text


async def test_a_member_cannot_rename_what_another_made_under_the_same_name(bench):
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    bench.kube.put(PROJECTS, by_hand(organization=slug))
    await bench.sweep()
    await bench.sql("UPDATE project SET cr_uid = 'that of an earlier one'")
    answer = await person.patch(f"/projects/{'b' * 20}", json={"name": "Mine"})
    assert answer.status_code == 404
