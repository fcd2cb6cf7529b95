"""What would a plain client need, which only posts what the operator made, and deletes it again?"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from supaplane_contract import names
from supaplane_kube import KubeClient, Reflector, Resource
from supaplane_kube import resources as kinds
from supaplane_operator.apply import waves
from supaplane_operator.children import OF_CONTROLLERS
from supaplane_operator.projects import PROJECTS

GIVE_UP = 1800.0
AT_ONCE = 50
"""Requests of the plain client at a time: as many as the operator's client sends."""


@contextlib.asynccontextmanager
async def seen(
    kube: KubeClient, kind: Resource, good: Callable[[dict[str, Any]], bool]
) -> AsyncIterator[Callable[[], int]]:
    """How many objects of a kind are good, by a watch: to ask again and again is work as well."""
    reflector = Reflector(kube, kind, keep=good, changed=lambda *_: None)
    task = asyncio.create_task(reflector.run())
    try:
        await reflector.wait_synced()
        yield lambda: sum(reflector.items().values())
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _is_ready(manifest: dict[str, Any]) -> bool:
    wanted = manifest["spec"].get("replicas", 1)
    return bool(manifest.get("status", {}).get("readyReplicas", 0) >= wanted)


async def objects_of(kube: KubeClient) -> dict[str, list[dict[str, Any]]]:
    """By project namespace, everything that the operator made there, as one would post it."""
    selector = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in kinds.BY_KIND.values():
        if not kind.namespaced or kind in (kinds.EVENTS, kinds.HTTP_ROUTES, kinds.PODS, PROJECTS):
            continue
        for item in (await kube.list(kind, label_selector=selector)).items:
            namespace = item["metadata"]["namespace"]
            if namespace.startswith("supabase-"):
                found.setdefault(namespace, []).append(_plain(item))
    return found


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    meta = item["metadata"]
    kept = {k: meta[k] for k in ("name", "namespace", "labels") if k in meta}
    notes = (meta.get("annotations") or {}).items()
    kept["annotations"] = {k: v for k, v in notes if not k.startswith(OF_CONTROLLERS)}
    spec = {k: v for k, v in item.get("spec", {}).items() if k not in ("clusterIP", "clusterIPs")}
    spec.pop("volumeName", None)
    if item["kind"] == "Job":  # the server chooses both
        spec.pop("selector", None)
        labels = spec["template"]["metadata"]["labels"]
        spec["template"]["metadata"]["labels"] = {
            k: v for k, v in labels.items() if not k.endswith(("controller-uid", "job-name"))
        }
    rest = {k: v for k, v in item.items() if k not in ("metadata", "status", "spec")}
    return rest | {"metadata": kept} | ({"spec": spec} if "spec" in item else {})


async def post_all(kube: KubeClient, objects: Mapping[str, list[dict[str, Any]]]) -> float:
    """Posts all objects as fast as the server takes them, until every workload is ready."""
    workers = asyncio.Semaphore(AT_ONCE)
    wanted = [body for bodies in objects.values() for body in bodies]

    async def post(body: dict[str, Any]) -> None:
        kind = kinds.resource_of(body)
        async with workers:
            await kube.create(kind, body["metadata"].get("namespace"), body, manager="floor")

    async def project(namespace: str, bodies: list[dict[str, Any]]) -> None:
        meta = {"name": namespace, "labels": {"floor": "true"}}
        await post({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        for wave in waves(bodies):
            await asyncio.gather(*(post(body) for body in wave))

    async with (
        seen(kube, kinds.DEPLOYMENTS, _is_ready) as deployments,
        seen(kube, kinds.STATEFUL_SETS, _is_ready) as sets,
    ):
        began, before = time.monotonic(), deployments() + sets()
        await asyncio.gather(*(project(ns, bodies) for ns, bodies in objects.items()))
        count = sum(body["kind"] in ("Deployment", "StatefulSet") for body in wanted)
        while deployments() + sets() - before < count:
            if time.monotonic() - began > GIVE_UP:
                raise TimeoutError("the plain client's pods do not get ready")
            await asyncio.sleep(0.05)
        return time.monotonic() - began


async def drop_all(kube: KubeClient, namespaces: Iterable[str]) -> float:
    """Deletes the namespaces, until they are gone; the seconds."""
    began = time.monotonic()

    def ours(manifest: dict[str, Any]) -> bool:
        return (manifest["metadata"].get("labels") or {}).get("floor") == "true"

    async with seen(kube, kinds.NAMESPACES, ours) as there:
        await asyncio.gather(*(kube.delete(kinds.NAMESPACES, None, name) for name in namespaces))
        await until_none(there, began, "the namespaces do not go")
    return time.monotonic() - began


async def until_none(there: Callable[[], int], began: float, what: str) -> None:
    """Until nothing is there. `what` to say if that takes too long."""
    while there():
        if time.monotonic() - began > GIVE_UP:
            raise TimeoutError(what)
        await asyncio.sleep(0.05)
