"""A namespace on a real API server, and a client that sends as our programs send."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_devcluster import Cluster
from supaplane_kube import KubeClient, Resource
from supaplane_kube.login import find

PROJECTS = Resource(names.GROUP, names.VERSION, names.PLURAL, names.KIND)
NAMESPACE = "contract-tests"
Json = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """SupabaseProjects of one namespace, created, changed and read."""

    client: KubeClient
    namespace: str
    new_name: Callable[[], str]

    async def create(self, spec: Json, name: str = "") -> Json:
        """Makes a project; a name is found if none is given."""
        body = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": name or self.new_name(), "namespace": self.namespace},
            "spec": spec,
        }
        return await self.client.create(PROJECTS, self.namespace, body, manager="tests")

    async def change(self, project: Json, patch: Json, subresource: str = "") -> Json:
        """A merge patch of the project, or of its status."""
        name = project["metadata"]["name"]
        return await self.client.merge_patch(
            PROJECTS, self.namespace, name, patch, manager="tests", subresource=subresource
        )

    async def apply(self, name: str, spec: Json, manager: str) -> Json:
        """Server-side apply without force."""
        body = {"apiVersion": names.API_VERSION, "kind": names.KIND, "spec": spec}
        body["metadata"] = {"name": name, "namespace": self.namespace}
        return await self.client.apply(
            PROJECTS, self.namespace, name, body, manager=manager, force=False
        )

    async def get(self, name: str) -> Json | None:
        """The project, if it is there."""
        return await self.client.get(PROJECTS, self.namespace, name)


@pytest.fixture(scope="session")
def namespace(devcluster: Cluster) -> Iterator[str]:
    devcluster.kubectl("create", "namespace", NAMESPACE)
    yield NAMESPACE
    devcluster.kubectl("delete", "namespace", NAMESPACE)


@pytest.fixture(scope="session")
def new_name() -> Callable[[], str]:
    numbers = itertools.count()
    return lambda: f"project-{next(numbers)}"


@pytest.fixture
async def server(
    devcluster: Cluster, namespace: str, new_name: Callable[[], str]
) -> AsyncIterator[Server]:
    login = await find(kubeconfig=str(devcluster.kubeconfig))
    async with KubeClient(login) as client:
        yield Server(client, namespace, new_name)
