"""The loop that both controllers of the node are: when something changed, make it so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aiohttp

from .api import RETRY_AFTER, Api, Mirror, Object, Refused, say

Reconcile = Callable[[Api, Sequence[list[Object]]], Awaitable[None]]
"""Is given all objects of each watched kind. What it raises of the network is tried again."""


async def run(kubeconfig: Path, paths: Sequence[str], reconcile: Reconcile) -> None:
    """Never returns. Several changes at once are one call."""
    changed = asyncio.Event()
    mirrors = [Mirror(path, changed.set) for path in paths]
    async with Api(kubeconfig) as api, asyncio.TaskGroup() as tasks:
        for mirror in mirrors:
            tasks.create_task(mirror.follow(api))
        # A kind that was not read yet is not one of which there are none.
        for mirror in mirrors:
            await mirror.is_complete.wait()
        while True:
            await changed.wait()
            changed.clear()
            try:
                await reconcile(api, [mirror.objects for mirror in mirrors])
            except (Refused, aiohttp.ClientError, TimeoutError, OSError) as error:
                say(f"{error!r}; trying again")
                await asyncio.sleep(RETRY_AFTER)
                changed.set()
