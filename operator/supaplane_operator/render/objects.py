"""How is a Kubernetes object written down? The few builders that everything shares.

Everything is in the API server's normal form: nothing empty, quantities normalised, ports with
their protocol; so what was applied is found again unchanged.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.sizes import Amounts

from .model import Manifest

PROJECT: Final = "project"
"""Stands in the component label of what belongs to the project as a whole."""


def labels(ref: str, component: str) -> dict[str, str]:
    """The labels of every object that we render."""
    return {
        names.LABEL_NAME: component,
        names.LABEL_INSTANCE: ref,
        names.LABEL_PART_OF: names.PART_OF,
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_REF: ref,
        names.LABEL_COMPONENT: component,
    }


def selector(ref: str, component: str) -> dict[str, str]:
    """The labels by which pods of a component are found; never changes, for it is immutable."""
    return {names.LABEL_REF: ref, names.LABEL_COMPONENT: component}


def manifest(
    api_version: str,
    kind: str,
    name: str,
    ref: str,
    *,
    component: str = PROJECT,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,
) -> Manifest:
    """An object in the project namespace."""
    metadata: Manifest = {
        "name": name,
        "namespace": names.project_namespace(ref),
        "labels": labels(ref, component),
    }
    if annotations:
        metadata["annotations"] = dict(sorted(annotations.items()))
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def secret(
    name: str,
    ref: str,
    values: Mapping[str, str],
    *,
    component: str = PROJECT,
    type_: str = "Opaque",
) -> Manifest:
    """A Secret; `values` are plain text."""
    data = {k: base64.b64encode(v.encode()).decode() for k, v in sorted(values.items())}
    return manifest("v1", "Secret", name, ref, component=component, type=type_, data=data)


def config_map(name: str, ref: str, values: Mapping[str, str], *, component: str) -> Manifest:
    """A ConfigMap of text."""
    return manifest(
        "v1", "ConfigMap", name, ref, component=component, data=dict(sorted(values.items()))
    )


def claim(name: str, ref: str, *, component: str, size: str, storage_class: str | None) -> Manifest:
    """A PersistentVolumeClaim of our own, which no StatefulSet owns and no deletion cascades to."""
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    return manifest("v1", "PersistentVolumeClaim", name, ref, component=component, spec=spec)


def service(name: str, ref: str, ports: Mapping[str, int], **spec: Any) -> Manifest:
    """A Service in front of a component's pods; `ports` by name, the same number on both sides."""
    listed = [
        {"name": port, "port": number, "targetPort": port, "protocol": "TCP"}
        for port, number in ports.items()
    ]
    component = spec.pop("component", name)
    body = {"selector": selector(ref, component), "ports": listed, **spec}
    return manifest("v1", "Service", name, ref, component=component, spec=body)


def value(text: str) -> str:
    """Text as an environment variable's value or an argument: the kubelet reads `$$` as `$`.

    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return text.replace("$", "$$")


def env(values: Mapping[str, str], secret_name: str, secret_keys: Mapping[str, str]) -> list[Any]:
    """Environment variables: plain ones, then those out of a Secret (variable -> key)."""
    plain = [{"name": k, "value": value(v)} if v else {"name": k} for k, v in values.items()]
    hidden = [
        {"name": k, "valueFrom": {"secretKeyRef": {"name": secret_name, "key": key}}}
        for k, key in secret_keys.items()
    ]
    return sorted(plain + hidden, key=lambda item: str(item["name"]))


def resources(requests: Amounts, limits: Amounts) -> Manifest:
    """A container's requests and limits."""
    return {
        "requests": {"cpu": requests.cpu, "memory": requests.memory},
        "limits": {"cpu": limits.cpu, "memory": limits.memory},
    }


def http_probe(path: str, port: str | int, **timing: int) -> Manifest:
    """A probe by HTTP GET; `timing` as in `periodSeconds=5`."""
    return {"httpGet": {"path": path, "port": port, "scheme": "HTTP"}, **timing}


def tcp_probe(port: str | int, **timing: int) -> Manifest:
    """A probe that connects."""
    return {"tcpSocket": {"port": port}, **timing}


def exec_probe(*command: str, **timing: int) -> Manifest:
    """A probe that runs a command in the container."""
    return {"exec": {"command": list(command)}, **timing}


def with_last_words(pod: Manifest) -> Manifest:
    """A pod's spec, so that what a container said last is in the pod's status when it fails."""
    last_words = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    containers: Manifest = {
        key: [container | last_words for container in pod[key]]
        for key in ("initContainers", "containers")
        if key in pod
    }
    return {**pod, **containers}
