"""What the operator writes when nothing differs: at rest and after a restart."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

from audit import writes
from bench import Bench

NOT_COUNTED = frozenset({"leases", "events"})


@dataclass(frozen=True)
class Quiet:
    """What was measured with projects at rest."""

    seconds: float
    writes_at_rest: int
    writes_after_restart: int
    restart_seconds: float
    memory_mib: float
    cpu_cores_at_rest: float


async def measure(bench: Bench, *, seconds: float) -> Quiet:
    """Waits, then restarts the operator and waits again; counts its writes."""
    offset = bench.cluster.audit_log.stat().st_size
    cpu, began = bench.operator_cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds)
    cores = (bench.operator_cpu_seconds() - cpu) / (time.monotonic() - began)
    at_rest = _count(bench, offset)
    offset = bench.cluster.audit_log.stat().st_size
    started = time.monotonic()
    await asyncio.to_thread(bench.restart_operator)
    restart = time.monotonic() - started
    await asyncio.sleep(seconds)
    return Quiet(seconds, at_rest, _count(bench, offset), restart, bench.operator_memory(), cores)


def _count(bench: Bench, offset: int) -> int:
    found = Counter(
        f"{write.verb} {write.resource}/{write.subresource} {write.code}"
        for write in writes(bench.cluster.audit_log, offset=offset)
        if write.agent.startswith("supaplane-operator") and write.resource not in NOT_COUNTED
    )
    for what, times in found.items():
        print(f"unexpected: {times} x {what}")
    return found.total()
