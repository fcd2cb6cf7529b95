"""How is each component of a project, as far as the cluster tells? Pure values, for judging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Condition, Endpoints, OperationStatus, Reason
from supaplane_kube import resources as kinds

from .children import JOB_DONE, JOB_FAILED, WORKLOADS, Child, Name
from .errors import Problem
from .render import RenderedComponent


@dataclass(frozen=True)
class Trouble:
    """Why a component is not ready."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Seen:
    """One component, as wished and as it is."""

    name: ComponentName
    image: str
    desired: int
    ready: int = 0
    pods: int = 0
    settled: bool = True
    """Whether the controller has made every pod as its present template says, and what is done
    once beside them is done."""
    exists: bool = True
    trouble: Trouble | None = None

    @property
    def as_wished(self) -> bool:
        """Whether nothing more is to come."""
        return self.exists and self.settled and self.ready >= self.desired

    @property
    def gone(self) -> bool:
        """Whether no pod of it is left."""
        return self.pods == 0 and self.ready == 0

    @property
    def serves(self) -> bool:
        """Whether as many pods are ready as should be, be they of the old template or the new."""
        return self.exists and self.ready >= self.desired

    @property
    def answers(self) -> bool:
        """Whether at least one pod is ready."""
        return self.ready > 0 or self.desired == 0


@dataclass(frozen=True)
class Rollout:
    """How a project stands in the fleet queue."""

    stale: bool = False
    """This version renders a pod template differently, with the same inputs."""
    rolling: bool = False
    """Its turn has come."""
    failed: bool = False
    """It did not come back in time."""


@dataclass(frozen=True)
class Observed:
    """All that a pass found out, and all that judging needs."""

    generation: int
    ref: str | None = None
    namespace: str | None = None
    release: str | None = None
    """The release that the objects are rendered from."""
    components: Sequence[Seen] = ()
    endpoints: Endpoints | None = None
    credentials_secret: str | None = None
    complete: bool = False
    """Whether the whole wish is in the cluster: nothing refused, nothing held back."""
    accepted: bool = True
    problem: Problem | None = None
    network: Problem | None = None
    dns: Condition | None = None
    """How the DNS hook took the public hosts; None when there is no hook."""
    hands_off: bool = False
    rollout: Rollout = field(default_factory=Rollout)
    operation: OperationStatus | None = None
    """One-shot work under way, or ended by this pass."""


def see(
    components: Sequence[RenderedComponent],
    children: Mapping[Name, Child],
    troubles: Mapping[str, Trouble],
) -> tuple[Seen, ...]:
    """Each component; `troubles` holds what its pods say, by component."""
    return tuple(
        _see(component, children, troubles)
        for component in components
        if component.workload is not None
    )


def _see(
    component: RenderedComponent, children: Mapping[Name, Child], troubles: Mapping[str, Trouble]
) -> Seen:
    child = _workload(component, children)
    if child is None:
        return Seen(component.name, component.image, component.desired, exists=False, settled=False)
    stuck = Trouble(refusal(child.trouble), child.trouble) if child.trouble else None
    undone = [name for name in component.jobs if not _is_done(name[0], children)]
    ready = child.ready >= component.desired and child.settled and not undone
    found = stuck or troubles.get(component.name.value) or _of_jobs(undone, children, troubles)
    return Seen(
        name=component.name,
        image=child.image or component.image,
        desired=component.desired,
        ready=child.ready,
        pods=child.pods,
        settled=child.settled and child.desired >= component.desired and not undone,
        trouble=None if ready else found,
    )


def _is_done(job: str, children: Mapping[Name, Child]) -> bool:
    child = children.get((kinds.JOBS, job))
    return child is not None and child.state == JOB_DONE


def _of_jobs(
    undone: Sequence[tuple[str, str]],
    children: Mapping[Name, Child],
    troubles: Mapping[str, Trouble],
) -> Trouble | None:
    """Why a Job has not ended well; None when it only needs time."""
    for job, pods in undone:
        child = children.get((kinds.JOBS, job))
        if child is not None and child.state == JOB_FAILED:
            return Trouble(
                Reason.COMPONENT_NOT_READY,
                f"Job {job} failed: {child.trouble}. Its log says why (kubectl logs job/{job}); "
                "delete it, and it is made again",
            )
        if pods in troubles:
            return troubles[pods]
    return None


def _workload(component: RenderedComponent, children: Mapping[Name, Child]) -> Child | None:
    assert component.workload is not None
    kind, name = component.workload
    resource = next((r for r in WORKLOADS if r.kind == kind), kinds.DEPLOYMENTS)
    return children.get((resource, name))


def refusal(message: str) -> Reason:
    """The reason for pods that the API server does not let a controller make."""
    if "exceeded quota" in message:
        return Reason.QUOTA_EXCEEDED
    refused = any(words in message for words in _REFUSED)
    return Reason.APPLY_REFUSED if refused else Reason.COMPONENT_NOT_READY


_REFUSED: Final = ("is forbidden", "denied the request", "denied request", "failed calling webhook")
"""How the API server words that admission or a webhook is in the way."""


def remembered(
    names: Sequence[tuple[str, int, str]], children: Mapping[Name, Child]
) -> tuple[RenderedComponent, ...]:
    """The components of an earlier status (name, desired, image), for when nothing is rendered."""
    out = []
    for name, desired, image in names:
        if name not in set(ComponentName):
            continue
        workload = next(
            ((n[0].kind, n[1]) for n, c in children.items() if c.component == name and _pods(n)),
            (kinds.DEPLOYMENTS.kind, name),
        )
        out.append(RenderedComponent(ComponentName(name), image, workload, desired))
    return tuple(out)


def _pods(name: Name) -> bool:
    return name[0] in WORKLOADS
