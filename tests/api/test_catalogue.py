"""Sizes, health, versions and keys of projects."""

import re

import jwt
import pytest

from supaplane_api import audit
from supaplane_api.problems import DATABASE, Unavailable


@pytest.fixture
async def shop(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization, name="Shop")
    return person, organization, made


async def test_health_is_what_the_operator_saw(bench, shop):
    person, _, made = shop
    components = [
        {"name": "db", "phase": "Ready"},
        {"name": "auth", "phase": "Ready", "image": "here/supabase/gotrue:v2.180.0@sha256:0"},
        {"name": "rest", "phase": "Starting"},
        {"name": "storage", "phase": "Unhealthy", "message": "no bucket"},
    ]
    await bench.says(made["ref"], phase="ACTIVE_UNHEALTHY", components=components)
    path = f"/v1/projects/{made['ref']}/health"
    joined = (await person.get(f"{path}?services=auth,realtime,rest,storage,db")).json()
    assert {one["name"]: one["status"] for one in joined} == {
        "auth": "ACTIVE_HEALTHY",
        "realtime": "UNHEALTHY",
        "rest": "COMING_UP",
        "storage": "UNHEALTHY",
        "db": "ACTIVE_HEALTHY",
    }
    by_name = {one["name"]: one for one in joined}
    assert by_name["auth"]["info"]["version"] == "v2.180.0"
    assert by_name["storage"]["error"] == "no bucket"
    repeated = (await person.get(f"{path}?services=auth&services=db")).json()
    assert [one["name"] for one in repeated] == ["auth", "db"]
    assert (await person.get(f"{path}?services=nonsense")).status_code == 400


async def test_sizes_are_those_of_the_operators_table(bench, shop):
    person, _, made = shop
    told = (await person.get(f"/platform/projects/{made['ref']}/billing/addons")).json()
    assert told["selected_addons"][0]["variant"]["identifier"] == "ci_nano"
    variants = {v["identifier"]: v["meta"] for v in told["available_addons"][0]["variants"]}
    assert variants["ci_large"]["memory_gb"] == 8
    assert variants["ci_large"]["connections_direct"] == 160
    assert "ci_dev" not in variants


async def test_the_organizations_list_has_the_keys_that_its_cards_read(bench, shop):
    person, organization, made = shop
    await bench.says(made["ref"], phase="INACTIVE")
    path = f"/platform/organizations/{organization['slug']}/projects"
    page = (await person.get(path)).json()
    assert page["pagination"]["count"] == 1
    database = page["projects"][0]["databases"][0]
    assert (database["identifier"], database["type"]) == (made["ref"], "PRIMARY")
    assert (await person.get(f"{path}?statuses=INACTIVE,PAUSING")).json()["projects"]
    assert (await person.get(f"{path}?statuses=ACTIVE_HEALTHY")).json()["projects"] == []
    assert (await person.get(f"{path}?statuses=NONSENSE")).status_code == 400


async def test_what_pages_split_and_map_is_there(bench, shop):
    person, organization, made = shop
    ref = made["ref"]
    eligibility = (await person.get(f"/v1/projects/{ref}/upgrade/eligibility")).json()
    assert eligibility["current_app_version"].startswith("supabase-postgres-")
    assert eligibility["target_upgrade_versions"] == []
    status = (await person.get(f"/v1/projects/{ref}/upgrade/status")).json()
    assert status == {"databaseUpgradeStatus": None}
    versions = (await person.get(f"/platform/projects/{ref}/service-versions")).json()
    assert versions["supabase-postgres"].startswith("supabase-postgres-")
    databases = (await person.get(f"/platform/projects/{ref}/databases")).json()
    assert [one["identifier"] for one in databases] == [ref]
    offered = await person.post(
        f"/platform/organizations/{organization['slug']}/available-versions",
        {"provider": "AWS", "region": "local"},
    )
    assert offered.json()["available_versions"][0]["postgres_engine"] == "17"
    regions = (await person.get("/platform/projects/available-regions")).json()
    assert regions["all"]["specific"][0]["code"] == "local"


@pytest.mark.parametrize("role", ["Owner", "Developer", "Read-only"])
async def test_secret_keys_are_revealed_to_who_may_see_them_and_that_is_audited(bench, shop, role):
    _, organization, made = shop
    member = await bench.member(organization, role)
    path = f"/v1/projects/{made['ref']}/api-keys"
    hidden = {(k["name"], k["type"]): k["api_key"] for k in (await member.get(path)).json()}
    assert hidden["anon", "legacy"] == made["anon_key"]
    assert hidden["service_role", "legacy"] is hidden["default", "secret"] is None
    count = "SELECT count(*) FROM audit_log WHERE action = 'project.keys.reveal'"
    assert await bench.sql(count) == [(0,)]
    shown = await member.get(f"{path}?reveal=true")
    keys = {(k["name"], k["type"]): k["api_key"] for k in shown.json()}
    allowed = role != "Read-only"
    assert (keys["service_role", "legacy"] == made["service_key"]) is allowed
    assert (keys["default", "secret"] is not None) is allowed
    assert await bench.sql(count) == [(int(allowed),)]


async def test_one_key_is_told_by_its_id(shop):
    person, _, made = shop
    path = f"/v1/projects/{made['ref']}/api-keys"
    for one in (await person.get(path)).json():
        assert (await person.get(f"{path}/{one['id']}")).json() == one
    revealed = await person.get(f"{path}/service-role-key?reveal=true")
    assert revealed.json()["api_key"] == made["service_key"]
    assert (await person.get(f"{path}/jwt-secret?reveal=true")).status_code == 404


@pytest.mark.parametrize("page", ["settings", "api", "config/postgrest"])
@pytest.mark.parametrize("role", ["Administrator", "Read-only"])
async def test_who_sees_keys_on_a_page_is_noted_once_in_a_while(bench, shop, role, page):
    _, organization, made = shop
    member = await bench.member(organization, role)
    for _ in range(2):
        answer = await member.get(f"/platform/projects/{made['ref']}/{page}")
        assert answer.status_code == 200, answer.text
    seen = await bench.sql(
        "SELECT actor_email, project_ref FROM audit_log WHERE action = 'project.keys.reveal'"
    )
    noted = [(member.email, made["ref"])] if role == "Administrator" else []
    assert seen == noted
    secret = made["service_key"] in answer.text or re.search(r'"jwt_secret":"[^"]', answer.text)
    assert bool(secret) is bool(noted)


async def test_keys_are_not_told_when_that_cannot_be_noted(bench, shop, monkeypatch):
    person, _, made = shop
    path = f"/platform/projects/{made['ref']}/settings"

    async def fails(*_, **__):
        raise Unavailable(DATABASE)

    with monkeypatch.context() as broken:
        broken.setattr(audit, "record", fails)
        for _ in range(2):
            answer = await person.get(path)
            assert (answer.status_code, made["service_key"] in answer.text) == (503, False)
    assert (await person.get(path)).status_code == 200
    sql = "SELECT count(*) FROM audit_log WHERE action = 'project.keys.reveal'"
    assert await bench.sql(sql) == [(1,)]


async def test_a_temporary_key_lives_as_long_as_was_asked(bench, shop, clock):
    person, _, made = shop
    path = f"/platform/projects/{made['ref']}/api-keys/temporary"
    answer = await person.client.post(
        path, params={"authorization_exp": "60", "claims": '{"role":"authenticated","exp":1}'}
    )
    assert answer.status_code == 201
    claims = jwt.decode(answer.json()["api_key"], options={"verify_signature": False})
    assert claims["role"] == "authenticated"
    assert claims["exp"] == int(clock.now().timestamp()) + 60
    assert (await person.client.post(path, params={"claims": "[]"})).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/projects/{ref}/api-keys"),
        ("PUT", "/v1/projects/{ref}/api-keys/legacy?enabled=false"),
        ("POST", "/v1/projects/{ref}/upgrade"),
    ],
)
async def test_what_the_operator_cannot_do_is_never_answered_with_success(shop, method, path):
    person, _, made = shop
    answer = await person.client.request(method, path.format(ref=made["ref"]))
    assert answer.status_code == 501
    assert answer.json()["message"]
