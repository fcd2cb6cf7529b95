"""Makes, grows and removes the volumes of a real node: folders on this machine.

python -m supaplane_devcluster.node.provisioner --kubeconfig FILE --folder FOLDER
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
from collections.abc import Awaitable, Sequence
from pathlib import Path

from . import controller, volumes
from .api import MERGE_PATCH, Api, Object, Refused, say
from .volumes import Grow, Make, Remove, Step

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
CLAIMS = "/api/v1/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"


class Provisioner:
    """Volumes below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def reconcile(self, api: Api, objects: Sequence[list[Object]]) -> None:
        """`objects`: classes, claims, volumes. One step that fails does not hold up the others."""
        classes, claims, there = objects
        failed: list[Exception] = []
        for step in volumes.steps(classes, claims, there, self._folder):
            try:
                await self._take(api, step)
            except (Refused, OSError) as error:
                failed.append(error)
        if failed:
            raise failed[0]

    async def _take(self, api: Api, step: Step) -> None:
        """Each can be taken again: what was seen may be older than what was done."""
        match step:
            case Make(volume):
                await self._make(api, volume)
            case Grow():
                await self._grow(api, step)
            case Remove(name, folder):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                await _unless(404, api.request("DELETE", f"{VOLUMES}/{name}"))
                say(f"removed {name}")

    async def _make(self, api: Api, volume: Object) -> None:
        folder = Path(volume["spec"]["local"]["path"])
        # Root's, as the top of a new disk is: fsGroup or an init container opens it.
        await asyncio.to_thread(folder.mkdir, mode=0o755, parents=True, exist_ok=True)
        await _unless(409, api.request("POST", VOLUMES, volume))
        say(f"made {volume['metadata']['name']}")

    async def _grow(self, api: Api, step: Grow) -> None:
        size = {"storage": step.size}
        volume = {"spec": {"capacity": size}}
        await api.request("PATCH", f"{VOLUMES}/{step.volume}", volume, MERGE_PATCH)
        path = f"/api/v1/namespaces/{step.namespace}/persistentvolumeclaims/{step.claim}/status"
        status = {"status": {"capacity": size, "conditions": None}}
        await _unless(404, api.request("PATCH", path, status, MERGE_PATCH))
        say(f"grew {step.volume} to {step.size}")


async def _unless(status: int, request: Awaitable[Object]) -> None:
    """This refusal means that somebody, perhaps we, has done it already."""
    try:
        await request
    except Refused as error:
        if error.status != status:
            raise


def main() -> None:
    parser = argparse.ArgumentParser(prog="supaplane_devcluster.node.provisioner")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    provisioner = Provisioner(arguments.folder)
    paths = (CLASSES, CLAIMS, VOLUMES)
    asyncio.run(controller.run(arguments.kubeconfig, paths, provisioner.reconcile))


if __name__ == "__main__":
    main()
