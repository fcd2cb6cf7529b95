"""Which volumes should there be for these claims? Computes only.

Volumes are of the type `local`, not `hostPath`: the kubelet gives a `local` volume to the pod's
fsGroup, as it does for those of real drivers. Nothing holds a volume to its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .api import Object
from .network import NODE_NAME

PROVISIONER = "devcluster.supaplane.dev/folders"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"


@dataclass(frozen=True)
class Make:
    """A volume that is not there yet."""

    volume: Object


@dataclass(frozen=True)
class Grow:
    """A claim asks for more than its volume has."""

    volume: str
    namespace: str
    claim: str
    size: str


@dataclass(frozen=True)
class Remove:
    """A volume whose claim is gone, and which is not to be kept."""

    name: str
    folder: Path


Step = Make | Grow | Remove


def steps(
    classes: Iterable[Object], claims: Iterable[Object], volumes: Iterable[Object], folder: Path
) -> list[Step]:
    """What to do next; nothing when all is as it should be. `folder`: where volumes are made."""
    ours = {c["metadata"]["name"]: c for c in classes if c["provisioner"] == PROVISIONER}
    there = {volume["metadata"]["name"]: volume for volume in volumes}
    found: list[Step] = []
    for claim in claims:
        storage_class = ours.get(claim["spec"].get("storageClassName", ""))
        if storage_class and "deletionTimestamp" not in claim["metadata"]:
            found += _for_claim(claim, storage_class, there, folder)
    found += [
        Remove(name, Path(volume["spec"]["local"]["path"]))
        for name, volume in there.items()
        if _is_left(volume)
    ]
    return found


def _for_claim(
    claim: Object, storage_class: Object, volumes: Mapping[str, Object], folder: Path
) -> list[Step]:
    phase = claim.get("status", {}).get("phase")
    name = f"pvc-{claim['metadata']['uid']}"
    if phase == "Pending" and name not in volumes and _may_bind(claim, storage_class):
        return [Make(_volume(name, claim, storage_class, folder))]
    if phase == "Bound" and storage_class.get("allowVolumeExpansion"):
        return _growth(claim, volumes)
    return []


def _may_bind(claim: Object, storage_class: Object) -> bool:
    """A claim that waits for its first consumer has an annotation once a pod was placed."""
    if storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
        return True
    return SELECTED_NODE in (claim["metadata"].get("annotations") or {})


def _growth(claim: Object, volumes: Mapping[str, Object]) -> list[Step]:
    wanted = claim["spec"]["resources"]["requests"]["storage"]
    volume = claim["spec"].get("volumeName", "")
    # The API server lets a claim only grow, so another size is a larger one.
    if volume not in volumes or claim["status"].get("capacity", {}).get("storage") == wanted:
        return []
    metadata = claim["metadata"]
    return [Grow(volume, metadata["namespace"], metadata["name"], wanted)]


def _volume(name: str, claim: Object, storage_class: Object, folder: Path) -> Object:
    metadata, spec = claim["metadata"], claim["spec"]
    term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": spec["storageClassName"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "volumeMode": "Filesystem",
            "local": {"path": str(folder / name)},
            # It is for this claim, and for no other that would fit.
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "nodeAffinity": {
                "required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]},
            },
        },
    }


def _is_left(volume: Object) -> bool:
    metadata, spec = volume["metadata"], volume["spec"]
    return (
        (metadata.get("annotations") or {}).get(PROVISIONED_BY) == PROVISIONER
        and "deletionTimestamp" not in metadata
        and spec["persistentVolumeReclaimPolicy"] == "Delete"
        and volume.get("status", {}).get("phase") == "Released"
    )
