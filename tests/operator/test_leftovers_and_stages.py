"""What goes when it is not rendered any more, and in which order when all of it goes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from supaplane_contract import names
from supaplane_contract.status import Endpoints, OperationStatus, ProjectStatus
from supaplane_kube import resources as kinds
from supaplane_operator.children import Child
from supaplane_operator.leftovers import leftovers
from supaplane_operator.teardown import next_stage

statuses = st.builds(
    ProjectStatus,
    phase=st.none() | st.sampled_from(["COMING_UP", "INACTIVE"]),
    ready=st.none() | st.text(max_size=3),
    endpoints=st.none()
    | st.builds(Endpoints, api=st.none() | st.text(max_size=3), pooler=st.none() | st.just("p")),
    operation=st.none()
    | st.builds(
        OperationStatus, id=st.text(max_size=2), kind=st.just("restart"), phase=st.just("Running")
    ),
)


def test_leftovers_are_ours_and_never_volumes():
    ref = "a" * 20
    ours = {names.LABEL_REF: ref, names.LABEL_MANAGED_BY: names.MANAGED_BY}

    def item(uid: str, labels: dict[str, str], **meta: Any) -> dict[str, Any]:
        return {"metadata": {"uid": uid, "labels": labels, **meta}}

    children = {
        (kinds.DEPLOYMENTS, "old"): Child("1", "", ref),
        (kinds.DEPLOYMENTS, "new"): Child("2", "", ref),
        (kinds.VOLUME_CLAIMS, "db"): Child("3", "", ref),
        (kinds.SERVICES, "of-another"): Child("4", "", "b" * 20),
    }
    read = {
        (kinds.SECRETS, "old"): item("5", ours),
        (kinds.SECRETS, "credentials"): item("6", ours),
        (kinds.SECRETS, "foreign"): item("7", {names.LABEL_REF: ref}),
        (kinds.SECRETS, "leaving"): item("8", ours, deletionTimestamp="now"),
        (kinds.ROLE_BINDINGS, "supaplane-operator"): item("9", ours),
    }
    found = leftovers([(kinds.DEPLOYMENTS, "new")], children, read, ref)
    assert found == [((kinds.DEPLOYMENTS, "old"), "1"), ((kinds.SECRETS, "old"), "5")]


WHOLE = {
    (kinds.INGRESSES, "api"): Child("i", "", component="gateway"),
    (kinds.DEPLOYMENTS, "gateway"): Child("g", "", component="gateway"),
    (kinds.SERVICES, "rest"): Child("s", "", component="rest"),
    (kinds.DEPLOYMENTS, "rest"): Child("r", "", component="rest"),
    (kinds.STATEFUL_SETS, "db"): Child("d", "", component="db"),
    (kinds.VOLUME_CLAIMS, "db"): Child("v", "", component="db"),
    (kinds.NETWORK_POLICIES, "db"): Child("n", "", component="db"),
}


def stage_names(children: dict[Any, Child], elapsed: float = 0.0) -> tuple[set[str], int]:
    stage = next_stage(children, elapsed=elapsed, patience=10)
    return {f"{n[0].kind}/{n[1]}" for n, _ in stage.delete}, len(stage.waiting)


def test_going_down_begins_with_the_way_in_and_ends_with_the_database():
    children = dict(WHOLE)
    assert stage_names(children) == ({"Ingress/api", "Deployment/gateway"}, 0)
    leaving = children | {
        n: Child("g", "", component="gateway", deleting=True) for n in list(children)[:2]
    }
    assert stage_names(leaving) == (set(), 2)
    children = dict(list(WHOLE.items())[2:])
    assert stage_names(children) == ({"Service/rest", "Deployment/rest"}, 0)
    children = dict(list(WHOLE.items())[4:])
    assert stage_names(children) == ({"StatefulSet/db"}, 0)
    children = dict(list(WHOLE.items())[5:])
    assert stage_names(children) == (set(), 0), "volumes and policies stay"


def test_a_stage_that_hangs_does_not_hold_up_the_next():
    stuck = {
        n: Child(c.uid, "", component=c.component, deleting=n[1] == "gateway")
        for n, c in WHOLE.items()
    }
    first, _ = stage_names(stuck, elapsed=11)
    assert "Deployment/rest" in first
    assert "StatefulSet/db" not in first
    second, _ = stage_names(stuck, elapsed=21)
    assert "StatefulSet/db" in second


def test_pods_that_never_end_do_not_hang_a_deletion():
    stuck = {n: Child(c.uid, "", component=c.component, deleting=True) for n, c in WHOLE.items()}
    assert stage_names(stuck, elapsed=29)[1] > 0
    assert stage_names(stuck, elapsed=31) == (set(), 0)
