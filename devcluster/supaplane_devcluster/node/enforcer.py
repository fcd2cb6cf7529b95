"""Keeps the rules of the node's network as the cluster's NetworkPolicies ask.

python -m supaplane_devcluster.node.enforcer --kubeconfig FILE
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from . import controller, policies
from .api import Api, Object, say

PODS = "/api/v1/pods"
NAMESPACES = "/api/v1/namespaces"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"


class Enforcer:
    """Remembers what is in force, so that a pod's heartbeat changes no rule."""

    def __init__(self) -> None:
        self._in_force = ""

    async def reconcile(self, _: Api, objects: Sequence[list[Object]]) -> None:
        """`objects`: pods, namespaces, policies. All rules change at once, or none does."""
        pods, namespaces, there = objects
        wanted = policies.ruleset(policies.running(pods), namespaces, there)
        if wanted != self._in_force:
            await _load(wanted)
            self._in_force = wanted
            say(f"{len(there)} policies in force")


async def _load(rules: str) -> None:
    """Raises OSError."""
    nft = await asyncio.create_subprocess_exec(
        "nft", "-f", "-", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await nft.communicate(rules.encode())
    if nft.returncode:
        raise OSError(f"nft: {complaint.decode(errors='replace')[:400]}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="supaplane_devcluster.node.enforcer")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    arguments = parser.parse_args()
    paths = (PODS, NAMESPACES, POLICIES)
    asyncio.run(controller.run(arguments.kubeconfig, paths, Enforcer().reconcile))


if __name__ == "__main__":
    main()
