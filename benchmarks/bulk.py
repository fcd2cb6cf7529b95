"""Many projects at once: against a plain client that posts the same objects, and their deletion.

Run by hand (`python benchmarks/bulk.py --count 100`): it takes minutes and wants a quiet machine.
The operator runs as in a pod: with a ServiceAccount's token, without the package `kubernetes`.

The *floor* is what the same API server needs for a client that only posts the objects that the
operator made, every project at once, until as many pods are Ready. Both runs are of one cluster, so
that the conditions are the same.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import yaml
from audit import writes
from floor import GIVE_UP, drop_all, objects_of, post_all, seen, until_none
from inside import Inside, inside

from supaplane_contract import names
from supaplane_devcluster.measure import cpu as cluster_cpu
from supaplane_kube import KubeClient
from supaplane_kube import resources as kinds
from supaplane_operator.memory import EVERY_SECONDS
from supaplane_operator.projects import PROJECTS

SAMPLES = Path(__file__).parent.parent / "manifests" / "samples"
HOME = names.DEFAULT_HOME_NAMESPACE
UNTIL_TRIMMED = 2 * EVERY_SECONDS + 1
"""Seconds of rest after which the operator has given back what it needs no more."""


@dataclass
class Figures:
    """What was measured, in the order of the table."""

    rows: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        """Adds a row, and says it at once."""
        self.rows.append((name, value))
        print(f"  {name}: {value}", flush=True)


def projects(profile: str, count: int) -> Iterable[dict[str, Any]]:
    """SupabaseProjects with the spec of a sample, deleted together with their data."""
    sample = next(
        document
        for document in yaml.safe_load_all((SAMPLES / f"{profile}.yaml").read_text())
        if document["kind"] == names.KIND
    )
    spec = {k: v for k, v in sample["spec"].items() if k not in ("ref", "host", "customDomains")}
    spec |= {"size": "dev", "deletion": {"policy": "Delete"}}
    for number in range(count):
        yield {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": f"bulk-{number}", "namespace": HOME},
            "spec": spec,
        }


async def measure(platform_: Inside, profile: str, count: int, *, floor: bool) -> Figures:
    """All figures of one run; without `floor` those of creation, rest and restart only."""
    figures, kube = Figures(), platform_.kube
    await asyncio.sleep(UNTIL_TRIMMED)
    figures.add("operator, no projects", f"{platform_.memory():.0f} MiB")
    offset = platform_.cluster.audit_log.stat().st_size
    before, own = cluster_cpu(platform_.cluster), platform_.cpu()
    taken = await _make(kube, projects(profile, count), count)
    await asyncio.sleep(3)
    spent = _spent(before, cluster_cpu(platform_.cluster))
    own = platform_.cpu() - own
    log = list(writes(platform_.cluster.audit_log, offset=offset))
    ours = [w for w in log if w.agent.startswith("supaplane-operator")]
    counted = [w for w in ours if w.resource not in ("leases", "events")]
    made = [w for w in counted if w.code == 201 and not w.subresource]
    statuses = [w for w in counted if w.subresource == "status"]
    figures.add(f"{count} projects at once until ACTIVE_HEALTHY", f"{taken:.1f} s")
    figures.add("objects of a project", f"{len(made) / count:.1f}")
    figures.add("writes per object made", f"{len(counted) / max(1, len(made)):.2f}")
    figures.add("status writes per project", f"{len(statuses) / count:.1f}")
    figures.add("CPU of the operator", f"{own:.1f} s, {own / (own + spent):.1%} of all")
    figures.add("CPU of the cluster", f"{spent:.1f} s")
    figures.add(f"operator, {count} projects, end of the burst", f"{platform_.memory():.0f} MiB")
    await _rest(platform_, figures)
    figures.add(f"operator, {count} projects, at rest", f"{platform_.memory():.0f} MiB")
    objects = await objects_of(kube) if floor else {}
    await _restart(platform_, figures, count)
    if floor:
        await _against_the_floor(platform_, figures, objects, count, taken)
    return figures


async def _against_the_floor(
    platform_: Inside,
    figures: Figures,
    objects: Mapping[str, list[dict[str, Any]]],
    count: int,
    taken: float,
) -> None:
    """`taken`: seconds that the operator needed to make the same projects."""
    kube = platform_.kube
    before, own = cluster_cpu(platform_.cluster), platform_.cpu()
    gone = await _delete(kube, figures, count)
    spent, own = _spent(before, cluster_cpu(platform_.cluster)), platform_.cpu() - own
    figures.add("CPU of operator and cluster meanwhile", f"{own:.1f} s, {spent:.1f} s")
    figures.add("operator, after they were deleted", f"{platform_.memory():.0f} MiB")
    await asyncio.to_thread(platform_.stop_operator)
    before = cluster_cpu(platform_.cluster)
    posted = await post_all(kube, objects)
    spent = _spent(before, cluster_cpu(platform_.cluster))
    figures.add("a plain client posts the same objects (floor)", f"{posted:.1f} s")
    figures.add("CPU of the cluster for the plain client", f"{spent:.1f} s")
    figures.add("operator against the floor", f"{taken / posted:.2f} x")
    before = cluster_cpu(platform_.cluster)
    dropped = await drop_all(kube, objects)
    spent = _spent(before, cluster_cpu(platform_.cluster))
    figures.add("the plain client deletes the namespaces", f"{dropped:.1f} s")
    figures.add("CPU of the cluster meanwhile", f"{spent:.1f} s")
    figures.add("operator against that", f"{gone / dropped:.2f} x")


def _spent(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    return sum(after.values()) - sum(before.values())


def _is_healthy(manifest: dict[str, Any]) -> bool:
    return (manifest.get("status") or {}).get("phase") == "ACTIVE_HEALTHY"


async def _make(kube: KubeClient, manifests: Iterable[dict[str, Any]], count: int) -> float:
    async with seen(kube, PROJECTS, _is_healthy) as healthy:
        began = time.monotonic()
        await asyncio.gather(
            *(kube.create(PROJECTS, HOME, manifest, manager="bench") for manifest in manifests)
        )
        said = 0.0
        while healthy() < count:
            elapsed = time.monotonic() - began
            if elapsed > GIVE_UP:
                raise TimeoutError(f"{healthy()} of {count} after {elapsed:.0f} s")
            if elapsed - said > 15:
                said = elapsed
                print(f"    {elapsed:.0f} s: {healthy()} of {count}", flush=True)
            await asyncio.sleep(0.05)
        return time.monotonic() - began


async def _rest(platform_: Inside, figures: Figures, seconds: float = 20.0) -> None:
    offset = platform_.cluster.audit_log.stat().st_size
    own = platform_.cpu()
    await asyncio.sleep(seconds)
    figures.add("CPU of the operator at rest", f"{(platform_.cpu() - own) / seconds:.3f} cores")
    figures.add(f"writes in {seconds:g} s at rest", str(_written(platform_, offset)))


async def _restart(platform_: Inside, figures: Figures, count: int) -> None:
    offset = platform_.cluster.audit_log.stat().st_size
    began = time.monotonic()
    await asyncio.to_thread(platform_.restart_operator)
    figures.add("restart until ready", f"{time.monotonic() - began:.1f} s")
    await asyncio.sleep(max(15.0, count / 5))
    figures.add("writes after a restart", str(_written(platform_, offset)))
    figures.add(f"operator, {count} projects, after a restart", f"{platform_.memory():.0f} MiB")


def _written(platform_: Inside, offset: int) -> int:
    return sum(
        w.agent.startswith("supaplane-operator") and w.resource not in ("leases", "events")
        for w in writes(platform_.cluster.audit_log, offset=offset)
    )


async def _delete(kube: KubeClient, figures: Figures, count: int) -> float:
    began = time.monotonic()
    listing = await kube.list(PROJECTS, HOME)
    async with seen(kube, PROJECTS, lambda _: True) as there:
        await asyncio.gather(
            *(kube.delete(PROJECTS, HOME, item["metadata"]["name"]) for item in listing.items)
        )
        await until_none(there, began, "the projects do not go")
    taken = time.monotonic() - began
    figures.add(f"{count} projects deleted with their data", f"{taken:.1f} s")
    selector = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
    left = [
        f"{kind.kind} {item['metadata']['name']}"
        for kind in (kinds.NAMESPACES, kinds.SECRETS, kinds.VOLUME_CLAIMS, kinds.DEPLOYMENTS)
        for item in (await kube.list(kind, label_selector=selector)).items
    ]
    figures.add("left behind", ", ".join(left) or "nothing")
    return taken


async def run(profile: str, count: int, *, floor: bool) -> Figures:
    """Brings everything up, measures, takes it down."""
    async with inside() as platform_:
        return await measure(platform_, profile, count, floor=floor)


def main() -> int:
    """Prints the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=100)
    options.add_argument("--profile", default="full", help="a sample of manifests/samples")
    options.add_argument(
        "--no-floor", action="store_true", help="only creation, rest and restart: for many projects"
    )
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    figures = asyncio.run(run(chosen.profile, chosen.count, floor=not chosen.no_floor))
    print(
        f"\n{os.cpu_count()} cores, Python {platform.python_version()}, profile {chosen.profile}, "
        f"load before {load:.1f}, after {os.getloadavg()[0]:.1f}\n"
    )
    print("| figure | measured |\n|---|---|")
    for name, value in figures.rows:
        print(f"| {name} | {value} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
