"""With exactly the rights of the chart the operator does all that it is there for."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _operator(running_operator: Any) -> None:
    assert running_operator.poll() is None


def namespace(admin: Any, status: dict[str, Any]) -> Any:
    return admin.send("GET", f"/api/v1/namespaces/{status['namespace']}")


def test_a_project_is_made_paused_resumed_and_deleted_with_all_it_has(
    projects: Any, admin: Any
) -> None:
    projects.make("short-lived", deletion={"policy": "Delete"})
    status = projects.until("short-lived", "ACTIVE_HEALTHY")
    assert {c["name"] for c in status["components"]} >= {"db", "gateway"}
    projects.change("short-lived", desiredState="Paused")
    projects.until("short-lived", "INACTIVE")
    projects.change("short-lived", desiredState="Running")
    projects.until("short-lived", "ACTIVE_HEALTHY")
    projects.delete("short-lived")
    gone = namespace(admin, status)
    assert gone.status_code == 404 or "deletionTimestamp" in gone.json()["metadata"]
    home = "/api/v1/namespaces/supaplane-projects/secrets/short-lived-credentials"
    assert admin.send("GET", home).status_code == 404


def test_an_offered_release_is_kept_where_the_chart_has_a_place_for_it(
    admin: Any, running_operator: Any
) -> None:
    path = "/api/v1/namespaces/supaplane-system/configmaps/supaplane-releases"
    deadline = time.monotonic() + 60
    while "2020.1.1.json" not in (admin.send("GET", path).json().get("data") or {}):
        assert time.monotonic() < deadline, "the release is not kept"
        time.sleep(0.2)


def test_what_a_deleted_project_leaves_under_retain_is_found_again(
    projects: Any, admin: Any
) -> None:
    projects.make("kept")
    status = projects.until("kept", "ACTIVE_HEALTHY")
    claims = f"/api/v1/namespaces/{status['namespace']}/persistentvolumeclaims"
    before = {c["metadata"]["uid"] for c in admin.send("GET", claims).json()["items"]}
    projects.delete("kept")
    left = namespace(admin, status).json()["metadata"]["annotations"]
    assert left["supaplane.dev/released-from"] == "supaplane-projects/kept"
    projects.make("kept", deletion={"policy": "Delete"})
    projects.until("kept", "ACTIVE_HEALTHY")
    assert {c["metadata"]["uid"] for c in admin.send("GET", claims).json()["items"]} == before
    projects.delete("kept")


def test_components_settings_and_volumes_can_be_changed(projects: Any, admin: Any) -> None:
    """All kinds of objects: autoscalers, Ingresses, a larger volume, then without most of it."""
    projects.make(
        "changing",
        deletion={"policy": "Delete"},
        rest={"autoscaling": {"minReplicas": 1, "maxReplicas": 3}},
    )
    status = projects.until("changing", "ACTIVE_HEALTHY")
    inside = status["namespace"]
    scalers = f"/apis/autoscaling/v2/namespaces/{inside}/horizontalpodautoscalers"
    assert len(admin.send("GET", scalers).json()["items"]) == 1
    projects.change(
        "changing",
        rest={"autoscaling": None},
        studio={"enabled": False},
        ingress={"kind": "None"},
        network={"restrict": False},
        size="micro",
    )
    generation = admin.send(
        "GET",
        "/apis/supaplane.dev/v1alpha1/namespaces/supaplane-projects/supabaseprojects/changing",
    ).json()["metadata"]["generation"]
    deadline = 600
    while True:
        status = projects.until("changing", "ACTIVE_HEALTHY")
        conditions = {c["type"]: c for c in status["conditions"]}
        if status["observedGeneration"] == generation and conditions["Ready"]["status"] == "True":
            break
        deadline -= 1
        assert deadline, status
    assert admin.send("GET", scalers).json()["items"] == []
    assert "studio" not in {c["name"] for c in status["components"]}
    projects.delete("changing")


def test_a_namespace_that_an_administrator_offers_is_adopted_even_without_our_label(
    projects: Any, admin: Any
) -> None:
    name, ref = "adopting", "adoptedadoptedadopte"
    made = admin.make(
        "/api/v1/namespaces",
        f"supabase-{ref}",
        annotations={"supaplane.dev/adoptable-by": f"supaplane-projects/{name}"},
    )
    assert made.status_code == 201, made.text
    projects.make(name, ref=ref, deletion={"policy": "Delete"})
    projects.until(name, "ACTIVE_HEALTHY")
    projects.delete(name)


def test_a_namespace_of_that_name_that_is_somebody_elses_is_left_alone_and_said_so(
    projects: Any, admin: Any
) -> None:
    ref = "foreignforeignforeig"
    made = admin.make("/api/v1/namespaces", f"supabase-{ref}").json()
    projects.make("colliding", ref=ref)
    status = projects.until("colliding", "INIT_FAILED")
    reasons = {c["reason"] for c in status["conditions"]}
    assert "NamespaceTaken" in reasons
    now = admin.send("GET", f"/api/v1/namespaces/supabase-{ref}").json()
    assert now["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    projects.delete("colliding")
