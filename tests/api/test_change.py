"""Changing a project without taking from others what is theirs."""

import pytest

from supaplane_api.projects.change import owners
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import names
from supaplane_kube import errors

HOME = names.DEFAULT_HOME_NAMESPACE


@pytest.fixture
async def shop(bench):
    person = await bench.person()
    made = await bench.project(person, await bench.organization(person), name="Shop")
    return person, made["ref"]


def managed(manager, *fields, subresource=None):
    entry = {
        "manager": manager,
        "operation": "Apply",
        "fieldsV1": {"f:spec": {f"f:{field}": {} for field in fields}},
    }
    return entry | ({"subresource": subresource} if subresource else {})


async def test_a_new_name_is_written_to_the_resource_and_shown(bench, shop):
    person, ref = shop
    answer = await person.put(f"/platform/project/{ref}/settings", {"name": "Store"})
    assert answer.status_code == 200
    assert answer.json()["name"] == answer.json()["project"]["name"] == "Store"
    assert bench.kube.peek(PROJECTS, HOME, ref)["spec"]["displayName"] == "Store"
    await bench.until(lambda: bench.services.snapshot.get(HOME, ref).display_name == "Store")
    assert (await person.get(f"/platform/projects/{ref}")).json()["name"] == "Store"
    rows = await bench.sql("SELECT details->>'name' FROM audit_log WHERE action = 'project.rename'")
    assert rows == [("Store",)]


async def test_studio_renames_with_patch(bench, shop):
    person, ref = shop
    answer = await person.patch(f"/platform/projects/{ref}", {"name": "Store"})
    assert answer.json()["name"] == "Store"
    assert bench.kube.peek(PROJECTS, HOME, ref)["spec"]["displayName"] == "Store"


async def test_settings_sent_back_as_they_are_change_nothing(bench, shop):
    person, ref = shop
    current = (await person.get(f"/platform/project/{ref}/settings")).json()
    before = len(bench.kube.writes)
    answer = await person.put(f"/platform/project/{ref}/settings", current)
    assert answer.status_code == 200
    assert answer.json() == current
    assert len(bench.kube.writes) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"db_port": 6543}, "db_port"),
        ({"jwt_secret": "another"}, "jwt_secret"),
        ({"region": "us-east-1", "name": "Store"}, "region"),
        ({"ssl_enforced": True}, "ssl_enforced"),
        ({}, "name"),
        ({"unknown": 1}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
    ],
)
async def test_what_cannot_be_changed_is_refused_and_the_name_stays(bench, shop, change, field):
    person, ref = shop
    answer = await person.put(f"/platform/project/{ref}/settings", change)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(field)
    assert bench.kube.peek(PROJECTS, HOME, ref)["spec"]["displayName"] == "Shop"


async def test_a_name_that_belongs_to_gitops_stays_theirs(bench, shop):
    person, ref = shop
    live = bench.kube.peek(PROJECTS, HOME, ref)
    live["metadata"]["managedFields"] = [
        managed(names.FIELD_MANAGER_API, "size"),
        managed("argocd-controller", "displayName"),
    ]
    bench.kube.put(PROJECTS, live)
    answer = await person.patch(f"/projects/{ref}", {"name": "Store"})
    assert answer.status_code == 409
    assert "argocd-controller" in answer.json()["message"]
    assert bench.kube.peek(PROJECTS, HOME, ref)["spec"]["displayName"] == "Shop"
    assert (await person.patch(f"/projects/{ref}", {"name": "Shop"})).status_code == 200


def test_owners_are_read_from_managed_fields():
    live = {
        "metadata": {
            "managedFields": [
                managed("flux", "displayName"),
                managed("supaplane-operator", "displayName", subresource="status"),
                managed("kubectl-edit", "size"),
                {"manager": "odd"},
            ]
        }
    }
    assert owners(live, "displayName") == {"flux"}
    assert owners({"metadata": {}}, "displayName") == set()


async def test_a_change_meets_another_and_is_made_again(bench, shop):
    person, ref = shop
    conflict = errors.Conflict(409, "Conflict", "the object has been modified", {})
    bench.kube.fail(conflict, times=2, when=lambda r: r.verb == "patch")
    assert (await person.patch(f"/projects/{ref}", {"name": "Store"})).status_code == 200
    bench.kube.fail(conflict, times=9, when=lambda r: r.verb == "patch")
    assert (await person.patch(f"/projects/{ref}", {"name": "Again"})).status_code == 409


async def test_what_kubernetes_refuses_is_told_in_its_words(bench, shop):
    person, ref = shop
    refusal = errors.Invalid(422, "Invalid", "spec.displayName: Too long", {})
    bench.kube.fail(refusal, when=lambda r: r.verb == "patch")
    answer = await person.patch(f"/projects/{ref}", {"name": "Store"})
    assert answer.status_code == 400
    assert "Too long" in answer.json()["message"]
    rows = await bench.sql("SELECT 1 FROM audit_log WHERE action = 'project.rename'")
    assert rows == []
