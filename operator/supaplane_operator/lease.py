"""Which replica leads? A Lease in the cluster; times as client-go has them (15, 10 and 2 seconds).

https://pkg.go.dev/k8s.io/client-go/tools/leaderelection: what counts is when *we* saw a renewal, by
our own clock, never the time that another machine wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from supaplane_contract import names
from supaplane_kube import AlreadyExists, Conflict, Kube, KubeError
from supaplane_kube.port import Manifest
from supaplane_kube.resources import LEASES

from .errors import LeaseLost
from .gate import Gate, boot_time

log = logging.getLogger(__name__)

NAME: Final = "supaplane-operator"
MANAGER: Final = names.FIELD_MANAGER_OPERATOR


@dataclass(frozen=True)
class Times:
    """Seconds."""

    duration: float = 15.0
    """How long a Lease holds after a renewal."""
    deadline: float = 10.0
    """How long the leader tries to renew before it gives up."""
    retry: float = 2.0
    """Between two tries."""


class Lease:
    """Election by one object. `kube` must not pass its writes through the gate."""

    def __init__(
        self,
        kube: Kube,
        gate: Gate,
        *,
        namespace: str,
        identity: str,
        times: Times = Times(),
        clock: Callable[[], float] = boot_time,
    ) -> None:
        self._kube = kube
        self._gate = gate
        self._namespace = namespace
        self._identity = identity
        self._times = times
        self._clock = clock
        self._seen: tuple[Any, float] = (None, 0.0)

    async def acquire(self) -> None:
        """Waits until this replica leads."""
        while True:
            if await self._try():
                break
            await asyncio.sleep(self._times.retry * random.uniform(1.0, 1.2))
        log.info("this replica leads")

    async def hold(self) -> None:
        """Renews until that fails for too long; then raises LeaseLost."""
        renewed = self._clock()
        while True:
            await asyncio.sleep(self._times.retry)
            if await self._try():
                renewed = self._clock()
            elif self._clock() - renewed >= self._times.deadline:
                self._gate.close()
                raise LeaseLost("the Lease could not be renewed: another replica takes over")

    async def release(self) -> None:
        """Gives the Lease back, so that the next replica need not wait."""
        self._gate.close()
        with contextlib.suppress(KubeError, TimeoutError):
            async with asyncio.timeout(3.0):
                live = await self._kube.get(LEASES, self._namespace, NAME)
                if live and _spec(live).get("holderIdentity") == self._identity:
                    await self._write(live, {"holderIdentity": "", "leaseDurationSeconds": 1})

    async def _try(self) -> bool:
        """One attempt to take or renew."""
        begun = self._clock()
        try:
            async with asyncio.timeout(self._times.deadline / 2):
                taken = await self._take(begun)
        except (KubeError, TimeoutError) as error:
            log.warning("Lease %s/%s: %s", self._namespace, NAME, error)
            return False
        if taken:
            self._gate.open_until(begun + self._times.duration)
        return taken

    async def _take(self, begun: float) -> bool:
        live = await self._kube.get(LEASES, self._namespace, NAME)
        if live is None:
            return await self._make()
        holder = _spec(live).get("holderIdentity") or ""
        if holder not in ("", self._identity) and not self._has_run_out(live, begun):
            return False
        fresh: dict[str, Any] = {"holderIdentity": self._identity, "renewTime": _micro_time()}
        fresh["leaseDurationSeconds"] = round(self._times.duration)
        if holder != self._identity:
            fresh["acquireTime"] = fresh["renewTime"]
            fresh["leaseTransitions"] = int(_spec(live).get("leaseTransitions") or 0) + 1
        return await self._write(live, fresh)

    def _has_run_out(self, live: Manifest, now: float) -> bool:
        """Whether the holder has not renewed for as long as its Lease holds, by our clock."""
        mark = (_spec(live).get("holderIdentity"), _spec(live).get("renewTime"))
        if mark != self._seen[0]:
            self._seen = (mark, now)
            return False
        return now - self._seen[1] >= float(_spec(live).get("leaseDurationSeconds") or 0)

    async def _make(self) -> bool:
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": NAME, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": round(self._times.duration),
                "acquireTime": _micro_time(),
                "renewTime": _micro_time(),
                "leaseTransitions": 0,
            },
        }
        with contextlib.suppress(AlreadyExists):
            await self._kube.create(LEASES, self._namespace, body, manager=MANAGER)
            return True
        return False

    async def _write(self, live: Manifest, spec: dict[str, Any]) -> bool:
        version = live["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        with contextlib.suppress(Conflict):
            await self._kube.merge_patch(LEASES, self._namespace, NAME, patch, manager=MANAGER)
            return True
        return False


def _spec(lease: Manifest) -> dict[str, Any]:
    return lease.get("spec") or {}


def _micro_time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
