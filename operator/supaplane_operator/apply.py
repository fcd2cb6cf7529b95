"""How does a rendering reach the cluster? Compared first, and only what differs is sent.

Watched objects that look as they did when they last were as rendered are not even read. The others
are read with one list per kind. What differs is sent by server-side apply, first what pods need,
then pods, then the way in to them; a bounded number of requests at a time.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import (
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    Kube,
    NotFound,
    Resource,
    ServerUnavailable,
)
from supaplane_kube import resources as kinds
from supaplane_kube.port import Manifest

from .children import WATCHED, WORKLOADS, Children, Name, digest, shape_of
from .claim import Claim
from .differs import differences
from .errors import LookAgain, Problem
from .parallel import in_parallel
from .plan import Plan, name_of
from .scaling import with_live_replicas
from .settled import Memory, Settled
from .volumes import claim_to_apply

log = logging.getLogger(__name__)
T = TypeVar("T")

MANAGER: Final = names.FIELD_MANAGER_OPERATOR
UNWATCHED: Final = (
    kinds.SECRETS,
    kinds.CONFIG_MAPS,
    kinds.SERVICE_ACCOUNTS,
    kinds.ROLE_BINDINGS,
    kinds.RESOURCE_QUOTAS,
    kinds.LIMIT_RANGES,
    kinds.HORIZONTAL_POD_AUTOSCALERS,
    kinds.HTTP_ROUTES,
)
"""Kinds that are compared by reading them; listed whole, to find what is left over too."""
WEBHOOK_AWAY: Final = "failed calling webhook"
"""In the 500 that the API server answers when it cannot ask an admission webhook."""
WAY_IN: Final = (kinds.INGRESSES, kinds.HTTP_ROUTES, kinds.HORIZONTAL_POD_AUTOSCALERS)


@dataclass(frozen=True)
class Applied:
    """What applying a rendering came to."""

    problem: Problem | None
    """The first object that the server refused."""
    sent: int
    """How many objects were sent."""
    live: Mapping[Name, Manifest] = field(repr=False)
    """The objects of unwatched kinds, when they were read."""


@dataclass
class Applier:
    """Sends renderings; `parallelism` bounds the requests of one project at a time."""

    kube: Kube
    children: Children
    parallelism: int = 20
    _absent: set[Resource] = field(default_factory=set)
    """Kinds that this cluster does not have, such as HTTPRoute."""

    async def apply(
        self,
        claim: Claim,
        ref: str,
        plan: Plan,
        memory: Memory,
        *,
        deep: bool,
    ) -> Applied:
        """`deep`: whether kinds that are not watched are compared too.

        Raises LookAgain when the namespace goes away meanwhile, KubeError when the server fails.
        """
        hashes = {name_of(m): digest(m) for m in plan.apply}
        doubtful = [m for m in plan.apply if self._doubtful(claim, m, hashes, memory, deep)]
        live = {} if claim.fresh else await self._read(claim.name, ref, doubtful, deep)
        wanted = []
        for manifest in doubtful:
            name = name_of(manifest)
            if name in live and name in plan.only_if_missing:
                continue
            body = _to_send(manifest, live.get(name))
            if body is None:
                memory.settled[name] = _settled(live[name], hashes[name])
            else:
                wanted.append(body)
        problem = await self._send(claim.name, wanted, hashes, memory)
        for name, count in plan.replicas.items():
            await self._scale(claim.name, name, count)
        return Applied(problem, len(wanted), live)

    async def remove(self, namespace: str, left: Iterable[tuple[Name, str]]) -> None:
        """Deletes objects by name and uid; one that is another by now stays."""
        calls = [_call(self._remove, namespace, name, uid) for name, uid in left]
        await in_parallel(calls, self.parallelism)

    async def _remove(self, namespace: str, name: Name, uid: str) -> None:
        log.info("%s %s is not rendered any more and goes", name[0].kind, name[1])
        with contextlib.suppress(Conflict):
            await self.kube.delete(name[0], namespace, name[1], uid=uid)

    async def _scale(self, namespace: str, name: Name, count: int) -> None:
        body = {"spec": {"replicas": count}}
        answer = await self.kube.merge_patch(name[0], namespace, name[1], body, manager=MANAGER)
        self.children.learn(name[0], answer)

    def _doubtful(
        self,
        claim: Claim,
        manifest: Manifest,
        hashes: Mapping[Name, str],
        memory: Memory,
        deep: bool,
    ) -> bool:
        name = name_of(manifest)
        settled = memory.settled.get(name)
        if claim.fresh or settled is None or settled.rendered != hashes[name]:
            return True
        if name[0] not in WATCHED:
            return deep
        child = self.children.of(claim.name).get(name)
        return child is None or (child.uid, child.shape) != (settled.uid, settled.shape)

    async def _read(
        self, namespace: str, ref: str, doubtful: Iterable[Manifest], deep: bool
    ) -> dict[Name, Manifest]:
        resources = dict.fromkeys(name_of(m)[0] for m in doubtful)
        if deep:
            resources |= dict.fromkeys(UNWATCHED)
        selector = f"{names.LABEL_REF}={ref}"
        calls = [_call(self.listed, resource, namespace, selector) for resource in resources]
        lists = await in_parallel(calls, self.parallelism)
        return {
            (resource, item["metadata"]["name"]): item
            for resource, items in zip(resources, lists, strict=True)
            for item in items
        }

    async def listed(self, resource: Resource, namespace: str, selector: str) -> Sequence[Manifest]:
        """The objects of a kind; none of a kind that this cluster does not have."""
        if resource in self._absent:
            return ()
        try:
            return (await self.kube.list(resource, namespace, label_selector=selector)).items
        except NotFound:
            self._absent.add(resource)
            return ()

    async def _send(
        self,
        namespace: str,
        wanted: Sequence[Manifest],
        hashes: Mapping[Name, str],
        memory: Memory,
    ) -> Problem | None:
        problems: list[Problem] = []
        for wave in waves(wanted):
            calls = [_call(self._send_one, namespace, body, hashes, memory) for body in wave]
            problems += [
                problem for problem in await in_parallel(calls, self.parallelism) if problem
            ]
            if problems:
                break  # pods without their Secrets would only crash
        return problems[0] if problems else None

    async def _send_one(
        self, namespace: str, body: Manifest, hashes: Mapping[Name, str], memory: Memory
    ) -> Problem | None:
        resource, name = name_of(body)
        try:
            answer = await self.kube.apply(resource, namespace, name, body, manager=MANAGER)
        except NotFound as error:
            if "namespaces" in error.message:
                raise LookAgain("the namespace went away") from None
            return refused(resource, name, error)
        except ServerUnavailable as error:
            if WEBHOOK_AWAY not in error.message:
                raise
            return refused(resource, name, error)
        except (Invalid, Forbidden) as error:
            if "because it is being terminated" in error.message:
                raise LookAgain("the namespace is being deleted", seconds=1.0) from None
            return refused(resource, name, error)
        self.children.learn(resource, answer)
        memory.settled[resource, name] = _settled(answer, hashes[resource, name])
        return None


def waves(manifests: Iterable[Manifest]) -> list[list[Manifest]]:
    """First what pods need, then pods, then the way in to them. Empty waves are left out."""
    out: list[list[Manifest]] = [[], [], []]
    for manifest in manifests:
        resource = name_of(manifest)[0]
        out[1 if resource in (*WORKLOADS, kinds.JOBS) else 2 if resource in WAY_IN else 0].append(
            manifest
        )
    return [wave for wave in out if wave]


def refused(resource: Resource, name: str, error: ApiError) -> Problem:
    """What to tell of an object that the server refuses; of a Secret only that it was refused."""
    quota = "exceeded quota" in error.message
    told = error.reason if resource == kinds.SECRETS else error.message[:512]
    return Problem(
        Reason.QUOTA_EXCEEDED if quota else Reason.APPLY_REFUSED,
        f"{resource.kind} {name} was refused: {told}",
        # An administrator may grant a right, raise a quota, mend a webhook; an invalid object
        # stays invalid.
        waiting_helps=not isinstance(error, Invalid),
    )


def _to_send(manifest: Manifest, live: Manifest | None) -> Manifest | None:
    """What to send, or None when the live object is as rendered."""
    if live is None:
        return manifest
    if name_of(manifest)[0] == kinds.VOLUME_CLAIMS:
        manifest = claim_to_apply(manifest, live)
    if name_of(manifest)[0] in WORKLOADS:
        manifest = with_live_replicas(manifest, live)
    paths = list(differences(manifest, live))
    if paths:
        meta = manifest["metadata"]
        log.info("%s %s differs at %s", manifest["kind"], meta["name"], ", ".join(paths[:5]))
    return manifest if paths else None


def _settled(live: Manifest, rendered: str) -> Settled:
    return Settled(live["metadata"].get("uid", ""), shape_of(live), rendered)


def _call(function: Callable[..., Awaitable[T]], *args: object) -> Callable[[], Awaitable[T]]:
    return lambda: function(*args)
