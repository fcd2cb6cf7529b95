"""Measures what the README claims, prints a table, and fails if a limit is broken.

Run by `make bench`. `--count N` projects one after another, `--rest S` seconds of quiet.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import creation
import drift
import handover
import quiet
from bench import bench


@dataclass(frozen=True)
class Row:
    """One figure and the limit that it must keep."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        """Whether the figure is within its limit."""
        return self.value <= self.limit

    def __str__(self) -> str:
        mark = "ok" if self.kept else "TOO MUCH"
        return (
            f"| {self.name} | {self.value:.3g} {self.unit} | {self.limit:g} {self.unit} | {mark} |"
        )


async def measured(count: int, rest: float) -> list[Row]:
    """All figures."""
    async with bench() as platform_:
        empty = platform_.operator_memory()
        made = await creation.measure(platform_, count=count)
        still = await quiet.measure(platform_, seconds=rest)
        repaired = await drift.measure(platform_.kube, made.namespace)
    ended = await handover.measure()
    first = sorted(made.to_first_object)
    return [
        *(Row(f"repaired: {what}", seconds, 0.5, "s") for what, seconds in repaired.items()),
        Row(f"POST to ACTIVE_HEALTHY, median of {count}", made.median, 3.0, "s"),
        Row(f"POST to ACTIVE_HEALTHY, slowest of {count}", max(made.to_active), 10.0, "s"),
        Row(
            f"SupabaseProject to ACTIVE_HEALTHY, median of {count}",
            statistics.median(made.cr_to_active),
            2.0,
            "s",
        ),
        Row("CR made to first object written, median", statistics.median(first), 0.1, "s"),
        Row("writes of the operator per object made", made.writes_per_object, 2.0, ""),
        Row(f"writes in {rest:g} s at rest", still.writes_at_rest, 0, ""),
        Row(f"writes in {rest:g} s after a restart", still.writes_after_restart, 0, ""),
        Row("restart of the operator until ready", still.restart_seconds, 10.0, "s"),
        Row("SIGTERM to the leader until another works, longest of 3", ended.told, 3.0, "s"),
        Row("kill -9 of the leader until another works, longest of 3", ended.killed, 20.0, "s"),
        Row("memory of the operator, no projects", empty, 90.0, "MiB"),
        Row(f"memory of the operator, {count} projects", still.memory_mib, 110.0, "MiB"),
        Row("CPU of the operator at rest", still.cpu_cores_at_rest, 0.05, "cores"),
    ]


def main() -> int:
    """Prints the table; exit code 1 if a limit was broken."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=20)
    options.add_argument("--rest", type=float, default=20.0)
    chosen = options.parse_args()
    rows = asyncio.run(measured(chosen.count, chosen.rest))
    load = os.getloadavg()[0]
    print(f"\n{os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}\n")
    print("| figure | measured | limit | |\n|---|---|---|---|")
    for row in rows:
        print(row)
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
