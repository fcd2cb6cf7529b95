"""Making a project: what is made, what is answered, and what is refused."""

import asyncio

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from supaplane_api.projects.schemas import CreateProject
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_api.projects.wishes import spec_of
from supaplane_contract import KEYS, from_manifest, from_secret_data, names
from supaplane_kube import errors
from supaplane_kube.resources import SECRETS

HOME = names.DEFAULT_HOME_NAMESPACE


async def test_the_answer_carries_the_real_keys_and_an_endpoint(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization)
    assert names.is_ref(made["ref"])
    assert made["status"] == "COMING_UP"
    assert made["endpoint"] == f"https://{made['ref']}.projects.example.org"
    assert made["organization_id"] == organization["id"]
    assert made["organization_slug"] == organization["slug"]
    assert made["preview_branch_refs"] == []
    secret = bench.kube.peek(SECRETS, HOME, f"{made['ref']}-credentials")
    values = from_secret_data(secret)
    assert values["anon-key"] == made["anon_key"]
    assert values["service-role-key"] == made["service_key"]


async def test_the_master_secret_is_whole_and_holds_the_chosen_password(bench):
    person = await bench.person()
    chosen = "violet ß@/:% harbor'92\""
    made = await bench.project(person, await bench.organization(person), db_pass=chosen)
    secret = bench.kube.peek(SECRETS, HOME, f"{made['ref']}-credentials")
    values = from_secret_data(secret)
    assert values.keys() == set(KEYS)
    assert values["password-postgres"] == chosen
    assert secret["type"] == "Opaque"
    assert secret["metadata"]["labels"][names.LABEL_REF] == made["ref"]
    assert names.LABEL_MANAGED_BY in secret["metadata"]["labels"]


async def test_the_resource_says_what_was_wished_and_nothing_secret(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(
        person, organization, name="Shop", desired_instance_size="small", cloud_provider="AWS"
    )
    live = bench.kube.peek(PROJECTS, HOME, made["ref"])
    assert live["spec"] == {
        "ref": made["ref"],
        "displayName": "Shop",
        "organization": organization["slug"],
        "region": "eu-central-1",
        "size": "small",
    }
    assert from_manifest(live).spec.release is None
    made_by = [r for r in bench.kube.requests if r.resource == PROJECTS and r.is_write]
    assert [r.manager for r in made_by] == [names.FIELD_MANAGER_API]
    rows = await bench.sql("SELECT requested::text, cr_uid, state FROM project")
    assert rows == [(rows[0][0], live["metadata"]["uid"], "live")]
    for value in ("violet", made["service_key"]):
        assert value not in rows[0][0] + str(live)
        assert value not in str(await bench.sql("SELECT * FROM audit_log"))


async def test_the_secret_is_made_before_the_resource(bench):
    person = await bench.person()
    await bench.project(person, await bench.organization(person))
    kinds = [request.resource.plural for request in bench.kube.writes]
    assert kinds == ["secrets", "supabaseprojects"]


@pytest.mark.parametrize(
    "how", ["organization_slug", "organization_id", "org_id", "number as text", "slug as org_id"]
)
async def test_the_organization_is_named_in_every_clients_way(bench, project_body, how):
    person = await bench.person()
    organization = await bench.organization(person)
    body = project_body("")
    del body["organization_slug"]
    body |= {
        "organization_slug": {"organization_slug": organization["slug"]},
        "organization_id": {"organization_id": organization["id"]},
        "org_id": {"org_id": organization["id"]},
        "number as text": {"organization_id": str(organization["id"])},
        "slug as org_id": {"org_id": organization["slug"], "organization_slug": ""},
    }[how]
    answer = await person.post("/platform/projects", body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("sent", "region"),
    [
        ({"db_region": "Mars"}, "Mars"),
        ({"db_region": None, "region": "us-east-1"}, "us-east-1"),
        (
            {"db_region": None, "region_selection": {"type": "specific", "code": "eu-west-1"}},
            "eu-west-1",
        ),
        ({"db_region": None, "region_selection": {"type": "smartGroup", "code": "apac"}}, "apac"),
        ({"db_region": None}, "local"),
    ],
)
async def test_regions_come_in_every_clients_way(bench, sent, region):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person), **sent)
    assert made["region"] == region


REFUSED = {
    "no name": ({"name": None}, "name"),
    "an empty name": ({"name": " "}, "name"),
    "a name that is a number": ({"name": 5}, "name"),
    "no password": ({"db_pass": None}, "db_pass"),
    "a weak password": ({"db_pass": "password123"}, "db_pass"),
    "the name as password": ({"name": "violet-harbor-92-saddle"}, "db_pass"),
    "a password of control characters": ({"db_pass": "violet\x07harbor\x00saddle"}, "db_pass"),
    "a password that is a list": ({"db_pass": ["violet-harbor-92"]}, "db_pass"),
    "a size nobody offers": ({"desired_instance_size": "gigantic"}, "desired_instance_size"),
    "a size that is a number": ({"desired_instance_size": 4}, "desired_instance_size"),
    "high availability": ({"high_availability": True}, "high_availability"),
    "high availability in words": ({"high_availability": "true"}, "high_availability"),
    "another engine": ({"postgres_engine": "17-oriole"}, "postgres_engine"),
    "an older engine": ({"postgres_engine": "15"}, "postgres_engine"),
    "a preview release": ({"release_channel": "alpha"}, "release_channel"),
    "a template": ({"template_url": "https://example.org/x"}, "template_url"),
    "SQL to run": ({"db_sql": "select 1"}, "db_sql"),
    "a paid plan": ({"plan": "pro"}, "plan"),
    "a paid tier": ({"db_pricing_tier_id": "tier_pro"}, "db_pricing_tier_id"),
    "kps": ({"kps_enabled": True}, "kps_enabled"),
    "an api schema": ({"data_api_use_api_schema": True}, "data_api_use_api_schema"),
    "another cloud": ({"cloud_provider": "GCP"}, "cloud_provider"),
    "a region with a line break": ({"db_region": "a\nb"}, "db_region"),
    "a site URL that is none": ({"auth_site_url": "nowhere"}, "auth_site_url"),
    "a schema that is none": ({"data_api_exposed_schemas": ["a b"]}, "data_api_exposed_schemas"),
    "an older version": (
        {
            "custom_supabase_internal_requests": {
                "ami": {"search_tags": {"tag:postgresVersion": "15.1.0.147"}}
            }
        },
        "custom_supabase_internal_requests",
    ),
    "no organization": ({"organization_slug": None}, "organization_slug"),
    "an organization number beyond numbers": ({"org_id": 10**30}, "org_id"),
}


@pytest.mark.parametrize(("changes", "field"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_had_is_refused_and_nothing_is_made(
    bench, project_body, changes, field
):
    person = await bench.person()
    organization = await bench.organization(person)
    body = project_body(organization["slug"]) | changes
    answer = await person.post("/platform/projects", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"].startswith(field), answer.text
    assert await bench.sql("SELECT 1 FROM project") == []
    assert bench.kube.writes == ()


async def test_what_asks_for_nothing_special_is_taken(bench):
    """What today's Studio sends when nothing is chosen."""
    person = await bench.person()
    await bench.project(
        person,
        await bench.organization(person),
        high_availability=False,
        kps_enabled=False,
        postgres_engine="17",
        release_channel="ga",
        data_api_use_api_schema=False,
        db_sql="",
        db_pricing_tier_id="tier_free",
        plan="free",
        desired_instance_size=None,
        custom_supabase_internal_requests={
            "ami": {"search_tags": {"tag:postgresVersion": "17.6.1"}}
        },
    )


async def test_fields_of_a_newer_studio_are_ignored_and_counted(bench):
    person = await bench.person()
    await bench.project(
        person,
        await bench.organization(person),
        quantum=True,
        region_selection={"code": "x", "y": 1},
    )
    text = bench.services.metrics.text().decode()
    assert 'supaplane_api_unknown_body_fields_total{route="/projects"} 2.0' in text
    assert "quantum" not in text


async def test_the_data_api_is_narrowed_or_switched_off_as_asked(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    narrow = await bench.project(person, organization, data_api_exposed_schemas=["app"])
    off = await bench.project(person, organization, data_api_exposed_schemas=[])
    assert bench.kube.peek(PROJECTS, HOME, narrow["ref"])["spec"]["rest"] == {"schemas": ["app"]}
    assert bench.kube.peek(PROJECTS, HOME, off["ref"])["spec"]["rest"] == {"enabled": False}
    for made, schemas in ((narrow, "app"), (off, "")):
        settings = (await person.get(f"/platform/projects/{made['ref']}/settings")).json()
        assert settings["app_config"]["db_schema"] == schemas


def test_the_platforms_own_defaults_go_into_every_project(settings, project_body):
    chosen = settings.model_copy(
        update={
            "postgres_disk_size": "20Gi",
            "postgres_default_version": "17",
            "postgres_docker_image": "registry.example.org/postgres:17",
        }
    )
    wish = CreateProject.model_validate(project_body("acme"))
    spec = spec_of(wish, ref="a" * 20, organization="acme", settings=chosen)
    assert spec.database.storage.size == "20Gi"
    assert spec.database.version == "17"
    assert dict(spec.images) == {"db": "registry.example.org/postgres:17"}


async def test_a_member_who_may_not_make_projects_is_told_so(bench, project_body):
    owner = await bench.person()
    organization = await bench.organization(owner)
    member = await bench.member(organization, "Developer")
    answer = await member.post("/platform/projects", project_body(organization["slug"]))
    assert answer.status_code == 403
    assert "Owner or Administrator" in answer.json()["message"]
    stranger = await bench.person()
    answer = await stranger.post("/platform/projects", project_body(organization["slug"]))
    assert answer.status_code == 404
    assert bench.kube.writes == ()


async def test_many_at_once_all_become_projects_of_their_own(bench, project_body):
    person = await bench.person()
    organization = await bench.organization(person)
    answers = await asyncio.gather(
        *(person.post("/projects", project_body(organization["slug"])) for _ in range(30))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["ref"] for answer in answers}) == 30
    assert len({answer.json()["anon_key"] for answer in answers}) == 30


def _on(plural):
    return lambda request: request.is_write and request.resource.plural == plural


@pytest.mark.parametrize("plural", ["secrets", "supabaseprojects"])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Invalid(422, "Invalid", "spec.size: Unsupported value", {}), 400),
        (errors.Forbidden(403, "Forbidden", "exceeded quota", {}), 503),
        (errors.NotFound(404, "NotFound", 'namespaces "supaplane-projects" not found', {}), 503),
    ],
)
async def test_what_kubernetes_refuses_leaves_nothing_behind(
    bench, project_body, plural, error, status
):
    person = await bench.person()
    organization = await bench.organization(person)
    bench.kube.fail(error, when=_on(plural))
    answer = await person.post("/platform/projects", project_body(organization["slug"]))
    assert answer.status_code == status
    assert error.message in answer.json()["message"]
    assert await bench.sql("SELECT 1 FROM project") == []
    assert bench.kube.all(SECRETS) == bench.kube.all(PROJECTS) == ()


@pytest.mark.parametrize("plural", ["secrets", "supabaseprojects"])
async def test_an_api_server_that_does_not_answer_is_told_honestly(bench, project_body, plural):
    person = await bench.person()
    organization = await bench.organization(person)
    bench.kube.fail(errors.Unreachable("timed out"), when=_on(plural))
    answer = await person.post("/platform/projects", project_body(organization["slug"]))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    ((ref, state),) = await bench.sql("SELECT ref, state FROM project")
    assert state == "reserved"
    assert ref in answer.json()["message"]


WORDS = st.sampled_from(
    ["name", "db_pass", "org_id", "db_region", "desired_instance_size", "plan", "kps_enabled"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(WORDS, JSON, max_size=4))
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_body_whatever_breaks_it(odd_bench, project_body, changes):
    person, slug = odd_bench
    answer = await person.post("/platform/projects", project_body(slug) | changes)
    assert answer.status_code in (201, 400, 404), answer.text


@pytest.fixture
async def odd_bench(bench):
    person = await bench.person()
    return person, (await bench.organization(person))["slug"]
