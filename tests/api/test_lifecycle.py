"""Pausing, restoring, restarting, resizing, moving and deleting projects."""

import pytest

from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import names

HOME = names.DEFAULT_HOME_NAMESPACE


@pytest.fixture
async def shop(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization, name="Shop")
    components = [{"name": "db", "phase": "Ready"}, {"name": "auth", "phase": "Ready"}]
    await bench.says(made["ref"], phase="ACTIVE_HEALTHY", components=components)
    return person, made["ref"]


def spec_of(bench, ref):
    return bench.kube.peek(PROJECTS, HOME, ref)["spec"]


async def test_pausing_and_restoring_are_wishes_in_the_resource(bench, shop):
    person, ref = shop
    assert (await person.post(f"/platform/projects/{ref}/pause")).status_code == 201
    assert spec_of(bench, ref)["desiredState"] == "Paused"
    await bench.says(ref, phase="INACTIVE", phaseSince="2026-11-22T12:00:00Z")
    told = (await person.get(f"/platform/projects/{ref}/pause/status")).json()
    assert told["can_restore"] is True
    assert told["last_paused_on"] == "2026-11-22T12:00:00Z"
    answer = await person.post(f"/platform/projects/{ref}/restore", {})
    assert answer.status_code == 200
    assert answer.json()["status"] == "RESTORING"
    assert spec_of(bench, ref)["desiredState"] == "Running"
    rows = await bench.sql(
        "SELECT action FROM audit_log WHERE project_ref = %s ORDER BY id", (ref,)
    )
    assert [row[0] for row in rows][-2:] == ["project.pause", "project.restore"]


async def test_a_field_that_gitops_owns_is_not_taken(bench, shop):
    person, ref = shop
    live = bench.kube.peek(PROJECTS, HOME, ref)
    fields = {
        "f:desiredState": {},
        "f:size": {},
        "f:database": {"f:storage": {"f:size": {}}},
    }
    live["metadata"]["managedFields"] = [
        {"manager": "argocd", "operation": "Apply", "fieldsV1": {"f:spec": fields}}
    ]
    bench.kube.put(PROJECTS, live)
    compute = {"addon_type": "compute_instance", "addon_variant": "ci_large"}
    for path, body in (
        ("pause", None),
        ("billing/addons", compute),
        ("resize", {"volume_size_gb": 99}),
    ):
        answer = await person.post(f"/platform/projects/{ref}/{path}", body)
        assert answer.status_code == 409
        assert "argocd" in answer.json()["message"]


async def test_a_restart_is_an_operation_of_its_own_id(bench, shop):
    person, ref = shop
    wish = {"restartRequest": {"region": "local", "services": ["postgresql", "gotrue"]}}
    answer = await person.post(f"/platform/projects/{ref}/restart-services", wish)
    assert answer.status_code == 201
    first = spec_of(bench, ref)["operation"]
    assert (first["kind"], first["parameters"]) == ("restart", {"components": "auth,db"})
    assert (await person.post(f"/platform/projects/{ref}/restart", {})).status_code == 201
    second = spec_of(bench, ref)["operation"]
    assert second["id"] != first["id"]
    assert "parameters" not in second


@pytest.mark.parametrize(
    ("service", "status"), [("walg", 501), ("storage", 400), ("nonsense", 400)]
)
async def test_what_does_not_run_is_not_restarted(bench, shop, service, status):
    person, ref = shop
    wish = {"restartRequest": {"region": "local", "services": [service]}}
    answer = await person.post(f"/platform/projects/{ref}/restart-services", wish)
    assert answer.status_code == status
    assert "operation" not in spec_of(bench, ref)


async def test_a_paused_project_is_not_restarted(bench, shop):
    person, ref = shop
    await bench.says(ref, phase="INACTIVE")
    assert (await person.post(f"/platform/projects/{ref}/restart", {})).status_code == 409


async def test_another_compute_size_is_the_size_of_the_resource(bench, shop):
    person, ref = shop
    path = f"/platform/projects/{ref}/billing/addons"
    wish = {"addon_type": "compute_instance", "addon_variant": "ci_large"}
    assert (await person.post(path, wish)).status_code == 201
    assert spec_of(bench, ref)["size"] == "large"
    seen = bench.services.snapshot
    await bench.until(lambda: seen.get(HOME, ref).size == "large")
    chosen = (await person.get(path)).json()["selected_addons"]
    assert [one["variant"]["identifier"] for one in chosen] == ["ci_large"]
    wrong = wish | {"addon_variant": "ci_huge"}
    assert (await person.post(path, wrong)).status_code == 400
    assert (
        await person.post(path, {"addon_type": "pitr", "addon_variant": "x"})
    ).status_code == 501
    assert (await person.client.delete(f"{path}/ci_large")).status_code == 200
    assert spec_of(bench, ref)["size"] == "nano"


async def test_a_volume_only_grows(bench, shop):
    person, ref = shop
    before = (await person.get(f"/platform/projects/{ref}/disk")).json()["attributes"]["size_gb"]
    path = f"/platform/projects/{ref}/disk"
    assert (await person.post(path, {"attributes": {"size_gb": before - 1}})).status_code == 400
    faster = {"attributes": {"size_gb": 50, "iops": 9000}}
    assert (await person.post(path, faster)).status_code == 501
    assert (await person.post(path, {"attributes": {"size_gb": 50}})).status_code == 201
    assert spec_of(bench, ref)["database"]["storage"]["size"] == "50Gi"


async def test_deleting_removes_the_resource_and_leaves_the_data_to_its_policy(bench, shop):
    person, ref = shop
    answer = await person.client.delete(f"/platform/projects/{ref}")
    assert answer.status_code == 200
    assert answer.json()["name"] == "Shop"
    assert bench.kube.peek(PROJECTS, HOME, ref) is None
    rows = await bench.sql("SELECT 1 FROM audit_log WHERE action = 'project.delete'")
    assert rows == [(1,)]


async def test_a_protected_project_is_not_deleted(bench, shop):
    person, ref = shop
    live = bench.kube.peek(PROJECTS, HOME, ref)
    live["spec"]["deletion"] = {"protection": True}
    bench.kube.put(PROJECTS, live)
    answer = await person.client.delete(f"/platform/projects/{ref}")
    assert answer.status_code == 409
    assert "protection" in answer.json()["message"]
    assert bench.kube.peek(PROJECTS, HOME, ref) is not None


async def test_a_project_moves_to_another_organization_of_the_callers(bench, shop):
    person, ref = shop
    taker = await bench.organization(person, name="Taker")
    foreign = await bench.organization(await bench.person(), name="Foreign")
    path = f"/platform/projects/{ref}/transfer"
    refused = {"target_organization_slug": foreign["slug"]}
    told = (await person.post(f"{path}/preview", refused)).json()
    assert (told["valid"], told["has_access_to_target_organization"]) == (False, False)
    assert (await person.post(path, refused)).status_code == 400
    wish = {"target_organization_slug": taker["slug"]}
    assert (await person.post(f"{path}/preview", wish)).json()["valid"] is True
    assert (await person.post(path, wish)).status_code == 201
    assert spec_of(bench, ref)["organization"] == taker["slug"]
    detail = (await person.get(f"/platform/projects/{ref}")).json()
    assert detail["organization_slug"] == taker["slug"]
    rows = await bench.sql("SELECT 1 FROM audit_log WHERE action = 'project.transfer'")
    assert len(rows) == 2
