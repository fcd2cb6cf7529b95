"""Where do files lie when storage keeps them itself, and how do two programs share them?

One volume, which one node at a time can mount. imgproxy reads the same files, so its pods and that
of storage keep to one node: each asks for a node where one of them is, and the first, which finds
none, is let go anywhere.
"""

from __future__ import annotations

from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.spec import ComponentName, StorageBackend

from .context import Project
from .model import Manifest

FOLDER: Final = "/var/lib/storage"
GROUP: Final = 1000
"""Whom the volume belongs to."""
CLAIM: Final = ComponentName.STORAGE.value

_SHARING: Final = (ComponentName.IMGPROXY.value, ComponentName.STORAGE.value)


def kept(project: Project) -> bool:
    """Whether storage keeps its files itself."""
    return project.spec.storage.backend is StorageBackend.FILE


def mounts(project: Project, *, read_only: bool = False) -> list[Any]:
    """Where a container finds the files; nothing when they are elsewhere."""
    if not kept(project):
        return []
    # below a folder: lost+found at the top belongs to nobody
    mount: Manifest = {"name": "files", "mountPath": FOLDER, "subPath": "files"}
    return [mount | {"readOnly": True} if read_only else mount]


def pod(project: Project) -> Manifest:
    """Further fields of a pod that mounts the files."""
    if not kept(project):
        return {}
    sharing = {
        "matchLabels": {names.LABEL_REF: project.ref},
        "matchExpressions": [
            {"key": names.LABEL_COMPONENT, "operator": "In", "values": list(_SHARING)}
        ],
    }
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": sharing}
    return {
        "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}},
        "volumes": [{"name": "files", "persistentVolumeClaim": {"claimName": CLAIM}}],
    }


def security(project: Project) -> Manifest:
    """Further fields of a pod's securityContext, so that the files belong to a group of its."""
    if not kept(project):
        return {}
    return {"fsGroup": GROUP, "fsGroupChangePolicy": "OnRootMismatch"}
