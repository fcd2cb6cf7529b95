"""A real operator process on a real API server, and a look at what it wrote."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.resource import manifest
from supaplane_contract.spec import ProjectSpec
from supaplane_kube import KubeClient, NotFound
from supaplane_kube.login import find
from supaplane_kube.resources import NAMESPACES
from supaplane_operator.projects import PROJECTS

SECONDS = 60.0
WITHOUT = {name: {"enabled": False} for name in ("realtime", "storage", "functions", "pooler")}
"""Six components are left: what most tests ask is answered by them as well as by twelve."""


@dataclass
class OperatorProcess:
    """`python -m supaplane_operator`."""

    kubeconfig: Path
    log: Path
    home: str
    arguments: tuple[str, ...] = ("--no-lease",)
    environ: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    def start(self) -> None:
        """Starts it and waits until its caches are filled."""
        self.launch()
        end = time.monotonic() + SECONDS
        while not self._ready():
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def launch(self) -> None:
        """Starts it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SUPAPLANE_")}
        settings = {
            "KUBECONFIG": str(self.kubeconfig),
            "DOMAIN_BASE": "example.test",
            "SUPAPLANE_HOME_NAMESPACES": self.home,
            "SUPAPLANE_PROBE_HOST": "127.0.0.1",
            "SUPAPLANE_PROBE_PORT": str(self.port),
            "SUPAPLANE_LOG_FORMAT": "text",
            "SUPAPLANE_TEARDOWN_PATIENCE_SECONDS": "30",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "supaplane_operator", *self.arguments],
                env={**kept, **settings, **self.environ},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, as Kubernetes ends a pod; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.process = None
        return code

    def metrics(self) -> str:
        """What it counts."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
        return text

    def count(self, line: str) -> float:
        """One number of the metrics; 0 when it is not there."""
        found = re.search(rf"^{re.escape(line)} (\S+)$", self.metrics(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as a:
                return bool(a.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@dataclass
class Cluster:
    """What the tests do to the cluster, and what they see there."""

    kube: KubeClient
    home: str
    audit_log: Path
    _mark: int = 0

    async def make(
        self, name: str, *, annotations: dict[str, str] | None = None, **spec: Any
    ) -> None:
        """Makes a SupabaseProject, small unless `spec` says more."""
        parsed = ProjectSpec.model_validate({"size": "dev", **WITHOUT, **spec})
        body = manifest(name=name, namespace=self.home, spec=parsed, annotations=annotations)
        await self.kube.create(PROJECTS, self.home, body, manager="tests")

    async def patch(self, name: str, body: dict[str, Any]) -> None:
        """Changes a SupabaseProject."""
        await self.kube.merge_patch(PROJECTS, self.home, name, body, manager="tests")

    async def project(self, name: str) -> dict[str, Any] | None:
        """The SupabaseProject."""
        return await self.kube.get(PROJECTS, self.home, name)

    async def status(self, name: str) -> dict[str, Any]:
        """Its status."""
        return ((await self.project(name)) or {}).get("status") or {}

    async def condition(self, name: str, type_: str) -> dict[str, Any]:
        """A condition; empty when it is not there."""
        found = (await self.status(name)).get("conditions") or []
        return next((c for c in found if c["type"] == type_), {})

    async def until(self, holds: Callable[[], Awaitable[Any]], seconds: float = SECONDS) -> Any:
        """Waits until something holds."""
        end = time.monotonic() + seconds
        while not (result := await holds()):
            assert time.monotonic() < end, f"still not so after {seconds} s"
            await asyncio.sleep(0.05)
        return result

    async def until_phase(self, name: str, phase: str, seconds: float = SECONDS) -> str:
        """Waits for a phase; the namespace of the stack, when there is one."""

        async def there() -> bool:
            return (await self.status(name)).get("phase") == phase

        await self.until(there, seconds)
        return str((await self.status(name)).get("namespace", ""))

    async def until_gone(self, name: str, seconds: float = SECONDS) -> None:
        """Waits until a SupabaseProject is gone."""

        async def gone() -> bool:
            return await self.project(name) is None

        await self.until(gone, seconds)

    async def delete(self, name: str) -> None:
        """Deletes a SupabaseProject as kubectl does, without waiting."""
        await self.kube.delete(PROJECTS, self.home, name)

    async def objects(
        self, namespace: str, *resources: Any
    ) -> dict[tuple[str, str], dict[str, Any]]:
        """Objects of some kinds, by kind and name."""
        found = {}
        for resource in resources:
            for item in (await self.kube.list(resource, namespace)).items:
                found[resource.kind, item["metadata"]["name"]] = item
        return found

    def mark(self) -> None:
        """`writes` counts from here on."""
        self._mark = self.audit_log.stat().st_size

    def writes(self, *, since_mark: bool = True) -> list[dict[str, Any]]:
        """What the operator wrote, Events apart, by the API server's audit log."""
        with self.audit_log.open("rb") as log:
            log.seek(self._mark if since_mark else 0)
            lines = [json.loads(line) for line in log if line.endswith(b"\n")]
        ours = [line for line in lines if line.get("userAgent") == "supaplane-operator"]
        return [line for line in ours if line["objectRef"]["resource"] != "events"]


@pytest.fixture
def home(request: pytest.FixtureRequest) -> str:
    """A home namespace that no other test uses."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"home-{words}"[:60].strip("-")


@pytest.fixture
async def cluster(devcluster: Any, home: str) -> AsyncIterator[Cluster]:
    """The cluster, with the home namespace in it."""
    login = await find(kubeconfig=str(devcluster.kubeconfig))
    async with KubeClient(login, user_agent="tests") as kube:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}}
        await kube.create(NAMESPACES, None, body, manager="tests")
        cluster = Cluster(kube, home, devcluster.audit_log)
        cluster.mark()
        yield cluster
        await _clean(kube, home)


async def _clean(kube: KubeClient, home: str) -> None:
    """So that the next test's simulated nodes have room."""
    for item in (await kube.list(PROJECTS, home)).items:
        meta = item["metadata"]
        if meta.get("finalizers"):
            try:
                patch = {"metadata": {"finalizers": None}}
                await kube.merge_patch(PROJECTS, home, meta["name"], patch, manager="tests")
            except NotFound:
                continue
        await kube.delete(PROJECTS, home, meta["name"])
    owned = (
        await kube.list(NAMESPACES, label_selector=f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}")
    ).items
    for namespace in owned:
        annotations = namespace["metadata"].get("annotations") or {}
        marks = " ".join(str(v) for k, v in annotations.items() if k.startswith(names.GROUP))
        if f"{home}/" in marks:
            await kube.delete(NAMESPACES, None, namespace["metadata"]["name"])


@pytest.fixture
def new_operator(
    devcluster: Any, home: str, tmp_path: Path
) -> Iterator[Callable[..., OperatorProcess]]:
    """Makes operator processes, and ends those that are left."""
    made: list[OperatorProcess] = []

    def make(**options: Any) -> OperatorProcess:
        log = tmp_path / f"operator-{len(made)}.log"
        known: dict[str, Any] = {"kubeconfig": devcluster.kubeconfig, "log": log, "home": home}
        made.append(OperatorProcess(**(known | options)))
        return made[-1]

    yield make
    for process in made:
        process.kill()


@pytest.fixture
def operator(new_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    """A running operator."""
    process = new_operator()
    process.start()
    return process
