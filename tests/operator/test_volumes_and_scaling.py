"""What cannot be changed is sent as it is: volume claims, and pods that an autoscaler counts."""

from __future__ import annotations

from typing import Any

import pytest

from supaplane_operator.scaling import with_live_replicas
from supaplane_operator.volumes import claim_to_apply


def claim(size: str, **spec: Any) -> dict[str, Any]:
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"metadata": {"name": "db"}, "spec": body | spec}


@pytest.mark.parametrize(
    ("wanted", "live", "sent"),
    [
        ("10Gi", "5Gi", "10Gi"),
        ("5Gi", "10Gi", "10Gi"),
        ("1Ti", "1024Gi", "1024Gi"),
        ("2Gi", "2Gi", "2Gi"),
    ],
)
def test_a_volume_only_grows(wanted, live, sent):
    spec = claim_to_apply(claim(wanted), claim(live))["spec"]
    assert spec["resources"]["requests"]["storage"] == sent


def test_the_class_of_a_volume_stays():
    sent = claim_to_apply(
        claim("1Gi", storageClassName="new"), claim("1Gi", storageClassName="old")
    )
    assert sent["spec"]["storageClassName"] == "old"


def test_a_class_that_the_cluster_chose_is_not_claimed():
    sent = claim_to_apply(claim("1Gi"), claim("1Gi", storageClassName="default"))
    assert "storageClassName" not in sent["spec"]


def live(replicas: int, *managers: str) -> dict[str, Any]:
    fields = [{"manager": m, "fieldsV1": {"f:spec": {"f:replicas": {}}}} for m in managers]
    return {"metadata": {"managedFields": fields}, "spec": {"replicas": replicas}}


def test_replicas_of_our_own_are_rendered():
    body = {"spec": {"replicas": 2}}
    assert with_live_replicas(body, live(7, "supaplane-operator")) == body


def test_the_live_number_is_sent_until_somebody_else_has_taken_it():
    sent = with_live_replicas({"spec": {}}, live(7, "supaplane-operator"))
    assert sent["spec"]["replicas"] == 7
    taken = with_live_replicas(
        {"spec": {}}, live(7, "supaplane-operator", "kube-controller-manager")
    )
    assert "replicas" not in taken["spec"]


def test_a_workload_that_slept_wakes_with_one_pod():
    sent = with_live_replicas({"spec": {}}, live(0, "supaplane-operator"))
    assert sent["spec"]["replicas"] == 1
