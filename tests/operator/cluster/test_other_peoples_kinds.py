"""HTTPRoute and Certificate, as their own definitions have them, on a real API server."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supaplane_devcluster import build, toolchain
from supaplane_kube import resources as kinds
from supaplane_operator.certificates import CERTIFICATES

pytestmark = pytest.mark.cluster

REF = "g" * 19
GATEWAY_API = (
    "sigs.k8s.io/gateway-api@v1.4.0",
    "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
)
CERT_MANAGER = (
    "github.com/cert-manager/cert-manager@v1.19.0",
    "deploy/crds/cert-manager.io_certificates.yaml",
)
Install = Callable[[tuple[str, str]], None]


@pytest.fixture
def install(devcluster: Any) -> Iterator[Install]:
    """Installs a definition out of a Go module, for one test."""
    installed: list[Path] = []

    def install(origin: tuple[str, str]) -> None:
        file = _module(origin[0]) / origin[1]
        devcluster.kubectl("apply", "--server-side", "-f", str(file))
        installed.append(file)
        path, deadline = _served_at(file), time.monotonic() + 30
        while devcluster.kubectl("get", "--raw", path, check=False).returncode:
            assert time.monotonic() < deadline, f"{path} is not served"
            time.sleep(0.1)

    yield install
    for file in installed:
        devcluster.kubectl("delete", "-f", str(file), "--wait=false")


def _module(module: str) -> Path:
    """Where Go keeps a module, fetched if it is not there."""
    go = toolchain.find(build.MODULE, build.cache_folder(), print)
    answer = subprocess.run(
        [str(go.path), "mod", "download", "-json", module],
        cwd="/",
        env=os.environ | {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(json.loads(answer.stdout)["Dir"])


def _served_at(file: Path) -> str:
    group, _, plural = file.stem.rpartition("_")
    return f"/apis/{group}/v1/{plural}"


async def test_an_http_route_is_made_kept_and_removed(cluster, new_operator, install):
    install(GATEWAY_API)
    operator = new_operator(
        environ={
            "SUPAPLANE_INGRESS_KIND": "HTTPRoute",
            "SUPAPLANE_INGRESS_PARENT_REFS": '[{"name": "web", "namespace": "gateways"}]',
            "SUPAPLANE_EXTERNAL_DNS_PREFIX": "external-dns.kubernetes.io/",
        }
    )
    operator.start()
    await cluster.make("shop", ref=REF + "a", customDomains=["www.acme.test"])
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    route = await cluster.kube.get(kinds.HTTP_ROUTES, namespace, "gateway")
    api, studio = f"{REF}a.example.test", f"studio-{REF}a.example.test"
    assert route["spec"]["hostnames"] == [api, studio, "www.acme.test"]
    annotations = route["metadata"]["annotations"]
    assert annotations["external-dns.kubernetes.io/hostname"] == f"{api},{studio}"
    operator.stop()
    operator.start()  # knows nothing, and compares everything with what is there
    cluster.mark()
    passes = 'supaplane_reconcile_total{result="ok"}'

    async def looked() -> bool:
        return operator.count(passes) >= 1

    await cluster.until(looked)
    assert cluster.writes() == []
    await cluster.patch("shop", {"spec": {"ingress": {"kind": "None"}}})

    async def removed() -> bool:
        return await cluster.kube.get(kinds.HTTP_ROUTES, namespace, "gateway") is None

    await cluster.until(removed)


async def test_a_certificate_that_is_not_issued_is_told_of_until_it_is(
    cluster, new_operator, install
):
    install(CERT_MANAGER)
    environ = {"SUPAPLANE_INGRESS_KIND": "Ingress", "SUPAPLANE_TLS_ISSUER": "letsencrypt"}
    operator = new_operator(environ=environ)
    operator.start()
    await cluster.make("shop", ref=REF + "b")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    await _until_told(cluster, "is it installed")
    made = {
        "apiVersion": CERTIFICATES.api_version,
        "kind": CERTIFICATES.kind,
        "metadata": {"name": "gateway-tls", "namespace": namespace},
        "spec": {
            "secretName": "gateway-tls",
            "dnsNames": [f"{REF}b.example.test"],
            "issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer"},
        },
    }
    await cluster.kube.create(CERTIFICATES, namespace, made, manager="cert-manager")
    await _say(cluster, namespace, "False", "order is in state invalid")
    await _until_told(cluster, "order is in state invalid")
    await _say(cluster, namespace, "True", "Certificate is up to date")

    async def ready() -> bool:
        return (await cluster.condition("shop", "Ready"))["status"] == "True"

    await cluster.until(ready)


async def _say(cluster: Any, namespace: str, ready: str, message: str) -> None:
    """As cert-manager tells how a Certificate is."""
    condition = {"type": "Ready", "status": ready, "reason": "Tests", "message": message}
    await cluster.kube.merge_patch(
        CERTIFICATES,
        namespace,
        "gateway-tls",
        {"status": {"conditions": [condition]}},
        manager="cert-manager",
        subresource="status",
    )


async def _until_told(cluster: Any, words: str) -> None:
    async def told() -> bool:
        found = await cluster.condition("shop", "Ready")
        return found.get("reason") == "CertificateNotIssued" and words in found["message"]

    await cluster.until(told)
