"""How long nobody works when the leading replica ends: told to, or killed.

Two replicas on a cluster of their own. At the moment of the signal a Service is deleted; the
hand-over has ended when the other replica holds the Lease and has put the Service back.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from dataclasses import dataclass

from bulk import projects
from inside import NAMESPACE, Inside, Replica, inside

from supaplane_contract import names
from supaplane_kube import KubeClient, KubeError
from supaplane_kube import resources as kinds
from supaplane_operator.projects import PROJECTS

GIVE_UP = 120.0
LEASE = "supaplane-operator"
SERVICE = "rest"


@dataclass(frozen=True)
class HandOver:
    """Seconds from the signal until another replica works, the longest of some."""

    told: float
    """After SIGTERM."""
    killed: float
    """After kill -9."""


async def measure(times: int = 3) -> HandOver:
    """Ends the leader `times` times each way; another takes its place as the one that waits."""
    async with inside(nodes=1) as platform_:
        namespace = await _project(platform_.kube)
        leader, other = platform_.replica, platform_.another("second")
        taken: dict[signal.Signals, list[float]] = {signal.SIGTERM: [], signal.SIGKILL: []}
        try:
            await asyncio.to_thread(other.start)
            for how in (*[signal.SIGTERM] * times, *[signal.SIGKILL] * times):
                taken[how].append(await _hand_over(platform_, namespace, leader, other, how))
                await asyncio.to_thread(leader.start)
                leader, other = other, leader
        finally:
            for replica in (leader, other):
                replica.end()
    return HandOver(max(taken[signal.SIGTERM]), max(taken[signal.SIGKILL]))


async def _project(kube: KubeClient) -> str:
    """Makes a project; its namespace, when all is there."""
    (manifest,) = projects("minimal", 1)
    await kube.create(PROJECTS, names.DEFAULT_HOME_NAMESPACE, manifest, manager="bench")
    end = time.monotonic() + GIVE_UP
    while time.monotonic() < end:
        home, name = names.DEFAULT_HOME_NAMESPACE, manifest["metadata"]["name"]
        status = (await kube.get(PROJECTS, home, name) or {}).get("status") or {}
        if status.get("phase") == "ACTIVE_HEALTHY":
            return str(status["namespace"])
        await asyncio.sleep(0.1)
    raise TimeoutError("the project does not come up")


async def _hand_over(
    platform_: Inside, namespace: str, leader: Replica, other: Replica, how: signal.Signals
) -> float:
    began = time.monotonic()
    ending = asyncio.create_task(asyncio.to_thread(leader.end, how))
    await platform_.kube.delete(kinds.SERVICES, namespace, SERVICE)
    while not await _works(platform_.kube, namespace, other.identity):
        if time.monotonic() - began > GIVE_UP:
            raise TimeoutError(f"{other.identity} does not take over")
        await asyncio.sleep(0.02)
    taken = time.monotonic() - began
    await ending
    return taken


async def _works(kube: KubeClient, namespace: str, identity: str) -> bool:
    with contextlib.suppress(KubeError):
        lease = await kube.get(kinds.LEASES, NAMESPACE, LEASE)
        holds = lease is not None and lease["spec"].get("holderIdentity") == identity
        return holds and await kube.get(kinds.SERVICES, namespace, SERVICE) is not None
    return False
