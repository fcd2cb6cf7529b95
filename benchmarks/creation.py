"""How long from a REST POST to ACTIVE_HEALTHY, one project after another."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from audit import Write, writes
from bench import Bench

from supaplane_contract import names
from supaplane_demo import story


@dataclass(frozen=True)
class Creation:
    """What was measured of the projects."""

    to_active: list[float]
    """Seconds from sending the POST to reading ACTIVE_HEALTHY."""
    to_first_object: list[float]
    """Seconds from the API server's answer to the CR's creation to the operator's first write."""
    writes_per_object: float
    """Write requests of the operator per object that it made."""

    @property
    def median(self) -> float:
        """Median of `to_active`."""
        return statistics.median(self.to_active)


async def measure(bench: Bench, *, count: int) -> Creation:
    """Makes `count` projects, each after the former is ACTIVE_HEALTHY."""
    offset = bench.cluster.audit_log.stat().st_size
    taken, refs = [], []
    for number in range(count):
        started = time.monotonic()
        answer = await bench.rest.call(
            "POST",
            "/platform/projects",
            {
                "name": f"bench {number}",
                "organization_slug": bench.organization,
                "db_pass": story.new_password(),
                "db_region": "local",
                "desired_instance_size": "nano",
            },
        )
        ref = answer["ref"]
        while (await bench.rest.call("GET", f"/projects/{ref}/status"))["status"] != (
            "ACTIVE_HEALTHY"
        ):
            if time.monotonic() - started > 60:
                raise TimeoutError(f"{ref} did not become ACTIVE_HEALTHY within 60 s")
            await asyncio.sleep(0.02)
        taken.append(time.monotonic() - started)
        refs.append(ref)
    await asyncio.sleep(2)
    log = list(writes(bench.cluster.audit_log, offset=offset))
    ours = [w for w in log if w.agent.startswith("supaplane-operator")]
    made = [
        w
        for w in ours
        if w.code == 201 and not w.subresource and w.namespace.removeprefix("supabase-") in refs
    ]
    first = [_first_object(log, ours, ref) for ref in refs]
    return Creation(taken, first, len(ours) / max(1, len(made)))


def _first_object(log: list[Write], ours: list[Write], ref: str) -> float:
    wished = next(
        w for w in log if w.resource == names.PLURAL and w.verb == "create" and w.name == ref
    )
    namespace = names.project_namespace(ref)
    first = next(w for w in ours if w.code == 201 and namespace in (w.namespace, w.name))
    return (first.received - wished.answered).total_seconds()
