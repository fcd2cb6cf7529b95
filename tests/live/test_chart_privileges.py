"""Who holds the token of an operator's or an API's pod on a real node can do nothing more with it.

The sentences are those of the chart's own tests, told there by a control plane without real pods.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.chart.on_a_cluster import test_refusals as table
from tests.chart.people import Json, Person, hold_refused

from supaplane_contract import names
from supaplane_devcluster import Cluster

from .installed import SYSTEM, Installed
from .platform import HOME

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
NAME = "standing"
"""What the table calls its project."""

globals().update({name: it for name, it in vars(table).items() if name.startswith("test_")})
_others = table._others


class Inside(httpx.HTTPTransport):
    """Connects from within the node."""

    def __init__(self, cluster: Cluster) -> None:
        tls = ssl.create_default_context(cafile=str(cluster.ca_file))
        # no connection outlives its answer, so that none is left to close
        super().__init__(verify=tls, limits=httpx.Limits(max_keepalive_connections=0))
        self.cluster = cluster

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self.cluster.network():
            return super().handle_request(request)


def whoever_has(cluster: Cluster, token: str) -> Iterator[Person]:
    headers = {"Authorization": f"Bearer {token}"}
    transport = Inside(cluster)
    with httpx.Client(base_url=cluster.server, headers=headers, transport=transport) as client:
        yield Person(client)


def of_a_pod(installed: Installed, program: str) -> str:
    """The token that the kubelet gave to a pod of it."""
    target = ("exec", "--namespace", SYSTEM, f"deployment/supaplane-{program}", "--")
    return installed.cluster.kubectl(*target, "cat", TOKEN).stdout


@pytest.fixture(scope="module")
def admin(installed: Installed) -> Iterator[Person]:
    yield from whoever_has(installed.cluster, installed.cluster.token)


@pytest.fixture(scope="module")
def operator(installed: Installed) -> Iterator[Person]:
    yield from whoever_has(installed.cluster, of_a_pod(installed, "operator"))


@pytest.fixture(scope="module")
def api(installed: Installed) -> Iterator[Person]:
    yield from whoever_has(installed.cluster, of_a_pod(installed, "api"))


@pytest.fixture(scope="module")
def project(installed: Installed, admin: Person, small: dict[str, Any]) -> Json:
    """A project that runs; its status."""
    collection = f"/apis/{names.API_VERSION}/namespaces/{HOME}/{names.PLURAL}"
    body = {"apiVersion": names.API_VERSION, "kind": names.KIND}
    assert admin.make(collection, NAME, spec={**small, "size": "dev"}, **body).status_code == 201
    installed.until_phase(NAME, "ACTIVE_HEALTHY")
    return installed.status(NAME)


@pytest.fixture(scope="session")
def refused() -> Callable[[httpx.Response, str], None]:
    return hold_refused
