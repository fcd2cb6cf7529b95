"""The configuration of the services: fields of the SupabaseProject, and what is refused."""

from contextlib import AsyncExitStack

import pytest

from supaplane_api.inside import NotReached
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import from_secret_data, names
from supaplane_kube.resources import SECRETS

from .inside import ScriptedInside

HOME = names.DEFAULT_HOME_NAMESPACE


@pytest.fixture
def inside():
    return ScriptedInside(answer=[{"used": "1073741824"}])


@pytest.fixture
async def bench(make_bench, inside):
    async with AsyncExitStack() as stack:
        yield await make_bench(stack, inside=inside)


@pytest.fixture
async def shop(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization, name="Shop")
    return person, organization, made["ref"]


def spec_of(bench, ref, part):
    return bench.kube.peek(PROJECTS, HOME, ref)["spec"].get(part, {})


def owned_by(bench, ref, manager, fields):
    live = bench.kube.peek(PROJECTS, HOME, ref)
    entry = {"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": fields}}
    live["metadata"]["managedFields"] = [entry]
    bench.kube.put(PROJECTS, live)


def changed(bench, ref, **spec):
    live = bench.kube.peek(PROJECTS, HOME, ref)
    live["spec"] |= spec
    bench.kube.put(PROJECTS, live)


async def test_the_data_api_is_told_and_changed(bench, shop):
    person, _, ref = shop
    path = f"/platform/projects/{ref}/config/postgrest"
    secret = from_secret_data(bench.kube.peek(SECRETS, HOME, names.credentials_secret(ref)))
    told = (await person.get(path)).json()
    assert told == {
        "db_schema": "public,graphql_public",
        "db_extra_search_path": "public,extensions",
        "max_rows": 1000,
        "db_pool": None,
        "db_anon_role": "anon",
        "role_claim_key": ".role",
        "jwt_secret": secret["jwt-secret"],
    }
    change = {"db_schema": "public, shop", "max_rows": 50, "db_pool": 7}
    answer = await person.patch(path, change)
    assert answer.json() == {
        "db_schema": "public,shop",
        "db_extra_search_path": "public,extensions",
        "max_rows": 50,
        "db_pool": 7,
    }
    assert spec_of(bench, ref, "rest") == {
        "schemas": ["public", "shop"],
        "maxRows": 50,
        "poolSize": 7,
    }
    assert (await person.get(f"/v1/projects/{ref}/postgrest")).json()["max_rows"] == 50


async def test_a_data_api_without_schemas_is_switched_off_and_comes_back_with_one(bench, shop):
    person, _, ref = shop
    path = f"/platform/projects/{ref}/config/postgrest"
    assert (await person.patch(path, {"db_schema": ""})).json()["db_schema"] == ""
    assert spec_of(bench, ref, "rest") == {"enabled": False}
    assert (await person.patch(path, {"db_schema": "shop"})).json()["db_schema"] == "shop"
    assert spec_of(bench, ref, "rest") == {"schemas": ["shop"]}


async def test_the_jwt_secret_is_not_shown_to_who_may_not_see_it(bench, shop):
    _, organization, ref = shop
    reader = await bench.member(organization, "Read-only")
    told = (await reader.get(f"/platform/projects/{ref}/config/postgrest")).json()
    assert told["jwt_secret"] == ""


async def test_the_pooler_is_told_and_changed(bench, shop):
    person, _, ref = shop
    path = f"/platform/projects/{ref}/config/pgbouncer"
    told = (await person.get(path)).json()
    assert told["pool_mode"] == "transaction"
    assert told["db_host"] == f"{ref}.pooler.projects.example.org"
    assert "default_pool_size" not in told
    change = {"pool_mode": "session", "default_pool_size": 30, "pgbouncer_enabled": True}
    answer = await person.patch(path, change)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["pool_mode"], answer.json()["default_pool_size"]) == ("session", 30)
    assert spec_of(bench, ref, "pooler") == {"poolMode": "session", "defaultPoolSize": 30}
    (way,) = (await person.get(f"/platform/projects/{ref}/config/supavisor")).json()
    assert way["identifier"] == ref
    assert way["connectionString"].startswith(f"postgresql://postgres.{ref}:[YOUR-PASSWORD]@")
    v1 = f"/v1/projects/{ref}/config/database/pooler"
    assert (await person.get(v1)).json() == [way]
    answer = await person.patch(v1, {"default_pool_size": None})
    assert answer.json() == {"pool_mode": "session", "default_pool_size": None}
    assert spec_of(bench, ref, "pooler") == {"poolMode": "session"}


async def test_the_pooler_is_where_the_operator_says(bench, shop):
    person, _, ref = shop
    status = {"endpoints": {"pooler": "10.1.2.3:6543"}}
    parts = [{"name": "pooler", "phase": "Ready"}]
    await bench.says(ref, phase="ACTIVE_HEALTHY", components=parts, **status)
    told = (await person.get(f"/platform/projects/{ref}/config/pgbouncer")).json()
    assert (told["db_host"], told["db_port"]) == ("10.1.2.3", 6543)
    active = await person.get(f"/platform/projects/{ref}/config/pgbouncer/status")
    assert active.json() == {"active": True}


async def test_realtime_is_told_and_changed(bench, shop):
    person, _, ref = shop
    path = f"/platform/projects/{ref}/config/realtime"
    current = (await person.get(path)).json()
    assert (current["suspend"], current["max_concurrent_users"]) == (False, None)
    change = current | {"max_concurrent_users": 500, "suspend": True}
    assert (await person.patch(path, change)).status_code == 204
    expected = {"maxConcurrentUsers": 500, "enabled": False}
    assert spec_of(bench, ref, "realtime") == expected
    again = {"suspend": False, "max_concurrent_users": None}
    assert (await person.patch(f"/v1/projects/{ref}/config/realtime", again)).status_code == 204
    assert spec_of(bench, ref, "realtime") == {}


async def test_storage_is_told_and_changed(bench, shop):
    person, _, ref = shop
    path = f"/platform/projects/{ref}/config/storage"
    current = (await person.get(path)).json()
    assert current["fileSizeLimit"] == 52_428_800
    assert current["features"]["imageTransformation"] == {"enabled": True}
    change = {"fileSizeLimit": 1000, "features": {"imageTransformation": {"enabled": False}}}
    answer = await person.patch(path, change)
    assert answer.json()["fileSizeLimit"] == 1000
    assert spec_of(bench, ref, "storage") == {"fileSizeLimit": 1000, "imageTransformation": False}
    again = await person.patch(path, {"features": current["features"], "fileSizeLimit": None})
    assert again.json() == current


async def test_parameters_of_postgres_are_set_and_taken_back(bench, shop):
    person, _, ref = shop
    path = f"/v1/projects/{ref}/config/database/postgres"
    current = (await person.get(path)).json()
    assert current["max_connections"] > 0  # by the size
    change = {"work_mem": "16MB", "hot_standby_feedback": True, "statement_timeout": "60s"}
    answer = await person.patch(path, change)
    assert answer.json() == current | change
    assert spec_of(bench, ref, "database")["parameters"] == {
        "work_mem": "16MB",
        "hot_standby_feedback": "on",
        "statement_timeout": "60s",
    }
    answer = await person.put(path, current | {"work_mem": "8MB"})
    assert answer.json() == current | {"work_mem": "8MB"}
    assert spec_of(bench, ref, "database")["parameters"] == {"work_mem": "8MB"}


async def test_a_parameter_that_the_list_does_not_know_survives_the_others(bench, shop):
    person, _, ref = shop
    changed(bench, ref, database={"parameters": {"cron.max_running_jobs": "5", "work_mem": "1MB"}})
    await person.put(f"/v1/projects/{ref}/config/database/postgres", {})
    assert spec_of(bench, ref, "database")["parameters"] == {"cron.max_running_jobs": "5"}


@pytest.mark.parametrize(
    ("path", "change", "word"),
    [
        ("/platform/projects/{}/config/postgrest", {"max_rows": 0}, "max_rows"),
        ("/platform/projects/{}/config/postgrest", {"db_schema": "a b"}, "schemas"),
        ("/platform/projects/{}/config/pgbouncer", {"pool_mode": "statement"}, "pool_mode"),
        ("/platform/projects/{}/config/pgbouncer", {"server_lifetime": 9}, "server_lifetime"),
        ("/platform/projects/{}/config/pgbouncer", {"pgbouncer_enabled": False}, "pgbouncer_en"),
        ("/platform/projects/{}/config/realtime", {"private_only": True}, "private_only"),
        (
            "/platform/projects/{}/config/storage",
            {"features": {"vectorBuckets": {"enabled": True}}},
            "vectorBuckets",
        ),
        ("/v1/projects/{}/config/database/postgres", {"work_mem": "lots"}, "work_mem"),
        ("/v1/projects/{}/config/database/postgres", {"restart_database": False}, "restart"),
    ],
)
async def test_what_cannot_be_carried_is_refused_by_name(bench, shop, path, change, word):
    person, _, ref = shop
    before = len(bench.kube.writes)
    answer = await person.patch(path.format(ref), change)
    assert answer.status_code == 400
    assert word in answer.json()["message"]
    assert len(bench.kube.writes) == before


@pytest.mark.parametrize(
    ("path", "change", "fields"),
    [
        ("/platform/projects/{}/config/postgrest", {"max_rows": 5}, {"rest": {"maxRows": {}}}),
        (
            "/platform/projects/{}/config/storage",
            {"fileSizeLimit": 5},
            {"storage": {"fileSizeLimit": {}}},
        ),
        (
            "/v1/projects/{}/config/database/postgres",
            {"work_mem": "5MB"},
            {"database": {"parameters": {"work_mem": {}}}},
        ),
        (
            "/platform/projects/{}/config/realtime",
            {"max_concurrent_users": 5},
            {"realtime": {"maxConcurrentUsers": {}}},
        ),
        (
            "/platform/projects/{}/config/pgbouncer",
            {"pool_mode": "session"},
            {"pooler": {"poolMode": {}}},
        ),
    ],
)
async def test_a_field_that_gitops_owns_is_not_taken(bench, shop, path, change, fields):
    person, _, ref = shop

    def marked(part):
        return {f"f:{name}": marked(inner) for name, inner in part.items()}

    owned_by(bench, ref, "argocd", marked(fields))
    answer = await person.patch(path.format(ref), change)
    assert answer.status_code == 409
    assert "argocd" in answer.json()["message"]


async def test_source_ranges_are_those_of_the_load_balancers(bench, shop):
    person, _, ref = shop
    path = f"/v1/projects/{ref}/network-restrictions"
    assert (await person.get(path)).json()["entitlement"] == "disallowed"
    wish = {"dbAllowedCidrs": ["203.0.113.0/24"], "dbAllowedCidrsV6": ["2001:db8::/32"]}
    assert (await person.post(f"{path}/apply", wish)).status_code == 400
    changed(bench, ref, database={"external": {"enabled": True}}, pooler={})
    answer = await person.post(f"{path}/apply", wish)
    assert answer.status_code == 201
    assert (answer.json()["config"], answer.json()["entitlement"]) == (wish, "allowed")
    external = spec_of(bench, ref, "database")["external"]
    assert external == {"enabled": True, "allowedCidrs": ["203.0.113.0/24", "2001:db8::/32"]}
    edit = {"add": {"dbAllowedCidrs": ["198.51.100.0/24"]}, "remove": wish}
    answer = await person.patch(path, edit)
    assert answer.json()["config"]["dbAllowedCidrs"] == ["198.51.100.0/24"]
    wrong = {"dbAllowedCidrs": ["2001:db8::/32"]}
    assert (await person.post(f"{path}/apply", wrong)).status_code == 400


async def test_a_host_of_its_own_is_a_custom_domain(bench, shop):
    person, _, ref = shop
    path = f"/v1/projects/{ref}/custom-hostname"
    none = await person.get(path)
    assert none.status_code == 404
    assert "custom hostname configuration" in none.json()["message"]
    wish = {"custom_hostname": "api.shop.example"}
    answer = await person.post(f"{path}/initialize", wish)
    assert answer.status_code == 201, answer.text
    assert answer.json()["data"]["result"]["custom_origin_server"].startswith(ref)
    assert bench.kube.peek(PROJECTS, HOME, ref)["spec"]["customDomains"] == ["api.shop.example"]
    assert (await person.post(f"{path}/activate")).status_code == 201
    assert (await person.client.delete(path)).status_code == 200
    assert (await person.get(path)).status_code == 404


@pytest.mark.parametrize(
    "host", ["other.projects.example.org", "projects.example.org", "studio.example.org", "bare"]
)
async def test_a_host_of_the_platforms_is_not_given_away(bench, shop, host):
    person, _, ref = shop
    path = f"/v1/projects/{ref}/custom-hostname/initialize"
    assert (await person.post(path, {"custom_hostname": host})).status_code == 400
    assert "customDomains" not in bench.kube.peek(PROJECTS, HOME, ref)["spec"]


async def test_the_keys_that_sign_are_told_without_their_secrets(bench, shop):
    person, _, ref = shop
    path = f"/v1/projects/{ref}/config/auth/signing-keys"
    answer = await person.get(path)
    pair, secret = answer.json()["keys"]
    assert (pair["algorithm"], pair["status"]) == ("ES256", "in_use")
    assert pair["public_jwk"]["kid"] == pair["id"]
    assert "d" not in pair["public_jwk"]
    assert (secret["algorithm"], secret["status"]) == ("HS256", "previously_used")
    assert secret["public_jwk"] is None
    assert (await person.get(f"{path}/legacy")).json() == secret


async def test_how_full_the_volume_is_the_database_says(shop, inside):
    person, _, ref = shop
    answer = await person.get(f"/platform/projects/{ref}/disk/util")
    metrics = answer.json()["metrics"]
    assert metrics["fs_used_bytes"] == 2**30
    assert metrics["fs_avail_bytes"] == metrics["fs_size_bytes"] - 2**30
    inside.answer = {}
    assert (await person.get(f"/v1/projects/{ref}/config/disk/util")).status_code == 503


async def test_a_volume_of_a_paused_project_is_not_asked_about(bench, shop, inside):
    person, _, ref = shop
    await bench.says(ref, phase="INACTIVE")
    inside.told = lambda _: (_ for _ in ()).throw(NotReached("asked"))
    assert (await person.get(f"/platform/projects/{ref}/disk/util")).status_code == 503
    assert inside.calls == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "ssl-enforcement", {"requestedConfig": {"database": True}}),
        ("DELETE", "network-bans", {"ipv4_addresses": ["192.0.2.1"]}),
        ("POST", "vanity-subdomain/activate", {"vanity_subdomain": "shop"}),
        ("POST", "read-replicas/setup", {"read_replica_region": "eu"}),
        ("POST", "readonly/temporary-disable", None),
        ("POST", "config/auth/signing-keys", {"algorithm": "ES256"}),
        ("POST", "config/auth/third-party-auth", {"jwks_url": "https://a.example"}),
    ],
)
async def test_what_is_not_there_is_said_and_not_pretended(shop, method, path, body):
    person, _, ref = shop
    answer = await person.client.request(method, f"/v1/projects/{ref}/{path}", json=body)
    assert answer.status_code == 501
    assert answer.json()["message"]


async def test_what_is_empty_is_told_as_empty(shop):
    person, _, ref = shop
    v1 = f"/v1/projects/{ref}"
    assert (await person.get(f"{v1}/config/auth/third-party-auth")).json() == []
    bans = await person.post(f"{v1}/network-bans/retrieve")
    assert (bans.status_code, bans.json()) == (201, {"banned_ipv4_addresses": []})
    assert (await person.get(f"{v1}/ssl-enforcement")).json()["currentConfig"] == {
        "database": False
    }
    assert (await person.get(f"{v1}/vanity-subdomain")).json() == {"status": "not-used"}
    status = await person.get(f"/platform/projects/{ref}/config/secrets/update-status")
    assert status.json()["update_status"] is None


async def test_two_changes_at_once_are_both_made(bench, shop):
    """Somebody writes between our reading and writing: we look again."""
    person, _, ref = shop

    def meanwhile(request):
        if request.verb == "patch" and request.resource == PROJECTS:
            bench.kube.on_request = None
            changed(bench, ref, storage={"fileSizeLimit": 7})

    bench.kube.on_request = meanwhile
    path = f"/platform/projects/{ref}/config/postgrest"
    assert (await person.patch(path, {"max_rows": 5})).status_code == 200
    assert spec_of(bench, ref, "rest") == {"maxRows": 5}
    assert spec_of(bench, ref, "storage") == {"fileSizeLimit": 7}
