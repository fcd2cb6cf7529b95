"""Installed, upgraded, uninstalled and installed again: what must stay stays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

Json = dict[str, Any]
SYSTEM = "supaplane-system"
HOME = "supaplane-projects"
LOGS = "supaplane-logs"
CORE = "/api/v1/namespaces"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
DEFINITION = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/supabaseprojects.supaplane.dev"
)
KEYS = f"{CORE}/{SYSTEM}/secrets/supaplane-api-secrets"
NOT_HERE = ("ServiceMonitor", "PrometheusRule", "HTTPRoute")
"""Kinds of the Prometheus operator and the Gateway API, which this cluster does not have."""


@pytest.fixture(scope="module")
def own(make_platform: Any) -> Iterator[Any]:
    """A cluster for this file: an uninstalled operator is of no use to other tests."""
    with make_platform("install") as platform:
        yield platform


@pytest.fixture(scope="module")
def root_user(own: Any) -> Any:
    return own.person()


def policy_names(root_user: Any) -> set[str]:
    items = root_user.send("GET", POLICIES).json()["items"]
    return {item["metadata"]["name"] for item in items}


@pytest.mark.parametrize("name", ["default", "full", "least", "bare", "logs", "trial"])
def test_the_api_server_accepts_every_object_without_a_complaint(
    own: Any, chart: Any, root_user: Any, name: str
) -> None:
    """A strict dry run: an unknown field is an error, a pod that is not restricted a warning."""
    values, namespace = chart.values(name), f"dry-{name}"
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    assert root_user.make(CORE, namespace, labels=labels).status_code == 201
    for home in values.get("homeNamespaces", []):
        root_user.make(CORE, home)
    # a dry run makes no namespace, and things go into this one
    logs = f"{namespace}-logs"
    values["vector"] = values.get("vector", {}) | {"namespace": logs}
    root_user.make(CORE, logs, labels={"pod-security.kubernetes.io/enforce": "privileged"})
    objects = [m for m in chart.render(values, namespace) if m["kind"] not in NOT_HERE]
    apply = ("apply", "--server-side", "--dry-run=server", "--validate=strict")
    everything = yaml.safe_dump_all(objects)
    answer = own.cluster.kubectl(*apply, "--force-conflicts", "-f", "-", input=everything)
    assert "Warning" not in answer.stderr
    assert len(answer.stdout.splitlines()) == len(objects)


def test_what_is_installed_without_helm_is_accepted_without_a_complaint(
    own: Any, root: Any
) -> None:
    """A strict dry run over the chart's own objects: nothing is left out but the hooks."""
    text = (root / "manifests" / "install.yaml").read_text()
    apply = ("apply", "--server-side", "--dry-run=server", "--validate=strict")
    answer = own.cluster.kubectl(*apply, "--force-conflicts", "-f", "-", input=text)
    assert "Warning" not in answer.stderr
    assert len(answer.stdout.splitlines()) == len(list(yaml.safe_load_all(text)))


def test_the_expressions_of_the_policies_are_well_typed(root_user: Any) -> None:
    deadline = time.monotonic() + 60
    while True:
        items = root_user.send("GET", POLICIES).json()["items"]
        if items and all("typeChecking" in item.get("status", {}) for item in items):
            break
        assert time.monotonic() < deadline, items
        time.sleep(0.2)
    assert [i["status"]["typeChecking"] for i in items] == [{}] * 7


def test_pods_of_operator_and_api_are_restricted_and_become_ready(own: Any) -> None:
    for name in ("supaplane-operator", "supaplane-api"):
        rollout = ("rollout", "status", f"deployment/{name}", "-n", SYSTEM, "--timeout=60s")
        own.cluster.kubectl(*rollout)


def test_an_upgrade_keeps_the_keys_of_the_api_and_its_pods(own: Any, root_user: Any) -> None:
    deployment = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/supaplane-api"
    before = root_user.send("GET", KEYS).json()["data"]
    generation = root_user.send("GET", deployment).json()["metadata"]["generation"]
    own.upgrade()
    assert root_user.send("GET", KEYS).json()["data"] == before
    assert root_user.send("GET", deployment).json()["metadata"]["generation"] == generation
    assert set(before) == {"JWT_SECRET", "ENCRYPTION_SECRET"}


def test_the_log_shipper_runs_on_every_node_and_comes_back_with_the_same_key(
    own: Any, root_user: Any
) -> None:
    def keys() -> list[str]:
        paths = [f"{CORE}/{place}/secrets/supaplane-log-key" for place in (SYSTEM, LOGS)]
        return [root_user.send("GET", path).json()["data"]["LOG_KEY"] for path in paths]

    with_logs = own.values | {"vector": {"enabled": True}}
    own.upgrade(with_logs)
    rollout = ("rollout", "status", "daemonset/supaplane-vector", "-n", LOGS, "--timeout=60s")
    own.cluster.kubectl(*rollout)
    operator = ("rollout", "status", "deployment/supaplane-operator", "-n", SYSTEM)
    own.cluster.kubectl(*operator, "--timeout=60s")
    before = keys()
    assert before[0] == before[1]
    own.upgrade(with_logs)
    assert keys() == before
    own.upgrade()
    until(lambda: root_user.send("GET", f"{CORE}/{LOGS}").status_code == 404)
    own.upgrade(with_logs)
    assert keys() == before
    own.upgrade()


def test_a_renderer_that_does_not_see_the_keys_cannot_replace_them(
    own: Any, chart: Any, root_user: Any
) -> None:
    """As GitOps tools render: without the cluster."""
    before = root_user.send("GET", KEYS).json()["data"]
    secret = next(m for m in chart.render(own.values) if m["kind"] == "Secret")
    answer = own.cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump(secret), check=False)
    assert "immutable" in answer.stderr
    assert root_user.send("GET", KEYS).json()["data"] == before


def test_an_upgrade_brings_the_definition_up_to_date(own: Any, root_user: Any) -> None:
    versions = root_user.send("GET", DEFINITION).json()["spec"]["versions"]
    columns = [{"op": "remove", "path": "/spec/versions/0/additionalPrinterColumns"}]
    media = "application/json-patch+json"
    answer = root_user.client.patch(DEFINITION, json=columns, headers={"Content-Type": media})
    assert answer.status_code == 200
    own.upgrade()
    assert root_user.send("GET", DEFINITION).json()["spec"]["versions"] == versions


def test_a_guard_that_is_switched_off_refuses_nothing(own: Any, root_user: Any) -> None:
    """Helm leaves what is to be kept also when a value takes it away."""
    home = f"{CORE}/{HOME}?dryRun=All"
    assert root_user.send("DELETE", home).status_code in (403, 422)
    own.upgrade(own.values | {"guards": {"namespaces": False}})
    until(lambda: root_user.send("DELETE", home).status_code == 200)
    own.upgrade()
    until(lambda: root_user.send("DELETE", home).status_code in (403, 422))


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_uninstalling_stops_the_programs_and_leaves_all_that_is_data(
    own: Any, root_user: Any
) -> None:
    ref = "keptkeptkeptkeptkept"
    made = root_user.make(CORE, f"supabase-{ref}", labels={"supaplane.dev/ref": ref})
    assert made.status_code == 201
    project = f"/apis/supaplane.dev/v1alpha1/namespaces/{HOME}/supabaseprojects"
    body = {"apiVersion": "supaplane.dev/v1alpha1", "kind": "SupabaseProject"}
    assert root_user.make(project, "survivor", **body).status_code == 201
    keys = root_user.send("GET", KEYS).json()["data"]

    own.helm("uninstall", "supaplane", "--namespace", SYSTEM)

    deployments = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments"
    assert root_user.send("GET", deployments).json()["items"] == []
    assert root_user.send("GET", f"{project}/survivor").status_code == 200
    assert root_user.send("GET", f"{CORE}/{HOME}").json()["status"]["phase"] == "Active"
    assert root_user.send("GET", KEYS).json()["data"] == keys
    assert policy_names(root_user) == {
        "supaplane-guard-namespaces",
        "supaplane-guard-projects",
        "supaplane-guard-definition",
    }
    for path in (f"{CORE}/{HOME}", f"{CORE}/supabase-{ref}", DEFINITION):
        assert root_user.send("DELETE", path).status_code in (403, 422), path

    own.upgrade()

    assert root_user.send("GET", KEYS).json()["data"] == keys
    assert root_user.send("GET", f"{project}/survivor").status_code == 200
    assert len(policy_names(root_user)) == 7


def test_with_the_definition_even_protected_projects_go_which_is_why_it_is_guarded(
    own: Any, root_user: Any
) -> None:
    """The last test of this file: its cluster is of no use afterwards."""
    project = f"/apis/supaplane.dev/v1alpha1/namespaces/{HOME}/supabaseprojects"
    body = {"apiVersion": "supaplane.dev/v1alpha1", "kind": "SupabaseProject"}
    spec = {"deletion": {"protection": True}}
    made = root_user.make(project, "protected", spec=spec, **body)
    assert made.status_code == 201
    until(lambda: root_user.send("DELETE", f"{project}/protected").status_code in (403, 422))
    allowed = {"metadata": {"labels": {"supaplane.dev/allow-delete": "true"}}}
    assert root_user.patch(DEFINITION, allowed).status_code == 200
    assert root_user.send("DELETE", DEFINITION).status_code == 200
    until(lambda: root_user.send("GET", f"{project}/protected").status_code == 404)
