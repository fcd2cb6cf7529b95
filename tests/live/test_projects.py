"""A project is made, over REST or with kubectl, and its real pods become ready."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from .platform import HOME, Platform
from .things import Project

SAMPLES = ("minimal", "default", "full")


def test_a_project_made_over_rest_is_active_healthy_on_real_pods(
    platform: Platform, shop: Project
) -> None:
    said = platform.rest("GET", f"/projects/{shop.ref}/status").json
    assert said == {"status": "ACTIVE_HEALTHY"}
    pods = platform.pods(shop)
    waiting = [
        container["name"]
        for pod in pods
        for container in pod["status"]["containerStatuses"]
        if not container["ready"]
    ]
    assert (len(pods), waiting) == (12, [])
    platform.measure_memory(shop, "all that runs by default")


def test_no_container_of_a_healthy_project_was_started_twice(
    platform: Platform, shop: Project
) -> None:
    again = {
        container["name"]: container.get("lastState")
        for pod in platform.pods(shop)
        for container in pod["status"]["containerStatuses"]
        if container["restartCount"]
    }
    assert again == {}


def test_no_pod_of_a_project_holds_a_token_of_the_cluster(
    platform: Platform, shop: Project
) -> None:
    mounts = [
        mount["mountPath"]
        for pod in platform.pods(shop)
        for container in pod["spec"]["containers"]
        for mount in container.get("volumeMounts", [])
    ]
    assert mounts
    assert not [path for path in mounts if "serviceaccount" in path]


def test_only_the_database_starts_as_root(platform: Platform, shop: Project) -> None:
    root = {
        pod["metadata"]["labels"]["app.kubernetes.io/name"]
        for pod in platform.pods(shop)
        if not (pod["spec"].get("securityContext") or {}).get("runAsNonRoot")
    }
    assert root == {"db"}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_becomes_healthy_with_kubectl_alone_and_the_api_shows_it(
    platform: Platform, root: Path, apply: Any, sample: str
) -> None:
    file = root / "manifests" / "samples" / f"{sample}.yaml"
    body = yaml.safe_load(file.read_text())
    assert body["metadata"]["namespace"] == HOME
    spec = {**body["spec"], "size": "dev", "deletion": {"policy": "Delete"}}
    project = platform.until_healthy(apply(f"sample-{sample}", spec), f"sample {sample}")

    assert platform.status(project.name)["ready"]
    components = {c["name"] for c in platform.status(project.name)["components"]}
    wanted = {
        "minimal": {"db", "auth", "rest", "gateway"},
        "default": {"db", "auth", "rest", "realtime", "storage", "studio", "pooler", "functions"},
        "full": {"db", "auth", "rest", "analytics"},
    }[sample]
    assert wanted <= components


def test_two_projects_at_once_become_healthy_and_share_nothing(
    platform: Platform, apply: Any
) -> None:
    small = {name: {"enabled": False} for name in ("realtime", "storage", "functions", "pooler")}
    started = time.monotonic()
    for name in ("twin-a", "twin-b"):
        apply(name, {**small, "studio": {"enabled": False}, "meta": {"enabled": False}})
    one, other = (platform.until_phase(n, "ACTIVE_HEALTHY") for n in ("twin-a", "twin-b"))
    platform.times["two small projects at once"] = time.monotonic() - started
    assert one.ref != other.ref
    shared = {key for key, value in one.keys.items() if other.keys[key] == value}
    assert shared == {"dashboard-username"}
