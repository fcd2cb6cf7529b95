"""A project is put aside, taken up again and deleted; what stays is what was promised.

The tests build upon each other.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from .platform import Platform
from .test_database import remember, remembers
from .things import Project


@pytest.fixture(scope="module")
def project(platform: Platform, small: dict[str, Any]) -> Project:
    name = platform.apply("rested", {**small, "deletion": {"policy": "Retain"}})
    return platform.until_phase(name, "ACTIVE_HEALTHY")


def names_of(platform: Platform, project: Project, kind: str) -> set[str]:
    return {item["metadata"]["name"] for item in platform.items(project.namespace, kind)}


def test_a_paused_project_has_no_pod_and_keeps_its_volumes_keys_and_rows(
    platform: Platform, project: Project
) -> None:
    remember(platform, project, "rested")
    before = {
        kind: names_of(platform, project, kind) for kind in ("persistentvolumeclaims", "secrets")
    }
    endpoints = platform.status(project.name)["endpoints"]

    started = time.monotonic()
    platform.patch(project.name, {"desiredState": "Paused"})
    platform.until_phase(project.name, "INACTIVE")
    platform.times["pause"] = time.monotonic() - started
    assert platform.pods(project) == []
    assert {kind: names_of(platform, project, kind) for kind in before} == before

    started = time.monotonic()
    platform.patch(project.name, {"desiredState": "Running"})
    again = platform.until_phase(project.name, "ACTIVE_HEALTHY")
    platform.times["resume"] = time.monotonic() - started
    assert again.keys == project.keys
    assert platform.status(project.name)["endpoints"] == endpoints
    assert remembers(platform, project, "rested")


def test_pausing_and_resuming_over_rest_is_told_in_studios_words(
    platform: Platform, shop: Project
) -> None:
    remember(platform, shop, "rest")
    assert platform.rest("POST", f"/platform/projects/{shop.ref}/pause").status == 201
    platform.until_phase(shop.name, "INACTIVE")
    said = platform.rest("GET", f"/projects/{shop.ref}/status").json
    assert said == {"status": "INACTIVE"}
    assert platform.query(shop.ref, "select 1").status >= 400
    assert platform.rest("POST", f"/platform/projects/{shop.ref}/restore", {}).status < 300
    platform.until_phase(shop.name, "ACTIVE_HEALTHY")
    assert remembers(platform, shop, "rest")


def test_a_deleted_project_keeps_its_data_unless_told_otherwise_and_is_found_again(
    platform: Platform, project: Project, small: dict[str, Any]
) -> None:
    remember(platform, project, "kept")
    started = time.monotonic()
    platform.remove(project.name)
    platform.times["delete, data retained"] = time.monotonic() - started
    platform.until(lambda: not platform.pods(project), "no pod is left")
    assert "db" in names_of(platform, project, "persistentvolumeclaims")
    assert names_of(platform, project, "services") == set()

    again = platform.until_phase(platform.apply(project.name, small), "ACTIVE_HEALTHY")
    assert (again.ref, again.keys) == (project.ref, project.keys)
    assert remembers(platform, again, "kept")


def test_nothing_is_left_of_a_project_deleted_with_its_data(
    platform: Platform, project: Project
) -> None:
    wish = platform.custom_resource(project.name)
    assert wish is not None
    assert wish["spec"]["deletion"]["policy"] == "Delete"
    started = time.monotonic()
    platform.remove(project.name)
    platform.times["delete with all data"] = time.monotonic() - started
    found = platform.kube(f"/api/v1/namespaces/{project.namespace}")
    assert found is None
    volumes = platform.kube("/api/v1/persistentvolumes")["items"]
    claimed = {volume["spec"]["claimRef"]["namespace"] for volume in volumes}
    assert project.namespace not in claimed
