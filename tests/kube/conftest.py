"""The two implementations of the port: in memory, and a real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from supaplane_kube import Kube, KubeClient
from supaplane_kube.login import find
from supaplane_kube.memory import MemoryKube


@pytest.fixture(
    params=["memory", pytest.param("real", marks=pytest.mark.cluster)],
)
async def kube(request: pytest.FixtureRequest) -> AsyncIterator[Kube]:
    """Each test of the port runs on both."""
    if request.param == "memory":
        yield MemoryKube()
        return
    cluster: Any = request.getfixturevalue("devcluster")
    async with KubeClient(await find(kubeconfig=str(cluster.kubeconfig))) as client:
        yield client


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Names that no other test uses: a real cluster is shared."""
    tail = "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[-30:].strip("-")
    return lambda name: f"{name}-{tail}"
