"""Lists in both forms, details and the state of projects."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import Phase, names

HOME = names.DEFAULT_HOME_NAMESPACE
V2 = {"Version": "2"}


async def test_without_a_version_the_list_is_an_array(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    for name in ("beta", "Alpha", "gamma"):
        await bench.project(person, organization, name=name)
    for path in ("/projects", "/platform/projects"):
        listed = (await person.get(path)).json()
        assert [one["name"] for one in listed] == ["Alpha", "beta", "gamma"]
        assert all(one["preview_branch_refs"] == [] for one in listed)
        assert all(one["organization_slug"] == organization["slug"] for one in listed)


async def test_version_2_is_answered_in_pages(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    for number in range(5):
        await bench.project(person, organization, name=f"Shop {number}")
    answer = await person.get("/platform/projects?limit=2&offset=2", headers=V2)
    assert answer.headers["Vary"].startswith("Version")
    page = answer.json()
    assert page["pagination"] == {"count": 5, "limit": 2, "offset": 2}
    assert [one["name"] for one in page["projects"]] == ["Shop 2", "Shop 3"]
    found = await person.get("/platform/projects?search=SHOP%204&sort=created_desc", headers=V2)
    assert [one["name"] for one in found.json()["projects"]] == ["Shop 4"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "limit=1001", "offset=-1", f"offset={10**30}", "sort=up"],
)
async def test_a_page_that_cannot_be_is_refused(bench, query):
    person = await bench.person()
    answer = await person.get(f"/platform/projects?{query}", headers=V2)
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["message"]


@pytest.fixture
async def shelf(bench):
    """Seven projects, two of one name, and who may see them."""
    person = await bench.person()
    organization = await bench.organization(person)
    for name in ("a", "b", "b", "É", "e", "z", "株"):
        await bench.project(person, organization, name=name)
    return person


@given(
    limit=st.integers(1, 9),
    sort=st.sampled_from(["name_asc", "name_desc", "created_asc", "created_desc"]),
    search=st.sampled_from(["", "B", "é", "nothing", "%", "_"]),
)
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_all_pages_together_are_the_whole_list_once(shelf, limit, sort, search):
    refs, offset = [], 0
    query = {"limit": limit, "sort": sort, "search": search}
    while True:
        answer = await shelf.get("/projects", params=query | {"offset": offset}, headers=V2)
        page = answer.json()
        refs += [one["ref"] for one in page["projects"]]
        offset += limit
        if not page["projects"]:
            break
    assert len(refs) == len(set(refs)) == page["pagination"]["count"]
    whole = (await shelf.get("/projects", params=query | {"limit": 1000}, headers=V2)).json()
    assert refs == [one["ref"] for one in whole["projects"]]


async def test_everybody_sees_the_projects_of_their_organizations_only(bench):
    ada, bob = await bench.person(), await bench.person()
    hers = await bench.project(ada, await bench.organization(ada))
    his = await bench.project(bob, await bench.organization(bob))
    assert [p["ref"] for p in (await ada.get("/projects")).json()] == [hers["ref"]]
    assert [p["ref"] for p in (await bob.get("/projects")).json()] == [his["ref"]]


@pytest.mark.parametrize("phase", Phase)
async def test_the_operators_word_is_the_answer_everywhere(bench, phase):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    await bench.says(made["ref"], phase=phase.value)
    ref = made["ref"]
    for path in (f"/projects/{ref}/status", f"/platform/projects/{ref}/status"):
        assert (await person.get(path)).json() == {"status": phase.value}
    assert (await person.get(f"/platform/projects/{ref}")).json()["status"] == phase.value
    assert (await person.get("/projects")).json()[0]["status"] == phase.value


async def test_until_the_operator_spoke_a_project_is_coming_up(bench):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    status = await person.get(f"/projects/{made['ref']}/status")
    assert status.json() == {"status": "COMING_UP"}


async def test_a_phase_of_a_newer_operator_is_shown_as_unknown_and_counted(bench):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    await bench.says(made["ref"], phase="TELEPORTING")
    await bench.until(lambda: bench.services.snapshot.get(HOME, made["ref"]).phase == "UNKNOWN")
    assert (await person.get(f"/projects/{made['ref']}/status")).json() == {"status": "UNKNOWN"}
    text = bench.services.metrics.text().decode()
    assert 'supaplane_api_unreadable_total{what="status.phase"} 1.0' in text
    assert 'supaplane_api_projects{phase="UNKNOWN"} 1.0' in text


async def test_a_project_that_is_being_deleted_is_going_down(bench):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    live = bench.kube.peek(PROJECTS, HOME, made["ref"])
    live["metadata"]["finalizers"] = [names.FINALIZER]
    bench.kube.put(PROJECTS, live)
    await bench.kube.delete(PROJECTS, HOME, made["ref"])
    await bench.until(lambda: bench.services.snapshot.get(HOME, made["ref"]).going)
    assert (await person.get(f"/projects/{made['ref']}/status")).json() == {"status": "GOING_DOWN"}


async def test_a_deleted_project_is_gone_from_every_page_before_the_sweeper_comes(bench, clock):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    clock.advance(minutes=2)
    bench.kube.remove(PROJECTS, HOME, made["ref"])
    await bench.until(lambda: bench.services.snapshot.get(HOME, made["ref"]) is None)
    for path in ("status", "api", "settings", "jwt-secret-update-status"):
        assert (await person.get(f"/projects/{made['ref']}/{path}")).status_code == 404
    assert (await person.get("/projects")).json() == []
    assert (await person.get("/projects", headers=V2)).json()["pagination"]["count"] == 0


async def test_the_detail_is_what_studio_needs(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization, name="Shop", desired_instance_size="dev")
    ref = made["ref"]
    detail = (await person.get(f"/platform/projects/{ref}")).json()
    assert detail["organization_id"] == organization["id"]
    assert detail["restUrl"] == f"https://{ref}.projects.example.org/rest/v1/"
    assert detail["db_host"] == f"db.{ref}.projects.example.org"
    assert detail["dbVersion"].startswith("supabase-postgres-17")
    assert detail["infra_compute_size"] == "nano"  # Studio knows no `dev`
    assert detail["volumeSizeGb"] == 1
    assert detail["connectionString"], "Studio calls no postgres-meta while it is empty"
    assert "postgres" not in detail["connectionString"], "and it is none"
    assert detail["inserted_at"] == "2026-11-22T12:00:00+00:00"


async def test_where_a_project_is_reached_the_operator_knows_best(bench):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    ref = made["ref"]
    await bench.says(
        ref,
        phase="ACTIVE_HEALTHY",
        message="all is well",
        endpoints={"api": "http://127.0.0.1:8000/", "database": "db.supabase-x.svc:5432"},
    )
    detail = (await person.get(f"/platform/projects/{ref}")).json()
    assert detail["restUrl"] == "http://127.0.0.1:8000/rest/v1/"
    assert detail["db_host"] == "db.supabase-x.svc"
    assert detail["status_message"] == "all is well"
    api = (await person.get(f"/projects/{ref}/api")).json()["autoApiService"]
    assert (api["protocol"], api["endpoint"]) == ("http", "127.0.0.1:8000")


async def test_settings_have_the_shapes_of_all_generations(bench):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    ref = made["ref"]
    answers = [
        (await person.get(path.format(ref=ref))).json()
        for path in (
            "/platform/project/{ref}/settings",
            "/platform/projects/{ref}/settings",
            "/platform/props/project/{ref}/settings",
            "/project/{ref}/settings",
        )
    ]
    assert all(answer == answers[0] for answer in answers)
    told = answers[0]
    assert told["app_config"]["endpoint"] == f"{ref}.projects.example.org"
    assert [key["tags"] for key in told["service_api_keys"]] == ["anon", "service_role"]
    assert told["service_api_keys"][0]["api_key"] == made["anon_key"]
    assert told["services"][0]["app"]["id"] == 1
    assert told["services"][0]["service_api_keys"] == told["service_api_keys"]
    assert told["project"]["jwt_secret"] == told["jwt_secret"]
    assert told["db_port"] == 5432


async def test_realtime_is_on_only_where_it_runs(bench):
    person = await bench.person()
    ref = (await bench.project(person, await bench.organization(person)))["ref"]
    path = f"/platform/projects/{ref}/settings"
    await bench.says(ref, phase="ACTIVE_HEALTHY", components=[{"name": "db", "phase": "Ready"}])
    assert (await person.get(path)).json()["app_config"]["realtime_enabled"] is False
    running = [{"name": "realtime", "phase": "Ready"}]
    await bench.says(ref, phase="ACTIVE_HEALTHY", message="more", components=running)
    assert (await person.get(path)).json()["app_config"]["realtime_enabled"] is True


async def test_the_api_page_has_the_real_keys(bench):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person))
    ref = made["ref"]
    for path in (
        f"/projects/{ref}/api",
        f"/project/{ref}/api",
        f"/platform/props/project/{ref}/api",
    ):
        told = (await person.get(path)).json()["autoApiService"]
        assert told["defaultApiKey"] == made["anon_key"]
        assert told["serviceApiKey"] == made["service_key"]
        assert told["project"] == {"ref": ref}


async def test_by_default_the_jwt_secret_is_not_being_changed(bench):
    person = await bench.person()
    ref = (await bench.project(person, await bench.organization(person)))["ref"]
    for path in (
        f"/projects/{ref}/jwt-secret-update-status",
        f"/props/project/{ref}/jwt-secret-update-status",
        f"/platform/projects/{ref}/config/secrets/update-status",
    ):
        assert (await person.get(path)).json() == {
            "jwtSecretUpdateStatus": None,
            "update_status": None,
        }


async def test_before_the_credentials_are_there_pages_are_told_to_wait(bench):
    """The operator mints for a project made with kubectl; until then there is nothing to show."""
    person = await bench.person()
    organization = await bench.organization(person)
    bench.kube.put(
        PROJECTS,
        {
            "metadata": {"name": "byhand", "namespace": HOME},
            "spec": {"ref": "b" * 20, "organization": organization["slug"]},
        },
    )
    await bench.sweep()
    answer = await person.get(f"/platform/projects/{'b' * 20}/settings")
    assert answer.status_code == 503
    assert "credentials" in answer.json()["message"].lower()
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("ref", ["x", "A" * 20, "a" * 21, "%00", "a" * 19 + "é", "..", "a%0A"])
async def test_what_is_no_ref_is_not_found(bench, ref):
    person = await bench.person()
    answer = await person.get(f"/projects/{ref}/status")
    assert answer.status_code == 404
    assert answer.json()["message"]
