"""New JWT secrets and database passwords: asked for over REST, and told of as Studio reads it."""

import asyncio

import pytest

from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import from_secret_data, names
from supaplane_kube.errors import Invalid, Unreachable
from supaplane_kube.resources import SECRETS

HOME = names.DEFAULT_HOME_NAMESPACE
SECRET = "plum-kettle-plum-kettle-plum-kettle"
STRONG = "Xk9-vine-harbor-oblique"
TRACKED = {"jwt_secret": SECRET, "change_tracking_id": "7f3a1f2e-0000-4000-8000-000000000002"}
ID = f"jwt-{TRACKED['change_tracking_id']}"


@pytest.fixture
async def shop(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization, name="Shop")
    await bench.says(made["ref"], phase="ACTIVE_HEALTHY")
    return person, organization, made["ref"]


def operation_of(bench, ref):
    return bench.kube.peek(PROJECTS, HOME, ref)["spec"].get("operation")


def brought(bench, ref):
    found = bench.kube.peek(SECRETS, HOME, names.requested_secret(ref))
    return from_secret_data(found) if found else None


async def change(person, ref, **body):
    return await person.patch(f"/platform/projects/{ref}/config/secrets", {**TRACKED, **body})


async def reset(person, ref, password=STRONG):
    return await person.patch(f"/platform/projects/{ref}/db-password", {"password": password})


async def told(person, ref):
    answer = await person.get(f"/platform/projects/{ref}/config/secrets/update-status")
    assert answer.status_code == 200
    return answer.json()


async def test_a_new_jwt_secret_is_an_operation_and_its_value_stands_beside_the_spec(bench, shop):
    person, _, ref = shop
    assert (await change(person, ref)).status_code == 200
    assert operation_of(bench, ref) == {
        "id": ID,
        "kind": "rotateJwtSecret",
        "parameters": {"secretName": f"{ref}-requested", "secretKey": ID},
    }
    assert brought(bench, ref) == {ID: SECRET}
    assert SECRET not in str(bench.kube.peek(PROJECTS, HOME, ref))
    rows = await bench.sql("SELECT details FROM audit_log WHERE action='project.jwt-secret.rotate'")
    assert rows == [({"operation": ID},)]


async def test_the_status_follows_the_operator_in_the_numbers_of_each_studio(bench, shop):
    person, _, ref = shop
    assert (await told(person, ref))["update_status"] is None
    await change(person, ref)
    wanted = {"change_tracking_id": TRACKED["change_tracking_id"], "error": None}
    assert (await told(person, ref))["update_status"] == wanted | {"status": 0, "progress": 0}
    running = {"id": ID, "kind": "rotateJwtSecret", "phase": "Running", "step": "ReplacingPods"}
    await bench.says(ref, phase="ACTIVE_HEALTHY", operation=running)
    both = await told(person, ref)
    assert both["update_status"] == wanted | {"status": 0, "progress": 2}
    older = both["jwtSecretUpdateStatus"]
    assert older["meta"] == both["update_status"]
    assert {k: v for k, v in older.items() if k != "meta"} == both["update_status"]
    for phase, step, status in (
        ("Succeeded", "ReplacingPods", {"status": 1, "progress": 5, "error": None}),
        ("Failed", "ReplacingPods", {"status": 2, "progress": 2, "error": 2}),
        ("Failed", None, {"status": 2, "progress": 0, "error": 1}),
    ):
        last = running | {"phase": phase, "step": step}
        await bench.says(ref, phase="ACTIVE_HEALTHY", lastOperation=last)
        assert (await told(person, ref))["update_status"] == wanted | status
    other = {"id": "r", "kind": "restart", "phase": "Succeeded"}
    await bench.says(ref, phase="ACTIVE_HEALTHY", lastOperation=other, pastOperations=["r", ID])
    assert (await told(person, ref))["update_status"] is None


async def test_a_new_database_password_is_an_operation_over_both_faces(bench, shop):
    person, _, ref = shop
    assert (await reset(person, ref)).status_code == 200
    first = operation_of(bench, ref)
    assert first["kind"] == "rotateDatabasePassword"
    assert brought(bench, ref) == {first["id"]: STRONG}
    done = {"id": first["id"], "kind": first["kind"], "phase": "Succeeded"}
    await bench.says(ref, phase="ACTIVE_HEALTHY", lastOperation=done)
    bench.kube.remove(SECRETS, HOME, names.requested_secret(ref))
    answer = await person.patch(f"/v1/projects/{ref}/database/password", {"password": STRONG})
    assert answer.status_code == 200
    second = operation_of(bench, ref)
    assert second["id"] != first["id"]
    assert brought(bench, ref) == {second["id"]: STRONG}
    rows = await bench.sql(
        "SELECT count(*) FROM audit_log WHERE action = 'project.database-password.reset'"
    )
    assert rows == [(2,)]


@pytest.mark.parametrize("secret", ["short", "blank " * 9, "ü" * 40, "x" * 257])
async def test_a_jwt_secret_that_services_would_not_take_is_refused(bench, shop, secret):
    person, _, ref = shop
    assert (await change(person, ref, jwt_secret=secret)).status_code == 400
    assert (operation_of(bench, ref), brought(bench, ref)) == (None, None)


async def test_a_password_that_is_easily_guessed_is_refused(bench, shop):
    person, _, ref = shop
    answer = await reset(person, ref, "password1")
    assert answer.status_code == 400
    assert "too weak" in answer.json()["message"]
    assert (operation_of(bench, ref), brought(bench, ref)) == (None, None)


@pytest.mark.parametrize("phase", ["INACTIVE", "COMING_UP", "RESTARTING", None])
async def test_a_project_that_does_not_run_is_told_to_run_first(bench, shop, phase):
    person, _, ref = shop
    await bench.says(ref, **({"phase": phase} if phase else {}))
    for answer in (await change(person, ref), await reset(person, ref)):
        assert answer.status_code == 409
        assert "must be running" in answer.json()["message"]
    assert (operation_of(bench, ref), brought(bench, ref)) == (None, None)


async def test_one_operation_at_a_time_and_each_id_once(bench, shop):
    person, _, ref = shop
    assert (await change(person, ref)).status_code == 200
    asked = operation_of(bench, ref)
    for answer in (
        await change(person, ref, change_tracking_id="other"),
        await reset(person, ref),
        await person.post(f"/platform/projects/{ref}/restart", {}),
    ):
        assert answer.status_code == 409
        assert "rotateJwtSecret is under way" in answer.json()["message"]
    assert "asked for already" in (await change(person, ref)).json()["message"]
    assert operation_of(bench, ref) == asked
    assert brought(bench, ref) == {ID: SECRET}
    await bench.says(ref, phase="ACTIVE_HEALTHY", pastOperations=["z", ID])
    assert "asked for already" in (await change(person, ref)).json()["message"]


async def test_a_restart_after_it_is_told_nothing_of_its_parameters(bench, shop):
    person, _, ref = shop
    await change(person, ref)
    last = {"id": ID, "kind": "rotateJwtSecret", "phase": "Succeeded"}
    parts = [{"name": "db", "phase": "Ready"}]
    await bench.says(ref, phase="ACTIVE_HEALTHY", lastOperation=last, components=parts)
    wish = {"restartRequest": {"region": "local", "services": ["postgresql"]}}
    answer = await person.post(f"/platform/projects/{ref}/restart-services", wish)
    assert answer.status_code == 201
    assert operation_of(bench, ref)["parameters"] == {"components": "db"}


async def test_of_two_at_once_one_is_asked_for_and_the_other_leaves_nothing(bench, shop):
    person, _, ref = shop
    answers = await asyncio.gather(
        *(change(person, ref, change_tracking_id=f"id-{n}") for n in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    asked = operation_of(bench, ref)
    assert asked["id"] in brought(bench, ref)


async def test_an_operation_that_gitops_owns_is_not_taken(bench, shop):
    person, _, ref = shop
    live = bench.kube.peek(PROJECTS, HOME, ref)
    fields = {"f:spec": {"f:operation": {}}}
    live["metadata"]["managedFields"] = [
        {"manager": "argocd", "operation": "Apply", "fieldsV1": fields}
    ]
    bench.kube.put(PROJECTS, live)
    answer = await change(person, ref)
    assert answer.status_code == 409
    assert "argocd" in answer.json()["message"]
    assert brought(bench, ref) is None


@pytest.mark.parametrize("error", [Invalid(422, "Invalid", "no", {}), Unreachable("away")])
async def test_a_value_that_no_operation_refers_to_does_not_stay(bench, shop, error):
    person, _, ref = shop
    bench.kube.fail(error, when=lambda r: r.verb == "patch" and r.resource == PROJECTS)
    answer = await change(person, ref)
    assert answer.status_code in (400, 503)
    assert SECRET not in answer.text
    assert brought(bench, ref) is None


async def test_a_developer_may_not_and_a_stranger_sees_nothing(bench, shop):
    _, organization, ref = shop
    member = await bench.member(organization, "Developer")
    stranger = await bench.person("eve@example.org")
    for person, status in ((member, 403), (stranger, 404)):
        assert (await change(person, ref)).status_code == status
        assert (await reset(person, ref)).status_code == status
    assert operation_of(bench, ref) is None


async def test_too_many_in_an_hour_are_told_to_wait(bench, shop):
    person, _, ref = shop
    for _ in range(20):
        bench.services.limits.rotate.take(ref)
    answer = await reset(person, ref)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
