"""Parts of the platform fail while projects are made and run: projects come through."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from supaplane_contract import names

from .platform import HOME, PROBE_PORT, Platform, Program, Project

OUTAGE = 20.0
"""Seconds without etcd: longer than the operator's lease."""


@pytest.fixture
def replicas(platform: Platform, tmp_path: Path) -> Iterator[dict[str, Program]]:
    """Two operators with a lease between them, by identity, in the place of the one without."""
    alone = platform.operator
    alone.stop()
    made = {}
    for number, identity in enumerate(("one", "two"), 1):
        environ = {
            **alone.environ,
            "SUPAPLANE_PROBE_PORT": str(PROBE_PORT + 10 + number),
            "SUPAPLANE_OPERATOR_NAMESPACE": HOME,
            "SUPAPLANE_IDENTITY": identity,
        }
        log = tmp_path / f"{identity}.log"
        module = ("supaplane_operator", "--lease")
        made[identity] = replace(alone, module=module, environ=environ, log=log, process=None)
    try:
        for program in made.values():
            program.start()
        platform.operator = made["one"]
        yield made
    finally:
        for program in made.values():
            program.stop()
        platform.operator = alone
        alone.start()
        platform.until(lambda: platform.answers(PROBE_PORT, "/readyz"), "the operator", 60)


def leader(platform: Platform, namespace: str = HOME) -> str | None:
    """Who holds the operators' lease."""
    held = platform.items(namespace, "leases", "apis/coordination.k8s.io/v1")
    return next((lease["spec"].get("holderIdentity") for lease in held), None)


def fingerprint(platform: Platform, project: Project) -> dict[str, Any]:
    """Every pod and how often its containers were started."""
    return {
        pod["metadata"]["uid"]: [c["restartCount"] for c in pod["status"]["containerStatuses"]]
        for pod in platform.pods(project)
    }


def secret(platform: Platform, name: str) -> dict[str, Any]:
    """The data of a project's master Secret."""
    path = f"/api/v1/namespaces/{HOME}/secrets/{names.credentials_secret(name)}"
    data: dict[str, Any] = platform.kube(path)["data"]
    return data


def is_begun(platform: Platform, name: str) -> bool:
    """Whether some of a project is there, and it is not done."""
    status = platform.status(name)
    namespace = names.project_namespace(status["ref"]) if status.get("ref") else ""
    begun = bool(namespace and platform.items(namespace, "statefulsets", "apis/apps/v1"))
    return begun and status.get("phase") != "ACTIVE_HEALTHY"


def test_a_leader_that_is_killed_while_it_makes_a_project_is_followed(
    platform: Platform, replicas: dict[str, Program], apply: Any, small: dict[str, Any]
) -> None:
    first = platform.until(lambda: leader(platform), "one of two operators leads")
    (other,) = set(replicas) - {first}
    platform.operator = replicas[other]
    name = apply("orphan", small)
    platform.until(lambda: is_begun(platform, name), "the project is begun")
    minted = secret(platform, name)
    replicas[first].kill()
    started = time.monotonic()
    platform.until(lambda: leader(platform) == other, "the other leads")
    platform.times["a killed leader is followed"] = time.monotonic() - started

    project = platform.until_healthy(name, "after the leader was killed")
    assert leader(platform) == other
    assert secret(platform, name) == minted
    with platform.database(project) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_an_api_server_that_is_killed_while_a_project_is_made_only_delays_it(
    platform: Platform, apply: Any, small: dict[str, Any]
) -> None:
    name = apply("interrupted", small)
    platform.until(lambda: is_begun(platform, name), "the project is begun")
    platform.cluster.kill("kube-apiserver")
    platform.cluster.start("kube-apiserver")
    platform.until_healthy(name, "with an API server that was killed")


def test_twenty_seconds_without_etcd_are_not_felt_and_what_is_wished_right_after_is_done(
    platform: Platform, shop: Project, apply: Any, small: dict[str, Any]
) -> None:
    before = fingerprint(platform, shop)
    gateway = platform.gateway(shop)
    headers = {"apikey": shop.anon}
    platform.cluster.stop("etcd")
    end = time.monotonic() + OUTAGE
    try:
        while time.monotonic() < end:
            reply = platform.request(gateway, "GET", "/auth/v1/health", headers=headers)
            assert reply.status == 200
            time.sleep(1)
    finally:
        platform.cluster.start("etcd")
    platform.until_healthy(apply("afterwards", small), "right after an outage of etcd")
    platform.until_phase(shop.name, "ACTIVE_HEALTHY")
    assert fingerprint(platform, shop) == before


def test_without_an_operator_projects_run_and_what_was_broken_meanwhile_is_mended(
    platform: Platform, shop: Project
) -> None:
    platform.operator.stop()
    try:
        gateway = platform.gateway(shop)
        kind = "networkpolicies"
        path = f"/apis/networking.k8s.io/v1/namespaces/{shop.namespace}/{kind}/default-deny"
        platform.kube(path, "DELETE")
        reply = platform.request(gateway, "GET", "/auth/v1/health", headers={"apikey": shop.anon})
        assert reply.status == 200
    finally:
        started = time.monotonic()
        platform.operator.start()
    platform.until(lambda: platform.kube(path), "the policy is back")
    platform.times["an operator that starts mends a project"] = time.monotonic() - started
    platform.until_phase(shop.name, "ACTIVE_HEALTHY")
