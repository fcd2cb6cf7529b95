"""What do controllers complain of that no status holds? The Events of a project namespace. Pure.

A StatefulSet or a Job whose pods are refused, a volume that nobody makes, a mount or a probe that
fails: of these, Events tell and nothing else does. An Event outlives its cause, so it counts only
while the object that it is about is still in the state that it explains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import resources as kinds
from supaplane_kube.port import Manifest

from .children import Child, Name
from .observe import Trouble, refusal

LONGEST: Final = 300
_OF_PODS: Final = {
    "FailedMount": Reason.VOLUME_PENDING,
    "FailedAttachVolume": Reason.VOLUME_PENDING,
    "FailedCreatePodSandBox": Reason.COMPONENT_NOT_READY,
}
_CALLERS_PORT: Final = re.compile(r"[\d.]+:\d+->|\[[\da-f:]+\]:\d+->")
"""Of a broken connection its own end, which is another one at each probe."""
_OF_VOLUMES: Final = frozenset({"ProvisioningFailed", "FailedBinding"})
_MAKERS: Final = {r.kind: r for r in (kinds.STATEFUL_SETS, kinds.DEPLOYMENTS)}


def explained_by_events(children: Mapping[Name, Child], pods: Iterable[Manifest]) -> bool:
    """Whether something is in a state that only Events explain."""
    unclear = any(_pod_waits(pod) or _pod_is_probed(pod) for pod in pods)
    return unclear or any(
        _volume_waits(name, child) or _lacks_pods(name, child) for name, child in children.items()
    )


def complaints(
    events: Iterable[Manifest], children: Mapping[Name, Child], pods: Iterable[Manifest]
) -> dict[str, Trouble]:
    """The newest complaint about each component, by component."""
    listed = list(pods)
    waiting = {_name(pod): _component(pod) for pod in listed if _pod_waits(pod)}
    probed = {_name(pod): _component(pod) for pod in listed if _pod_is_probed(pod)}
    found: dict[str, Trouble] = {}
    for event in sorted(events, key=_time, reverse=True):
        component, trouble = _complaint(event, children, waiting, probed)
        if trouble is not None:
            found.setdefault(component, trouble)
    return found


def _complaint(
    event: Mapping[str, Any],
    children: Mapping[Name, Child],
    waiting: Mapping[str, str],
    probed: Mapping[str, str],
) -> tuple[str, Trouble | None]:
    about, reason = event.get("involvedObject") or {}, event.get("reason", "")
    kind, name = about.get("kind", ""), about.get("name", "")
    text = str(event.get("message", ""))[:LONGEST]
    if kind == "Pod" and reason in _OF_PODS and name in waiting:
        return waiting[name], Trouble(_OF_PODS[reason], f"its pod cannot start: {text}")
    if kind == "Pod" and reason == "Unhealthy" and name in probed:
        return probed[name], Trouble(Reason.PROBE_FAILING, _CALLERS_PORT.sub("", text).strip())
    if kind == kinds.VOLUME_CLAIMS.kind and reason in _OF_VOLUMES:
        claim = children.get((kinds.VOLUME_CLAIMS, name))
        if claim is not None and _volume_waits((kinds.VOLUME_CLAIMS, name), claim):
            return claim.component, Trouble(Reason.VOLUME_PENDING, f"volume claim {name}: {text}")
    if kind in _MAKERS and reason == "FailedCreate":
        maker = children.get((_MAKERS[kind], name))
        if maker is not None and _lacks_pods((_MAKERS[kind], name), maker):
            return maker.component, Trouble(refusal(text), text)
    return "", None


def _volume_waits(name: Name, child: Child) -> bool:
    return name[0] == kinds.VOLUME_CLAIMS and child.state == "Pending"


def _lacks_pods(name: Name, child: Child) -> bool:
    return name[0] in _MAKERS.values() and child.pods < child.desired


def _name(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["name"])


def _component(pod: Mapping[str, Any]) -> str:
    return str((pod["metadata"].get("labels") or {}).get(names.LABEL_COMPONENT, ""))


def _pod_is_probed(pod: Mapping[str, Any]) -> bool:
    """Whether a container of it has started and does not answer as it should."""
    return any(
        "running" in (container.get("state") or {})
        and container.get("started")
        and not container.get("ready")
        for container in (pod.get("status") or {}).get("containerStatuses") or ()
    )


def _pod_waits(pod: Mapping[str, Any]) -> bool:
    """Whether a node has taken it and has not started anything of it."""
    status = pod.get("status") or {}
    statuses = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    return status.get("phase") == "Pending" and bool(statuses) and all(map(_not_begun, statuses))


def _not_begun(container: Mapping[str, Any]) -> bool:
    waiting = (container.get("state") or {}).get("waiting") or {}
    return waiting.get("reason") in ("ContainerCreating", "PodInitializing")


def _time(event: Mapping[str, Any]) -> str:
    series = (event.get("series") or {}).get("lastObservedTime")
    meta = event.get("metadata") or {}
    when = series or event.get("lastTimestamp") or event.get("eventTime")
    return str(when or meta.get("creationTimestamp") or "")
