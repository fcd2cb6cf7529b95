"""Which volumes does a real node make, grow and remove?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from supaplane_devcluster.node.volumes import PROVISIONER, Grow, Make, Remove, Step, steps

FOLDER = Path("/volumes")
CLASS = {
    "metadata": {"name": "standard"},
    "provisioner": PROVISIONER,
    "volumeBindingMode": "WaitForFirstConsumer",
    "allowVolumeExpansion": True,
    "reclaimPolicy": "Delete",
}


def claim(phase: str = "Pending", size: str = "1Gi", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "metadata": {
            "name": "data",
            "namespace": "shop",
            "uid": "u1",
            "annotations": {"volume.kubernetes.io/selected-node": "node1"},
        },
        "spec": {
            "storageClassName": "standard",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
        },
        "status": {"phase": phase},
    }
    if phase == "Bound":
        made["spec"]["volumeName"] = "pvc-u1"
        made["status"]["capacity"] = {"storage": "1Gi"}
    for key, value in changes.items():
        made[key] = {**made[key], **value}
    return made


def volume() -> dict[str, Any]:
    made = [step for step in run([claim()]) if isinstance(step, Make)]
    return made[0].volume


def run(
    claims: list[dict[str, Any]],
    volumes: list[dict[str, Any]] | None = None,
    storage_class: dict[str, Any] | None = None,
) -> list[Step]:
    return steps([storage_class or CLASS], claims, volumes or [], FOLDER)


def test_a_claim_whose_pod_was_placed_gets_a_volume_of_its_own() -> None:
    spec = volume()["spec"]
    assert spec["local"] == {"path": "/volumes/pvc-u1"}
    assert spec["capacity"] == {"storage": "1Gi"}
    assert spec["claimRef"]["namespace"] == "shop"
    assert spec["claimRef"]["uid"] == "u1"
    assert spec["persistentVolumeReclaimPolicy"] == "Delete"


def test_a_claim_waits_for_its_first_pod_unless_its_class_does_not() -> None:
    unplaced = claim(metadata={"annotations": None})
    assert run([unplaced]) == []
    immediate = CLASS | {"volumeBindingMode": "Immediate"}
    assert [type(step) for step in run([unplaced], storage_class=immediate)] == [Make]


def test_claims_of_other_classes_and_deleted_claims_are_left_alone() -> None:
    foreign = claim(spec={"storageClassName": "fast"})
    deleted = claim(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert run([foreign, deleted]) == []


def test_a_volume_is_made_once() -> None:
    assert run([claim()], [volume()]) == []
    assert run([claim("Bound")], [volume()]) == []


def test_a_bound_claim_that_asks_for_more_grows() -> None:
    assert run([claim("Bound", "2Gi")], [volume()]) == [Grow("pvc-u1", "shop", "data", "2Gi")]


def test_a_class_may_forbid_growth() -> None:
    fixed = CLASS | {"allowVolumeExpansion": False}
    assert run([claim("Bound", "2Gi")], [volume()], fixed) == []


def released(**changes: Any) -> dict[str, Any]:
    made = volume() | {"status": {"phase": "Released"}}
    return made | {key: made[key] | value for key, value in changes.items()}


def test_a_volume_goes_with_its_claim() -> None:
    assert run([], [released()]) == [Remove("pvc-u1", FOLDER / "pvc-u1")]


def test_a_volume_to_retain_one_being_deleted_and_somebody_elses_stay() -> None:
    assert run([], [released(spec={"persistentVolumeReclaimPolicy": "Retain"})]) == []
    assert run([], [released(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})]) == []
    assert run([], [released(metadata={"annotations": {}})]) == []
    assert run([], [volume() | {"status": {"phase": "Bound"}}]) == []
