"""Is what lies in the cluster read tolerantly, and is what we send read back as it was meant?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from supaplane_contract import (
    ProjectSpec,
    Size,
    SpecUnreadable,
    from_manifest,
    manifest,
    read_spec,
    read_status,
    spec_to_manifest,
)
from supaplane_contract.spec import ComponentName, Database, VolumeSpec

LIVING = {
    "apiVersion": "supaplane.dev/v1alpha1",
    "kind": "SupabaseProject",
    "metadata": {
        "name": "shop",
        "namespace": "home",
        "uid": "u-1",
        "generation": 3,
        "resourceVersion": "77",
        "labels": {"a": "b"},
        "annotations": {"c": "d"},
        "finalizers": ["supaplane.dev/project"],
        "creationTimestamp": "2026-11-22T12:00:00Z",
        "deletionTimestamp": "2026-11-22T13:00:00Z",
        "managedFields": [{}],
    },
    "spec": {"size": "small"},
    "status": {"phase": "COMING_UP", "ref": "a" * 20},
}


def test_a_living_object_is_read_whole() -> None:
    project = from_manifest(LIVING)
    assert (project.name, project.namespace, project.uid) == ("shop", "home", "u-1")
    assert (project.generation, project.resource_version) == (3, "77")
    assert project.spec.size is Size.SMALL
    assert (project.status.phase, project.status.ref) == ("COMING_UP", "a" * 20)
    assert project.labels == {"a": "b"}
    assert project.annotations == {"c": "d"}
    assert project.finalizers == ("supaplane.dev/project",)
    assert project.creation_timestamp == "2026-11-22T12:00:00Z"
    assert project.deletion_timestamp == "2026-11-22T13:00:00Z"
    assert project.unknown_fields == ()


def test_an_object_with_nothing_but_a_name_is_a_wish_for_the_defaults() -> None:
    project = from_manifest({"metadata": {"name": "x"}})
    assert project.spec == ProjectSpec()
    assert project.status.phase is None


@given(data=st.data())
def test_what_is_sent_is_read_back(
    specs: st.SearchStrategy[ProjectSpec], data: st.DataObject
) -> None:
    spec = data.draw(specs)
    sent = manifest(name="x", namespace="home", spec=spec)
    read = from_manifest(sent)
    assert read.spec == spec
    assert read.unknown_fields == ()
    assert spec_to_manifest(read.spec) == sent["spec"]


@given(data=st.data())
def test_nothing_that_is_sent_is_null(
    specs: st.SearchStrategy[ProjectSpec], data: st.DataObject
) -> None:
    assert None not in list(leaves(spec_to_manifest(data.draw(specs))))


def leaves(value: Any) -> Any:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def test_only_what_was_set_is_sent() -> None:
    spec = ProjectSpec(
        size=Size.SMALL, database=Database(storage=VolumeSpec(size="9Gi")), host=None
    )
    assert spec_to_manifest(spec) == {"size": "small", "database": {"storage": {"size": "9Gi"}}}


def test_labels_and_annotations_are_sent_only_when_there_are_some() -> None:
    bare = manifest(name="x", namespace="home", spec=ProjectSpec())
    assert bare["metadata"] == {"name": "x", "namespace": "home"}
    full = manifest(
        name="x", namespace="home", spec=ProjectSpec(), labels={"a": "b"}, annotations={"c": "d"}
    )
    assert full["metadata"]["labels"] == {"a": "b"}
    assert full["metadata"]["annotations"] == {"c": "d"}


UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"later": 1}, "later"),
    ({"database": {"later": {"deep": 1}}}, "database.later"),
    ({"database": {"storage": {"later": 1, "size": "1Gi"}}}, "database.storage.later"),
    ({"auth": {"smtp": {"host": "h", "adminEmail": "a@b", "later": 1}}}, "auth.smtp.later"),
    ({"auth": {"autoscaling": {"maxReplicas": 2, "later": []}}}, "auth.autoscaling.later"),
    ({"rest": {"extraEnvFrom": [{"name": "a"}, {"name": "b", "n": 1}]}}, "rest.extraEnvFrom.1.n"),
    ({"auth": {"secretRefs": {"k": {"name": "a", "key": "b", "n": 1}}}}, "auth.secretRefs.k.n"),
    ({"ingress": {"parentRefs": [{"name": "a", "later": 1}]}}, "ingress.parentRefs.0.later"),
    ({"ingress": {"tls": {"issuerRef": {"name": "a", "n": 1}}}}, "ingress.tls.issuerRef.n"),
    ({"operation": {"id": "a", "kind": "restart", "later": 1}}, "operation.later"),
    ({"images": {"vector": "x", "db": "y"}}, "images.vector"),
]


@pytest.mark.parametrize(("raw", "path"), UNKNOWN, ids=[path for _, path in UNKNOWN])
def test_a_field_of_a_newer_version_is_left_out_and_named(raw: dict[str, Any], path: str) -> None:
    spec, unknown = read_spec(raw)
    assert unknown == (path,)
    assert path.rpartition(".")[2] not in known_fields(spec_to_manifest(spec))


def known_fields(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(known_fields, value.values()))
    return set().union(*map(known_fields, value)) if isinstance(value, list) else set()


def test_all_unknown_fields_are_named_and_what_is_known_is_kept() -> None:
    raw = {"later": 1, "size": "small", "database": {"later": 2, "storage": {"size": "5Gi"}}}
    spec, unknown = read_spec(raw)
    assert sorted(unknown) == ["database.later", "later"]
    assert (spec.size, spec.database.storage.size) == (Size.SMALL, "5Gi")
    assert raw["database"] == {"later": 2, "storage": {"size": "5Gi"}}


def test_an_image_of_a_component_of_a_newer_version_does_not_lose_the_others() -> None:
    spec, _ = read_spec({"images": {"vector": "x", "db": "y"}})
    assert spec.images == {ComponentName.DB: "y"}


@pytest.mark.parametrize("count", [1, 100, 3000])
def test_however_many_unknown_fields_there_are_the_rest_is_read(count: int) -> None:
    raw = {f"later{number}": {} for number in range(count)} | {"size": "small"}
    spec, unknown = read_spec(raw)
    assert len(unknown) == count
    assert spec.size is Size.SMALL


UNREADABLE: list[tuple[dict[str, Any], list[str]]] = [
    ({"size": "huge"}, ["spec.size", "'huge' is not known to this version", "nano"]),
    ({"ingress": {"kind": "Gateway"}}, ["spec.ingress.kind", "'Gateway'", "HTTPRoute"]),
    ({"desiredState": "Hibernated"}, ["spec.desiredState", "'Hibernated'", "Paused"]),
    ({"operation": {"id": "a", "kind": "clone"}}, ["spec.operation.kind", "'clone'", "restart"]),
    ({"operation": {"id": "a"}}, ["spec.operation.kind", "required"]),
    ({"auth": 3}, ["spec.auth", "Auth"]),
    ({"rest": {"replicas": 99}}, ["spec.rest.replicas", "50"]),
    ({"later": 1, "size": "huge"}, ["spec.size", "'huge'"]),
]


@pytest.mark.parametrize(("raw", "parts"), UNREADABLE, ids=[parts[0] for _, parts in UNREADABLE])
def test_a_value_that_is_not_known_is_refused_by_name(
    raw: dict[str, Any], parts: list[str]
) -> None:
    with pytest.raises(SpecUnreadable) as refusal:
        read_spec(raw)
    assert all(part in str(refusal.value) for part in parts)


def test_a_refusal_does_not_repeat_a_value_that_may_be_a_secret() -> None:
    with pytest.raises(SpecUnreadable) as refusal:
        read_spec({"database": {"parameters": {"x": "hunter2\n"}}})
    assert "hunter2" not in str(refusal.value)


def test_a_status_field_that_cannot_be_read_does_not_cost_the_ref() -> None:
    raw = {"ref": "a" * 20, "conditions": [{"type": "Ready"}], "components": "none", "later": 1}
    status = read_status(raw)
    assert status.ref == "a" * 20
    assert (status.conditions, status.components) == ([], [])


def test_a_phase_of_a_newer_operator_is_read() -> None:
    assert read_status({"phase": "HIBERNATING"}).phase == "HIBERNATING"


STRICT: list[dict[str, Any]] = [
    {"rest": {"replicas": "2"}},
    {"rest": {"replicas": True}},
    {"auth": {"disableSignup": "true"}},
    {"auth": {"disableSignup": 1}},
    {"database": {"resources": {"limits": {"cpu": True}}}},
    {"database": {"resources": {"limits": {"cpu": 0.5}}}},
    {"database": {"version": 17}},
    {"Size": "nano"},
]


@pytest.mark.parametrize("raw", STRICT, ids=str)
def test_nothing_is_guessed_when_a_person_sends(raw: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProjectSpec.model_validate(raw)


def test_a_number_of_cores_is_a_quantity() -> None:
    spec = ProjectSpec.model_validate({"rest": {"resources": {"limits": {"cpu": 2}}}})
    assert spec.rest.resources is not None
    assert spec.rest.resources.limits is not None
    assert spec.rest.resources.limits.cpu == "2"


def test_every_component_has_its_part_of_the_spec() -> None:
    spec = ProjectSpec()
    assert spec.component(ComponentName.DB) is spec.database
    parts = [spec.component(name) for name in ComponentName]
    assert len(parts) == len(ComponentName)


def test_a_spec_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ProjectSpec().size = Size.LARGE
