"""Guards: what holds data is not deleted by mistake, whoever deletes; who means it, can."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.cluster

HOME = "supaplane-projects"
NAMESPACES = "/api/v1/namespaces"
PROJECTS = f"/apis/supaplane.dev/v1alpha1/namespaces/{HOME}/supabaseprojects"
DEFINITION = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/supabaseprojects.supaplane.dev"
)
ALLOWED = {"metadata": {"labels": {"supaplane.dev/allow-delete": "true"}}}
DRY = "?dryRun=All"


def test_an_administrator_does_not_delete_the_namespace_of_a_project(
    admin: Any, refused: Any, project: Any
) -> None:
    path = f"{NAMESPACES}/{project['namespace']}"
    answer = admin.send("DELETE", path)
    refused(answer, "delete its SupabaseProject instead")
    cure = f"kubectl label namespace {project['namespace']} supaplane.dev/allow-delete=true"
    refused(answer, cure)
    assert "deletionTimestamp" not in admin.send("GET", path).json()["metadata"]


def test_nor_all_namespaces_at_once(admin: Any, project: Any) -> None:
    """Namespaces have no deletecollection; kubectl deletes them one by one."""
    assert admin.send("DELETE", NAMESPACES).status_code == 405


def test_with_the_break_glass_label_the_namespace_goes(admin: Any) -> None:
    ref = "guardedguardedguarde"
    made = admin.make(NAMESPACES, f"supabase-{ref}", labels={"supaplane.dev/ref": ref})
    assert made.status_code == 201
    path = f"{NAMESPACES}/supabase-{ref}"
    assert admin.send("DELETE", path).status_code in (403, 422)
    assert admin.patch(path, ALLOWED).status_code == 200
    assert admin.send("DELETE", path).status_code == 200


@pytest.mark.parametrize("value", ["false", "yes", ""])
def test_any_other_value_of_the_label_does_not_count(
    admin: Any, refused: Any, project: Any, value: str
) -> None:
    path = f"{NAMESPACES}/{project['namespace']}"
    labels = {"supaplane.dev/allow-delete": value}
    assert admin.patch(path, {"metadata": {"labels": labels}}).status_code == 200
    refused(admin.send("DELETE", path + DRY), "holds the data of a project")
    labels = {"supaplane.dev/allow-delete": None}
    assert admin.patch(path, {"metadata": {"labels": labels}}).status_code == 200


@pytest.mark.parametrize("value", [None, "somebodyelsesomebodye"])
def test_whose_data_it_is_cannot_be_taken_off_a_namespace(
    admin: Any, refused: Any, project: Any, value: str | None
) -> None:
    labels = {"metadata": {"labels": {"supaplane.dev/ref": value}}}
    answer = admin.patch(f"{NAMESPACES}/{project['namespace']}", labels)
    refused(answer, "says whose data is in this namespace")


def test_other_labels_and_annotations_of_a_project_namespace_are_free(
    admin: Any, project: Any
) -> None:
    patch = {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}}
    assert admin.patch(f"{NAMESPACES}/{project['namespace']}", patch).status_code == 200


def test_a_home_namespace_is_not_deleted(admin: Any, refused: Any) -> None:
    refused(admin.send("DELETE", f"{NAMESPACES}/{HOME}"), "holds SupabaseProjects and their cred")


def test_other_namespaces_are_deleted_as_ever(admin: Any) -> None:
    assert admin.make(NAMESPACES, "passing").status_code == 201
    assert admin.send("DELETE", f"{NAMESPACES}/passing").status_code == 200


def test_a_protected_project_is_deleted_by_nobody_until_the_label_says_so(
    admin: Any, refused: Any, projects: Any, running_operator: Any
) -> None:
    projects.make("guarded", deletion={"protection": True})
    projects.until("guarded", "ACTIVE_HEALTHY")
    path = f"{PROJECTS}/guarded"
    answer = admin.send("DELETE", path)
    refused(answer, "this SupabaseProject is protected")
    refused(answer, f"kubectl label -n {HOME} supabaseproject guarded supaplane.dev/allow-delete")
    refused(admin.send("DELETE", PROJECTS + DRY), "is protected")
    assert "deletionTimestamp" not in admin.send("GET", path).json()["metadata"]
    assert admin.patch(path, ALLOWED).status_code == 200
    projects.delete("guarded")


def test_without_protection_it_is_deleted_as_it_is(
    admin: Any, projects: Any, running_operator: Any
) -> None:
    projects.make("free", deletion={"protection": True})
    projects.change("free", deletion={"protection": False})
    projects.delete("free")


def test_the_definition_is_not_deleted(admin: Any, refused: Any, project: Any) -> None:
    refused(admin.send("DELETE", DEFINITION), "with this definition go all SupabaseProjects")
    assert admin.patch(DEFINITION, ALLOWED).status_code == 200
    assert admin.send("DELETE", DEFINITION + DRY).status_code == 200
    labels = {"metadata": {"labels": {"supaplane.dev/allow-delete": None}}}
    assert admin.patch(DEFINITION, labels).status_code == 200


def test_the_definitions_of_others_are_nobodys_business(platform: Any, admin: Any) -> None:
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org",
            "names": {"kind": "Thing", "plural": "things"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }
    platform.cluster.kubectl("create", "-f", "-", input=yaml.safe_dump(body))
    path = DEFINITION.replace("supabaseprojects.supaplane.dev", "things.example.org")
    assert admin.send("DELETE", path).status_code == 200
