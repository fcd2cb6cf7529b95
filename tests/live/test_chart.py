"""Supaplane installed by its chart on a node that runs pods. The tests build upon each other."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_devcluster.plan import SPACE

from .installed import LOGS, SYSTEM, VALUES, Installed
from .platform import HOME, Platform, Project
from .test_failover import is_begun, leader, secret

AT_ONCE = ("--grace-period=0", "--force", "--wait=false")
KEYS = f"/api/v1/namespaces/{SYSTEM}/secrets/supaplane-api-secrets"
DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{names.PLURAL}.{names.GROUP}"


@pytest.fixture(scope="module")
def platform(installed: Installed) -> Platform:
    """What is applied is applied here."""
    return installed


@pytest.fixture(scope="module")
def shop(installed: Installed) -> Project:
    """A project that was made over REST and is ACTIVE_HEALTHY, with a row in it."""
    project = installed.until_healthy(installed.order("shop"), "shop, of the chart's pods")
    answer = installed.query(project.ref, "create table kept as select 42 as answer")
    assert answer.status == 200, answer.body
    return project


def identities(pods: list[dict[str, Any]]) -> dict[str, int]:
    """The pods by uid, with how often a container of theirs was started again."""
    return {
        pod["metadata"]["uid"]: sum(c["restartCount"] for c in pod["status"]["containerStatuses"])
        for pod in pods
    }


def row(installed: Installed, project: Project) -> Any:
    """What is in the table, asked through the API."""
    answer = installed.query(project.ref, "select answer from kept")
    return answer.json if answer.status == 200 else (answer.status, answer.body)


def test_operator_and_api_run_twice_each_in_a_restricted_namespace(installed: Installed) -> None:
    for program in ("operator", "api"):
        pods = installed.own_pods(program)
        ready = [c["ready"] for pod in pods for c in pod["status"]["containerStatuses"]]
        assert ready == [True, True], program


@pytest.mark.parametrize("program", ["operator", "api"])
def test_an_image_runs_as_nobody_and_cannot_be_changed(installed: Installed, program: str) -> None:
    def run(*command: str) -> tuple[int, str]:
        target = ("exec", "--namespace", SYSTEM, f"deployment/supaplane-{program}", "--")
        answer = installed.cluster.kubectl(*target, *command, check=False)
        return answer.returncode, answer.stdout + answer.stderr

    assert run("id", "-u") == (0, "65532\n")
    code, words = run("touch", "/opt/supaplane/x")
    assert code != 0
    assert "Read-only file system" in words
    code, words = run("python", "-m", "pip", "--version")
    assert code != 0
    assert "No module named pip" in words
    other = {"operator": "supaplane_api", "api": "supaplane_operator"}[program]
    code, words = run("python", "-c", f"import {other}")
    assert code != 0
    assert "ModuleNotFoundError" in words


def test_helm_test_passes(installed: Installed) -> None:
    assert "Phase:          Succeeded" in installed.run_helm("test", "supaplane")


def test_a_project_over_rest_becomes_healthy_under_the_rights_of_the_chart(
    installed: Installed, shop: Project
) -> None:
    assert row(installed, shop) == [{"answer": 42}]


def test_an_upgrade_keeps_secrets_and_sessions_and_restarts_no_project(
    installed: Installed, shop: Project
) -> None:
    before = identities(installed.pods(shop))
    keys = installed.kube(KEYS)["data"]
    own = identities(installed.own_pods("operator") + installed.own_pods("api"))
    note = {"podAnnotations": {"example.org/upgraded": "yes"}}
    installed.install(operator=_with("operator", note), api=_with("api", note))

    assert installed.kube(KEYS)["data"] == keys
    new = identities(installed.own_pods("operator") + installed.own_pods("api"))
    assert not set(own) & set(new)
    installed.until(lambda: installed.status(shop.name).get("ready"), "still healthy")
    assert row(installed, shop) == [{"answer": 42}]
    assert identities(installed.pods(shop)) == before


def _with(component: str, more: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = VALUES[component] | more
    return values


def test_a_leading_pod_that_is_deleted_at_once_while_it_makes_a_project_is_followed_by_the_other(
    installed: Installed, shop: Project, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    first = installed.until(lambda: leader(installed, SYSTEM), "one of two operators leads")
    name = apply("orphan", small)
    installed.until(lambda: is_begun(installed, name), "the project is begun")
    minted = secret(installed, name)
    installed.cluster.kubectl("delete", "pod", first, "--namespace", SYSTEM, *AT_ONCE)
    started = time.monotonic()
    installed.until(lambda: leader(installed, SYSTEM) not in (first, None), "the other leads")
    installed.times["a deleted leading pod is followed"] = time.monotonic() - started

    installed.until_healthy(name, "after the leading pod was deleted")
    assert secret(installed, name) == minted
    installed.until(lambda: _ready(installed, "operator", without=first) == 2, "two operators")


def test_a_killed_pod_of_the_api_fails_no_request_of_a_client_that_asks_again(
    installed: Installed, shop: Project
) -> None:
    path = f"/platform/projects/{shop.ref}/status"
    answers: list[Any] = []
    over = threading.Event()

    def client() -> None:
        while not over.is_set():
            answers.append(_patiently(lambda: installed.rest("GET", path)))

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    started = time.monotonic()
    victim = installed.own_pods("api")[0]["metadata"]["name"]
    installed.cluster.kubectl("delete", "pod", victim, "--namespace", SYSTEM, *AT_ONCE)
    installed.until(lambda: _ready(installed, "api", without=victim) == 2, "two of the API")
    installed.times["a killed pod of the API is replaced"] = time.monotonic() - started
    over.set()
    for thread in threads:
        thread.join(60)
    assert len(answers) > 20
    assert {json.dumps(a) for a in answers} == {'{"status": "ACTIVE_HEALTHY"}'}


def _patiently(ask: Callable[[], Any], tries: int = 5) -> Any:
    """As a client does that asks again after a broken connection, five times at most."""
    for number in range(tries):
        try:
            reply = ask()
        except OSError:
            pass
        else:
            if reply.status not in (502, 503, 504):
                return reply.json
        time.sleep(0.2 * 2**number)
    return "no answer"


def _ready(installed: Installed, component: str, without: str = "") -> int:
    return sum(
        all(c["ready"] for c in pod["status"].get("containerStatuses") or [{"ready": False}])
        for pod in installed.own_pods(component)
        if pod["metadata"]["name"] != without
    )


def test_after_kill_9_of_the_whole_node_every_row_is_there(
    installed: Installed, shop: Project
) -> None:
    """Control plane, kubelet, containers and their network at once, as when the power fails."""
    holder = installed.cluster.status()[SPACE]
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)
    started = time.monotonic()
    installed.cluster.up()

    def answers() -> bool:
        with contextlib.suppress(OSError, AssertionError):
            return bool(row(installed, shop) == [{"answer": 42}])
        return False

    installed.until(answers, "the row, asked through the API", 400)
    installed.until_phase(shop.name, "ACTIVE_HEALTHY")
    installed.times["after kill -9 of the node: ACTIVE_HEALTHY"] = time.monotonic() - started


def test_an_uninstalled_chart_leaves_projects_running_and_finds_them_again(
    installed: Installed, shop: Project
) -> None:
    before = identities(installed.pods(shop))
    keys = installed.kube(KEYS)["data"]
    said = installed.run_helm("uninstall", "supaplane", "--wait")
    assert "supaplane-api-secrets" in said
    installed.until(
        lambda: not installed.own_pods("operator") and not installed.own_pods("api"), "no pods"
    )
    assert installed.kube(DEFINITION) is not None
    assert installed.kube(f"/api/v1/namespaces/{HOME}")["status"]["phase"] == "Active"
    assert installed.custom_resource(shop.name) is not None
    assert identities(installed.pods(shop)) == before

    installed.install()
    assert installed.kube(KEYS)["data"] == keys
    installed.until(lambda: installed.status(shop.name).get("phase") == "ACTIVE_HEALTHY", "healthy")
    assert row(installed, shop) == [{"answer": 42}]
    assert identities(installed.pods(shop)) == before


def test_the_definition_goes_only_by_breaking_glass_and_no_volume_goes_with_it(
    installed: Installed, shop: Project
) -> None:
    kubectl = installed.cluster.kubectl
    definition = f"{names.PLURAL}.{names.GROUP}"
    wish = installed.custom_resource(shop.name)
    assert wish is not None
    assert wish["spec"].get("deletion", {}).get("policy", "Retain") == "Retain"
    claims = {c["metadata"]["uid"] for c in _claims(installed, shop)}
    refused = kubectl("delete", "crd", definition, check=False)
    assert refused.returncode != 0
    assert "supaplane.dev/allow-delete" in refused.stderr
    kubectl("label", "crd", definition, "supaplane.dev/allow-delete=true")
    kubectl("delete", "crd", definition, "--timeout=120s", timeout=150)

    assert installed.kube(f"/api/v1/namespaces/{shop.namespace}") is not None
    assert {c["metadata"]["uid"] for c in _claims(installed, shop)} == claims

    # with what the next file wants, which spares an upgrade
    installed.install(**LOGS)
    kept = {k: v for k, v in wish["metadata"].items() if k in ("name", "namespace", "labels")}
    body = {k: wish[k] for k in ("apiVersion", "kind", "spec")} | {"metadata": kept}
    kubectl("create", "-f", "-", input=json.dumps(body))
    installed.until_phase(shop.name, "ACTIVE_HEALTHY")
    with installed.database(shop) as session:
        assert session.execute("select answer from kept").fetchall() == [(42,)]
    assert {c["metadata"]["uid"] for c in _claims(installed, shop)} == claims


def _claims(platform: Platform, project: Project) -> list[dict[str, Any]]:
    return platform.items(project.namespace, "persistentvolumeclaims")
