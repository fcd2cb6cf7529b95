"""What of a rendering is applied now, and what waits."""

from __future__ import annotations

from typing import Any

from supaplane_contract import names
from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Endpoints
from supaplane_kube import resources as kinds
from supaplane_operator.children import Child
from supaplane_operator.plan import plan
from supaplane_operator.render import Rendered, RenderedComponent

DB, REST = (kinds.STATEFUL_SETS, "db"), (kinds.DEPLOYMENTS, "rest")


def workload(
    kind: str,
    name: str,
    replicas: int = 1,
    inputs: str = "i",
    rendering: str = "r",
    live: str = "l",
) -> dict[str, Any]:
    annotations = {names.ANNOTATION_INPUTS: inputs, names.ANNOTATION_RENDERING: rendering}
    labels = {names.LABEL_COMPONENT: name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {names.ANNOTATION_LIVE_INPUTS: live},
        },
        "spec": {"replicas": replicas, "template": {"metadata": {"annotations": annotations}}},
    }


def secret(name: str) -> dict[str, Any]:
    meta = {"name": name, "labels": {names.LABEL_COMPONENT: name}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta}


def rendered(desired: int = 1, **rest: str) -> Rendered:
    manifests = (
        secret("rest"),
        workload("StatefulSet", "db", desired),
        workload("Deployment", "rest", desired, **rest),
    )
    components = (
        RenderedComponent(ComponentName.DB, "", ("StatefulSet", "db"), desired),
        RenderedComponent(ComponentName.REST, "", ("Deployment", "rest"), desired),
    )
    return Rendered(manifests, components, Endpoints())


def child(pods: int = 1, **rest: Any) -> Child:
    known = {"inputs": "i", "rendering": "r", "live_inputs": "l", "desired": pods, "pods": pods}
    return Child(uid="u", shape="s", **(known | rest))


def applied(planned: Any) -> set[tuple[str, str]]:
    return {(m["kind"], m["metadata"]["name"]) for m in planned.apply}


def test_everything_is_applied_where_nothing_is():
    planned = plan(rendered(), {}, may_roll=False)
    assert len(planned.apply) == 3
    assert not planned.waiting


def test_other_inputs_are_applied():
    planned = plan(
        rendered(inputs="new", rendering="new"), {DB: child(), REST: child()}, may_roll=False
    )
    assert ("Deployment", "rest") in applied(planned)
    assert not planned.stale


def test_the_same_inputs_rendered_differently_wait():
    planned = plan(rendered(rendering="new"), {DB: child(), REST: child()}, may_roll=False)
    assert ("Deployment", "rest") not in applied(planned)
    assert ("StatefulSet", "db") in applied(planned)
    assert planned.stale == {"rest"}
    assert planned.only_if_missing == {(kinds.SECRETS, "rest")}


def test_what_pods_take_in_by_themselves_does_not_wait_for_a_rendering_that_waits():
    """They would not understand what we render now, so they are replaced."""
    children = {DB: child(), REST: child(live_inputs="old")}
    planned = plan(rendered(rendering="new"), children, may_roll=False)
    assert {("Deployment", "rest"), ("Secret", "rest")} <= applied(planned)
    assert (planned.stale, planned.only_if_missing) == (frozenset(), frozenset())


def test_an_upgrade_from_an_operator_that_noted_no_live_inputs_replaces_nothing():
    children = {DB: child(), REST: child(live_inputs="")}
    planned = plan(rendered(rendering="new"), children, may_roll=False)
    assert ("Deployment", "rest") not in applied(planned)


def test_when_their_turn_comes_they_are_applied():
    planned = plan(rendered(rendering="new"), {DB: child(), REST: child()}, may_roll=True)
    assert ("Deployment", "rest") in applied(planned)
    assert planned.stale == {"rest"}
    assert not planned.only_if_missing


def test_a_template_without_our_marks_is_put_right():
    children = {DB: child(), REST: child(inputs="", rendering="")}
    assert ("Deployment", "rest") in applied(plan(rendered(), children, may_roll=False))


def test_a_held_template_still_gets_its_number_of_pods():
    planned = plan(
        rendered(desired=1, rendering="new"), {DB: child(), REST: child(3)}, may_roll=False
    )
    assert planned.replicas == {REST: 1}


def test_the_database_stops_when_the_others_are_gone():
    first = plan(rendered(0), {DB: child(1), REST: child(1)}, may_roll=False)
    assert first.waiting
    assert ("StatefulSet", "db") not in applied(first)
    assert ("Deployment", "rest") in applied(first)
    still = plan(rendered(0), {DB: child(1), REST: child(1, desired=0)}, may_roll=False)
    assert still.waiting
    then = plan(rendered(0), {DB: child(1), REST: child(0)}, may_roll=False)
    assert not then.waiting
    assert ("StatefulSet", "db") in applied(then)


def test_a_project_made_paused_waits_for_nothing():
    assert not plan(rendered(0), {}, may_roll=False).waiting
