"""Why is a component not ready? What its pods say, in words that stay the same while they wait."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube.port import Manifest

from .observe import Trouble

PULL: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "RegistryUnavailable",
    }
)
CONFIG: Final = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
LONGEST: Final = 300
_PASSWORDS: Final = re.compile(r"//[^\s/:]*:\S+@")
"""Name and password in a URL: last words are log lines of programs that are not ours."""


def troubles(pods: Iterable[Manifest]) -> dict[str, Trouble]:
    """The most telling trouble of each component's pods, by component."""
    found: dict[str, Trouble] = {}
    for pod in pods:
        component = (pod["metadata"].get("labels") or {}).get(names.LABEL_COMPONENT, "")
        trouble = trouble_of(pod)
        if trouble and (component not in found or _rank(trouble) < _rank(found[component])):
            found[component] = trouble
    return found


def trouble_of(pod: Mapping[str, Any]) -> Trouble | None:
    """Why a pod is not ready; None when it is, or only needs time."""
    status = pod.get("status") or {}
    if status.get("phase") == "Failed":
        return _failed(status)
    for container in _containers(status):
        trouble = _container(container)
        if trouble:
            return trouble
    return _unscheduled(status)


def _containers(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for part in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(part) or ()


def _container(container: Mapping[str, Any]) -> Trouble | None:
    if container.get("ready"):
        return None
    name = container.get("name", "")
    waiting = (container.get("state") or {}).get("waiting") or {}
    last = (container.get("lastState") or {}).get("terminated") or {}
    ended = (container.get("state") or {}).get("terminated") or {}
    reason = waiting.get("reason", "")
    if "OOMKilled" in (last.get("reason"), ended.get("reason")):
        return Trouble(Reason.OUT_OF_MEMORY, f"container {name} needs more memory than its limit")
    if reason in PULL:
        image = container.get("image", "")
        return Trouble(Reason.IMAGE_PULL_FAILED, f"image {image} cannot be pulled ({reason})")
    if reason == "CrashLoopBackOff":
        return Trouble(Reason.CRASH_LOOP, f"container {name} keeps ending{_how(last)}")
    if reason in CONFIG:
        text = str(waiting.get("message", ""))[:LONGEST]
        return Trouble(Reason.COMPONENT_NOT_READY, f"container {name} cannot start: {text}")
    return None


def _how(terminated: Mapping[str, Any]) -> str:
    """Exit code and last words of a container; they do not change while it waits."""
    if not terminated:
        return ""
    words = _PASSWORDS.sub("//***@", str(terminated.get("message") or "")).strip()[-LONGEST:]
    return f" with code {terminated.get('exitCode')}" + (f": {words}" if words else "")


def _failed(status: Mapping[str, Any]) -> Trouble:
    if status.get("reason") == "Evicted":
        text = str(status.get("message", ""))[:LONGEST]
        return Trouble(Reason.COMPONENT_NOT_READY, f"a pod was evicted: {text}")
    ended = [(c.get("state") or {}).get("terminated") or {} for c in _containers(status)]
    failed = next((_how(end) for end in ended if end.get("exitCode")), "")
    told = failed or f": {status.get('reason') or 'no reason given'}"
    return Trouble(Reason.COMPONENT_NOT_READY, f"a pod failed{told}")


def _unscheduled(status: Mapping[str, Any]) -> Trouble | None:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            text = str(condition.get("message", ""))[:LONGEST]
            volume = "PersistentVolumeClaim" in text or "persistentvolumeclaim" in text
            reason = Reason.VOLUME_PENDING if volume else Reason.UNSCHEDULABLE
            return Trouble(reason, f"no node takes the pod: {text}")
    return None


_ORDER: Final = (
    Reason.OUT_OF_MEMORY,
    Reason.CRASH_LOOP,
    Reason.IMAGE_PULL_FAILED,
    Reason.VOLUME_PENDING,
    Reason.UNSCHEDULABLE,
)


def _rank(trouble: Trouble) -> int:
    return _ORDER.index(trouble.reason) if trouble.reason in _ORDER else len(_ORDER)
