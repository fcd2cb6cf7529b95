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
from supaplane_operator.projects import PROJECTS


@dataclass(frozen=True)
class Creation:
    """What was measured of the projects."""

    to_active: list[float]
    """Seconds from sending the POST to reading ACTIVE_HEALTHY."""
    to_first_object: list[float]
    """Seconds from the API server's answer to the CR's creation to the operator's first write."""
    cr_to_active: list[float]
    """Seconds from sending a SupabaseProject to the API server to reading ACTIVE_HEALTHY there."""
    writes_per_object: float
    """Write requests of the operator per object that it made."""
    namespace: str
    """Of one of the projects."""

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
    direct = [await _directly(bench, number) for number in range(count)]
    return Creation(
        to_active=taken,
        to_first_object=first,
        cr_to_active=direct,
        writes_per_object=len(ours) / max(1, len(made)),
        namespace=names.project_namespace(refs[0]),
    )


async def _directly(bench: Bench, number: int) -> float:
    """Makes a project of the default profile as `kubectl apply` does, and removes it again."""
    name = f"direct-{number}"
    home = names.DEFAULT_HOME_NAMESPACE
    manifest = {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name, "namespace": home},
        "spec": {"size": "micro", "deletion": {"policy": "Delete"}},
    }
    began = time.monotonic()
    await bench.kube.create(PROJECTS, home, manifest, manager="bench")
    while True:
        live = await bench.kube.get(PROJECTS, home, name)
        if live and (live.get("status") or {}).get("phase") == "ACTIVE_HEALTHY":
            break
        if time.monotonic() - began > 60:
            raise TimeoutError(f"{name} did not become ACTIVE_HEALTHY within 60 s")
        await asyncio.sleep(0.02)
    taken = time.monotonic() - began
    await bench.kube.delete(PROJECTS, home, name)
    while await bench.kube.get(PROJECTS, home, name):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return taken


def _first_object(log: list[Write], ours: list[Write], ref: str) -> float:
    wished = next(
        w for w in log if w.resource == names.PLURAL and w.verb == "create" and w.name == ref
    )
    namespace = names.project_namespace(ref)
    first = next(w for w in ours if w.code == 201 and namespace in (w.namespace, w.name))
    return (first.received - wished.answered).total_seconds()
