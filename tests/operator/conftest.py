"""A stage for the operator: an API server in memory, controllers that make pods, a renderer."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.credentials import to_secret_data
from supaplane_contract.rotation import pending
from supaplane_contract.spec import ComponentName, DesiredState, IngressKind
from supaplane_contract.status import Endpoints, Reason
from supaplane_kube import KubeError
from supaplane_kube import resources as kinds
from supaplane_kube.memory import MemoryKube
from supaplane_operator import engine as engines
from supaplane_operator.metrics import Metrics
from supaplane_operator.projects import PROJECTS
from supaplane_operator.releases import Release
from supaplane_operator.render import (
    PASSWORD_CHECK,
    NotRenderable,
    Platform,
    Rendered,
    RenderedComponent,
    RenderInput,
    public_hosts,
)
from supaplane_operator.settings import Deadlines, Settings

HOME = names.DEFAULT_HOME_NAMESPACE
COMPONENTS = (ComponentName.DB, ComponentName.REST, ComponentName.GATEWAY)
KNOWN_BY = {
    ComponentName.REST: ("jwt-secret", "password-postgres"),
    ComponentName.GATEWAY: ("anon-key",),
}
"""Credentials that a component is started with."""


@dataclass
class SmallRenderer:
    """Renders a database, a service and a gateway. `generation` stands for the operator's code."""

    code: str = "1"
    live: str = ""
    """What running pods take in by themselves."""
    refuse: NotRenderable | None = None
    without: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    """Names of NetworkPolicies."""
    inputs: list[RenderInput] = field(default_factory=list)

    def __call__(self, wish: RenderInput) -> Rendered:
        self.inputs.append(wish)
        if self.refuse:
            raise self.refuse
        manifests = [
            _object(
                wish, "v1", "Secret", names.CREDENTIALS_COPY, data=to_secret_data(wish.credentials)
            )
        ]
        manifests.append(_volume(wish))
        version = "networking.k8s.io/v1"
        manifests += [_object(wish, version, "NetworkPolicy", n) for n in sorted(self.policies)]
        for component in COMPONENTS:
            if component.value not in self.without:
                manifests += _component(wish, component, self.code, self.live)
        if wish.spec.ingress.kind is IngressKind.INGRESS:
            manifests.append(_ingress(wish))
        desired = 0 if wish.spec.desired_state is DesiredState.PAUSED else 1
        checks = _password_checks(wish) if desired else ()
        return Rendered(
            manifests=(*manifests, *checks),
            components=tuple(
                RenderedComponent(
                    c,
                    f"image/{c}:1",
                    (_kind(c), c.value),
                    desired,
                    jobs=tuple(
                        (check["metadata"]["name"], PASSWORD_CHECK)
                        for check in checks
                        if c is ComponentName.DB
                    ),
                )
                for c in COMPONENTS
                if c.value not in self.without
            ),
            endpoints=Endpoints(api=f"https://{wish.spec.host or wish.ref}"),
        )


def _password_checks(wish: RenderInput) -> tuple[dict[str, Any], ...]:
    """The Job that signs in with passwords that wait, if any does."""
    waiting = pending(wish.credentials)
    name = f"db-check-{'-'.join(waiting.values())}"
    spec = {"template": {"spec": {"restartPolicy": "Never"}}}
    return (_object(wish, "batch/v1", "Job", name, "db", spec=spec),) if waiting else ()


def _kind(component: ComponentName) -> str:
    return "StatefulSet" if component is ComponentName.DB else "Deployment"


def _object(
    wish: RenderInput, version: str, kind: str, name: str, component: str = "", **rest: Any
) -> dict[str, Any]:
    labels = {names.LABEL_REF: wish.ref, names.LABEL_MANAGED_BY: names.MANAGED_BY}
    if component:
        labels[names.LABEL_COMPONENT] = component
    meta = {"name": name, "namespace": names.project_namespace(wish.ref), "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **rest}


def _volume(wish: RenderInput) -> dict[str, Any]:
    size = wish.spec.database.storage.size or "1Gi"
    return _object(
        wish,
        "v1",
        "PersistentVolumeClaim",
        "db",
        "db",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    )


def _ingress(wish: RenderInput) -> dict[str, Any]:
    hosts = public_hosts(wish.spec, wish.ref, wish.platform)
    rules = [{"host": host} for host in hosts]
    return _object(
        wish, "networking.k8s.io/v1", "Ingress", "gateway", "gateway", spec={"rules": rules}
    )


def _component(
    wish: RenderInput, component: ComponentName, code: str, live: str
) -> list[dict[str, Any]]:
    name, part = component.value, wish.spec.component(component)
    known = [wish.credentials[key] for key in KNOWN_BY.get(component, ())]
    inputs = f"{wish.release.name} {wish.spec.size} {part.model_dump_json()} {known}"
    annotations = {names.ANNOTATION_INPUTS: inputs, names.ANNOTATION_RENDERING: f"{inputs} {code}"}
    if component in wish.restarts:
        annotations[names.ANNOTATION_RESTARTED] = wish.restarts[component]
    template = {
        "metadata": {"annotations": annotations},
        "spec": {
            "containers": [
                {"name": name, "image": f"image/{name}:1", "env": [{"name": "CODE", "value": code}]}
            ]
        },
    }
    paused = wish.spec.desired_state is DesiredState.PAUSED
    spec = {"replicas": 0 if paused else 1, "template": template}
    workload = _object(wish, "apps/v1", _kind(component), name, name, spec=spec)
    held = {"code": code}
    if live:
        workload["metadata"]["annotations"] = {names.ANNOTATION_LIVE_INPUTS: live}
        held["live"] = live
    return [
        _object(wish, "v1", "Secret", name, name, data=to_secret_data(held)),
        _object(
            wish, "v1", "Service", name, name, spec={"ports": [{"port": 80, "protocol": "TCP"}]}
        ),
        workload,
    ]


RELEASES = {
    name: Release(name, {c: f"image/{c}:1" for c in COMPONENTS}, frozenset(COMPONENTS), "17")
    for name in ("2026.1", "2026.2")
}


@dataclass
class Stage:
    """The operator on an API server in memory."""

    kube: MemoryKube
    settings: Settings
    renderer: SmallRenderer = field(default_factory=SmallRenderer)
    releases: Mapping[str, Release] = field(default_factory=lambda: dict(RELEASES))
    unready: set[str] = field(default_factory=set)
    """Components whose pods never get ready."""
    lazy: set[str] = field(default_factory=set)
    """Components whose controller does nothing at all."""
    engine: engines.Engine = field(init=False)
    later: timedelta = timedelta()
    """How far the operator's wall clock is ahead."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Starts an operator, which knows nothing of an earlier one."""
        counter = count(1)
        self.engine = await engines.build(
            self.kube,
            self.settings,
            Metrics(),
            render=self.renderer,
            releases=self.releases,
            random_bytes=lambda n: next(counter).to_bytes(4, "big").rjust(n, b"r"),
            now=lambda: datetime.now(UTC) + self.later,
            status_window=0.02,
        )
        self._tasks = [
            asyncio.create_task(work)
            for work in (self.engine.watch(), self.engine.work(), self._controllers())
        ]
        await self.until(lambda: self.engine.synced)

    async def stop(self) -> None:
        """Ends it, as kill would."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def restart(self) -> None:
        """Ends it and starts another."""
        await self.stop()
        await self.start()

    async def until(self, holds: Callable[[], Any], *, seconds: float = 60.0) -> Any:
        """Waits until something holds."""
        end = time.monotonic() + seconds
        while not (result := holds()):
            for task in self._tasks:
                if task.done() and not task.cancelled():
                    task.result()
            assert time.monotonic() < end, f"still not so after {seconds} s"
            await asyncio.sleep(0.005)
        return result

    async def quiet(self) -> None:
        """Waits until nothing is left to do."""
        calm = 0
        while calm < 6:
            busy = len(self.engine.queue) or self.engine.queue.working
            soon = [at for at, _ in self.engine.queue._due.values() if at - time.monotonic() < 1.0]
            calm = 0 if busy or soon else calm + 1
            await asyncio.sleep(0.01)

    def make(
        self,
        name: str = "shop",
        *,
        namespace: str = HOME,
        annotations: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> None:
        """Makes a SupabaseProject."""
        meta: dict[str, Any] = {"name": name, "namespace": namespace}
        if annotations:
            meta["annotations"] = dict(annotations)
        self.kube.put(PROJECTS, {"metadata": meta, "spec": spec})

    def change(self, name: str = "shop", *, namespace: str = HOME, **spec: Any) -> None:
        """Changes fields of a spec."""
        live = self.project(name, namespace=namespace)
        live["spec"] = {**live["spec"], **spec}
        self.kube.put(PROJECTS, live)

    def annotate(self, name: str = "shop", **annotations: str | None) -> None:
        """Sets or removes annotations of our group."""
        live = self.project(name)
        old = live["metadata"].get("annotations") or {}
        new = old | {f"{names.GROUP}/{k}": v for k, v in annotations.items()}
        live["metadata"]["annotations"] = {k: v for k, v in new.items() if v is not None}
        self.kube.put(PROJECTS, live)

    async def delete(self, name: str = "shop", *, namespace: str = HOME) -> None:
        """Deletes a SupabaseProject as kubectl does, without waiting."""
        await self.kube.delete(PROJECTS, namespace, name)

    def project(self, name: str = "shop", *, namespace: str = HOME) -> dict[str, Any]:
        """The SupabaseProject."""
        found = self.kube.peek(PROJECTS, namespace, name)
        assert found is not None, f"there is no SupabaseProject {name}"
        return found

    def gone(self, name: str = "shop", *, namespace: str = HOME) -> bool:
        """Whether the SupabaseProject is gone."""
        return self.kube.peek(PROJECTS, namespace, name) is None

    def status(self, name: str = "shop", *, namespace: str = HOME) -> dict[str, Any]:
        """Its status."""
        found: dict[str, Any] = self.project(name, namespace=namespace).get("status") or {}
        return found

    def phase(self, name: str = "shop") -> str | None:
        """Its phase."""
        return self.status(name).get("phase")

    def condition(self, type_: str, name: str = "shop", *, namespace: str = HOME) -> dict[str, Any]:
        """A condition; empty when it is not there."""
        conditions = self.status(name, namespace=namespace).get("conditions") or []
        return next((c for c in conditions if c["type"] == type_), {})

    def namespace(self, name: str = "shop") -> str:
        """Where its stack runs."""
        return str(self.status(name)["namespace"])

    async def active(self, name: str = "shop") -> str:
        """Waits until it is ACTIVE_HEALTHY and at rest; the namespace of its stack."""
        await self.until(lambda: self.phase(name) == "ACTIVE_HEALTHY")
        await self.quiet()
        return self.namespace(name)

    def workload(self, component: str, name: str = "shop") -> dict[str, Any]:
        """The workload of a component."""
        kind = kinds.STATEFUL_SETS if component == "db" else kinds.DEPLOYMENTS
        found = self.kube.peek(kind, self.namespace(name), component)
        assert found is not None, f"there is no workload {component}"
        return found

    def objects(self, namespace: str) -> set[tuple[str, str]]:
        """Kind and name of the objects in a namespace."""
        inside = (kind for kind in kinds.BY_KIND.values() if kind.namespaced)
        return {
            (k.kind, o["metadata"]["name"]) for k in inside for o in self.kube.all(k, namespace)
        }

    @property
    def touched(self) -> set[str]:
        """Kinds of what the operator wrote, Events apart."""
        return {r.resource.kind for r in self.kube.writes} - {"Event"}

    def controllers_look(self) -> None:
        """Lets the controllers see what changed in `unready` or `lazy`."""
        for kind in (kinds.DEPLOYMENTS, kinds.STATEFUL_SETS):
            for live in self.kube.all(kind):
                self._settle(kind, live)

    async def _controllers(self) -> None:
        async with asyncio.TaskGroup() as group:
            for kind in (kinds.DEPLOYMENTS, kinds.STATEFUL_SETS):
                group.create_task(self._controller(kind))

    async def _controller(self, kind: kinds.Resource) -> None:
        while True:
            with contextlib.suppress(KubeError):
                listing = await self.kube.list(kind)
                for live in listing.items:
                    self._settle(kind, live)
                version = listing.resource_version
                async for event in self.kube.watch(kind, resource_version=version):
                    meta = event.object["metadata"]
                    found = self.kube.peek(kind, meta["namespace"], meta["name"])
                    if found:
                        self._settle(kind, found)

    def _settle(self, kind: kinds.Resource, live: dict[str, Any]) -> None:
        name, wanted = live["metadata"]["name"], live["spec"].get("replicas", 1)
        if name in self.lazy:
            return
        live["status"] = {
            "observedGeneration": live["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "readyReplicas": 0 if name in self.unready else wanted,
        }
        self.kube.put(kind, live)


@pytest.fixture
def settings() -> Settings:
    """Short times, so that sequences take no longer than they must."""
    return Settings(
        platform=Platform("example.org"),
        deadlines=Deadlines(),
        resync_seconds=600.0,
        teardown_patience_seconds=5.0,
    )


@pytest.fixture
def kube() -> MemoryKube:
    """An API server with the home namespace."""
    return MemoryKube(namespaces=("default", "kube-system", HOME, "elsewhere"))


@pytest.fixture
async def stage(kube: MemoryKube, settings: Settings) -> AsyncIterator[Stage]:
    """A running operator."""
    stage = Stage(kube, settings)
    await stage.start()
    try:
        yield stage
    finally:
        await stage.stop()


@pytest.fixture
def new_stage(
    kube: MemoryKube, settings: Settings
) -> Callable[..., contextlib.AbstractAsyncContextManager[Stage]]:
    """Makes operators with other settings or another renderer."""

    @contextlib.asynccontextmanager
    async def make(
        *, code: str = "1", lazy: Iterable[str] = (), unready: Iterable[str] = (), **changed: Any
    ) -> AsyncIterator[Stage]:
        stage = Stage(kube, replace(settings, **changed), SmallRenderer(code))
        stage.lazy |= set(lazy)
        stage.unready |= set(unready)
        await stage.start()
        try:
            yield stage
        finally:
            await stage.stop()

    return make


@pytest.fixture
def not_renderable() -> Callable[[Reason, str], NotRenderable]:
    """Makes what a renderer raises."""
    return NotRenderable
