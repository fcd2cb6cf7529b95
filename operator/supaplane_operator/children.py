"""What do we know, without asking, of the objects that belong to projects?

Own label-selected watches of the kinds that hold no secrets. Of each object a small value is kept:
enough to say how it is, and whether it still is as we saw it when we last compared it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from supaplane_contract import names
from supaplane_kube import Kube, Reflector, Resource
from supaplane_kube import resources as kinds
from supaplane_kube.port import Manifest

WATCHED: Final = (
    kinds.DEPLOYMENTS,
    kinds.STATEFUL_SETS,
    kinds.SERVICES,
    kinds.VOLUME_CLAIMS,
    kinds.JOBS,
    kinds.INGRESSES,
    kinds.NETWORK_POLICIES,
)
WORKLOADS: Final = (kinds.DEPLOYMENTS, kinds.STATEFUL_SETS)
OF_CONTROLLERS: Final = (
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
)
"""Annotations by which controllers remember things on our objects; we render none of them."""
JOB_DONE: Final = "Complete"
JOB_FAILED: Final = "Failed"
SELECTOR: Final = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"

Name = tuple[Resource, str]
"""Which object inside a namespace."""


@dataclass(frozen=True, slots=True)
class Child:
    """One object of a project, as last seen."""

    uid: str
    shape: str
    """Changes when labels, annotations, spec or data do; not when the status does."""
    ref: str = ""
    component: str = ""
    deleting: bool = False
    desired: int = 0
    pods: int = 0
    ready: int = 0
    settled: bool = False
    """The controller has seen the spec, and every pod is as the spec says."""
    image: str = ""
    inputs: str = ""
    rendering: str = ""
    live_inputs: str = ""
    restart: str = ""
    state: str = ""
    """Phase of a volume claim; outcome of a Job."""
    trouble: str = ""
    """What the controller says stops it from making pods; why a Job failed."""
    addresses: tuple[str, ...] = ()
    """Of an Ingress or a load balancer: where clients reach it."""


def shape_of(manifest: Mapping[str, Any]) -> str:
    """A hash of all that people and we may change of an object, and controllers do not."""
    meta = manifest.get("metadata") or {}
    # apiVersion and kind are left out of the items of a list.
    left_out = ("metadata", "status", "apiVersion", "kind")
    parts = {key: value for key, value in manifest.items() if key not in left_out}
    if "volumeName" in (parts.get("spec") or {}):
        parts["spec"] = {k: v for k, v in parts["spec"].items() if k != "volumeName"}
    annotations = meta.get("annotations") or {}
    ours = {k: v for k, v in annotations.items() if not k.startswith(OF_CONTROLLERS)}
    parts["metadata"] = [meta.get("labels"), ours, meta.get("ownerReferences")]
    return digest(parts)


def digest(value: object) -> str:
    """A short hash of a value that JSON can hold."""
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def keep(manifest: Manifest) -> Child:
    """What is kept of an object. What many have in common is kept once."""
    meta = manifest["metadata"]
    labels = meta.get("labels") or {}
    return Child(
        uid=meta.get("uid", ""),
        shape=shape_of(manifest),
        ref=sys.intern(labels.get(names.LABEL_REF, "")),
        component=sys.intern(labels.get(names.LABEL_COMPONENT, "")),
        deleting="deletionTimestamp" in meta,
        **_by_kind(manifest),
    )


def _by_kind(manifest: Manifest) -> dict[str, Any]:
    kind = manifest.get("kind")
    if kind in ("Deployment", "StatefulSet"):
        return _workload(manifest)
    if kind == "PersistentVolumeClaim":
        return {"state": (manifest.get("status") or {}).get("phase", "")}
    if kind == "Job":
        return _job(manifest.get("status") or {})
    if kind in ("Ingress", "Service"):
        return {"addresses": _addresses(manifest.get("status") or {})}
    return {}


def _workload(manifest: Manifest) -> dict[str, Any]:
    spec, status = manifest.get("spec") or {}, manifest.get("status") or {}
    template = spec.get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    own = manifest["metadata"].get("annotations") or {}
    containers = (template.get("spec") or {}).get("containers") or [{}]
    desired = spec.get("replicas", 1)
    return {
        "desired": desired,
        "pods": status.get("replicas", 0),
        "ready": status.get("readyReplicas", 0),
        "settled": _settled(manifest, desired),
        "image": sys.intern(containers[0].get("image", "")),
        "inputs": annotations.get(names.ANNOTATION_INPUTS, ""),
        "rendering": annotations.get(names.ANNOTATION_RENDERING, ""),
        "live_inputs": own.get(names.ANNOTATION_LIVE_INPUTS, ""),
        "restart": annotations.get(names.ANNOTATION_RESTARTED, ""),
        "trouble": _trouble(status),
    }


def _settled(manifest: Manifest, desired: int) -> bool:
    """As `kubectl rollout status` judges it, readiness apart."""
    status = manifest.get("status") or {}
    if status.get("observedGeneration", 0) < manifest["metadata"].get("generation", 0):
        return False
    if status.get("updateRevision") != status.get("currentRevision"):
        return False  # a StatefulSet on its way from one template to the next
    return bool(status.get("replicas", 0) == desired == status.get("updatedReplicas", 0))


def _trouble(status: Mapping[str, Any]) -> str:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return str(condition.get("message", ""))[:512]
    return ""


def _job(status: Mapping[str, Any]) -> dict[str, Any]:
    for condition in status.get("conditions") or ():
        if condition.get("status") == "True" and condition.get("type") in (JOB_DONE, JOB_FAILED):
            failed = condition["type"] == JOB_FAILED
            why = str(condition.get("message", "")) if failed else ""
            return {"state": str(condition["type"]), "trouble": why[:512]}
    return {}


def _addresses(status: Mapping[str, Any]) -> tuple[str, ...]:
    points = (status.get("loadBalancer") or {}).get("ingress") or ()
    found = {str(point.get("ip") or point.get("hostname") or "") for point in points}
    return tuple(sorted(found - {""}))


class Children:
    """The watched objects of all projects, by namespace."""

    def __init__(self, kube: Kube, changed: Callable[[str], None]) -> None:
        """`changed` is called with the ref of the project that an object belongs to."""
        self._changed = changed
        self._by_namespace: dict[str, dict[Name, Child]] = {}
        self.reflectors: Mapping[Resource, Reflector[Child]] = MappingProxyType(
            {resource: self._reflector(kube, resource) for resource in WATCHED}
        )

    def of(self, namespace: str) -> Mapping[Name, Child]:
        """All watched objects of a namespace."""
        return MappingProxyType(self._by_namespace.get(namespace, {}))

    def learn(self, resource: Resource, manifest: Manifest) -> None:
        """Takes in what the server answered to a write of ours."""
        if resource in self.reflectors:
            self.reflectors[resource].learn(manifest)

    def _reflector(self, kube: Kube, resource: Resource) -> Reflector[Child]:
        def changed(key: tuple[str, str], old: Child | None, new: Child | None) -> None:
            self._note(key[0], (resource, key[1]), new)
            for ref in {child.ref for child in (old, new) if child and child.ref}:
                self._changed(ref)

        return Reflector(kube, resource, keep=keep, changed=changed, label_selector=SELECTOR)

    def _note(self, namespace: str, name: Name, child: Child | None) -> None:
        inside = self._by_namespace.setdefault(namespace, {})
        if child is not None:
            inside[name] = child
        else:
            inside.pop(name, None)
            if not inside:
                del self._by_namespace[namespace]
