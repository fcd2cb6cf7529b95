"""How does a stack go whose data nobody wants? All at once: there is nothing left to keep in order.

Its workloads go first, with what counts and lists their pods, and then the namespace: while pods
are still there the namespace controller waits for half of their grace period before it looks again.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from supaplane_contract import names
from supaplane_kube import Conflict
from supaplane_kube import resources as kinds

from .children import WORKLOADS, Name
from .parallel import in_parallel
from .render.objects import PROJECT
from .subject import Subject
from .world import World

AT_ONCE: Final = 20
AHEAD: Final = (kinds.SERVICES, *WORKLOADS, kinds.JOBS)
"""What makes pods, and what is written anew for each pod that ends."""


async def stop(world: World, subject: Subject, elapsed: float) -> str:
    """Deletes what makes and counts pods; what it waits for, or nothing when no pod is left.

    `elapsed`: seconds since the deletion. Pods that do not end are not waited for for ever.
    """
    there = [
        (name, child.uid)
        for name, child in world.children.of(subject.namespace).items()
        if name[0] in AHEAD and not child.deleting
    ]
    if there:
        calls = [partial(_delete, world, subject, name, uid) for name, uid in there]
        calls.append(partial(_uncount, world, subject))
        await in_parallel(calls, AT_ONCE)
        return "stopping every component"
    if elapsed < world.settings.teardown_patience_seconds:
        selector = f"{names.LABEL_REF}={subject.ref}"
        pods = await world.kube.list(kinds.PODS, subject.namespace, label_selector=selector)
        if pods.items:
            return "waiting for pods to end"
    return ""


async def _uncount(world: World, subject: Subject) -> None:
    """Deletes the quota, which would be written anew for each pod that ends."""
    await world.kube.delete(kinds.RESOURCE_QUOTAS, subject.namespace, PROJECT)


async def _delete(world: World, subject: Subject, name: Name, uid: str) -> None:
    try:
        await world.kube.delete(name[0], subject.namespace, name[1], uid=uid)
    except Conflict:
        return  # another one by now: the next pass sees it
