"""What keeps all projects going: watches, the queue, its workers, the regular second look.

Knows nothing of kopf: whoever hears of a SupabaseProject calls `noticed`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily

from supaplane_contract.credentials import RandomBytes
from supaplane_contract.status import Phase
from supaplane_kube import Forbidden, Kube, KubeError, Reflector
from supaplane_kube.resources import NAMESPACES

from .answer import Outcome
from .apply import Applier
from .catalogue import Catalogue
from .certificates import Certificates
from .children import Child, Children
from .dns_hook import DnsHook
from .errors import LeaseLost, LookAgain
from .events import Herald
from .gate import always_open
from .logs import about
from .metrics import Metrics, by_label, gauge, tally
from .news import newer
from .orphans import Orphans
from .podwatch import PodTroubles
from .projects import UNDER_WAY, Key, Known, Projects
from .reconcile import reconcile
from .release_feed import ReleaseFeed
from .releases import Release, load_releases
from .render import Rendered, RenderInput, project
from .report import WINDOW_SECONDS, Reporter, crowding
from .rollout import Fleet
from .settings import Settings
from .workqueue import WorkQueue
from .world import World

log = logging.getLogger(__name__)

LONGEST_PASS_SECONDS: Final = 120.0
"""A pass that takes longer is given up and tried again: a worker must not hang."""
SILENCE_SECONDS: Final = 120.0
COALESCE_SECONDS: Final = 0.05
"""How long the events of children are gathered before their project is looked at."""
COALESCE_LEAVING_SECONDS: Final = 0.25
"""The same for a project that goes: nobody waits for that by the blink."""
RELEASES_PAUSE_SECONDS: Final = 2.0
"""Until offered releases are read again when that failed."""
STUCK_SECONDS: Final = 2 * LONGEST_PASS_SECONDS


class Engine:
    """All but kopf, the Lease and the probes' HTTP server."""

    def __init__(self, world: World, queue: WorkQueue[Key], metrics: Metrics) -> None:
        self.world = world
        self.queue = queue
        self.metrics = metrics
        self.orphans = Orphans(world)
        self.feed: ReleaseFeed | None = None
        if world.settings.releases_url is not None:
            self.feed = ReleaseFeed(
                world.settings.releases_url,
                world.catalogue,
                changed=self._look_at_all,
                count=lambda result: metrics.release_fetches.labels(result).inc(),
            )
        self.passes = 0
        """How many passes have ended."""
        self._unseen: set[Key] = set()
        self._heard: dict[Key, str] = {}
        """The newest version of a SupabaseProject that was heard of during a pass over it."""
        metrics.watch(self._gauges)

    @property
    def synced(self) -> bool:
        """Whether every watch has read a complete list."""
        return all(reflector.synced for reflector in self._reflectors())

    def noticed(self, namespace: str, name: str, version: str) -> None:
        """Somebody heard of a SupabaseProject, which may be old news."""
        key = (namespace, name)
        if self.queue.is_working(key):
            # It may be of the pass's own making, and we read its answer after the event.
            self._heard[key] = newer(version, self._heard.get(key))
        elif self.world.news.is_news(key, version):
            self.look(key, urgent=True)

    def look(self, key: Key, *, urgent: bool = False) -> None:
        """A project is to be looked at, closely."""
        self.world.look_closely.add(key)
        self.queue.add(key, urgent=urgent)

    def unwell(self) -> str | None:
        """Why the process should be started anew, if it should. That the API server is away is no
        reason: a new process would not find it either."""
        for reflector in self._reflectors():
            if reflector.synced and reflector.idle > SILENCE_SECONDS:
                return f"watch of {reflector.resource.plural} idle for {reflector.idle:.0f} s"
        if self.queue.longest_at_work > STUCK_SECONDS:
            return f"a worker has been at one project for {self.queue.longest_at_work:.0f} s"
        return None

    async def watch(self) -> None:
        """Keeps the caches filled, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for reflector in self._reflectors():
                group.create_task(reflector.run(), name=f"watch-{reflector.resource.plural}")

    async def work(self) -> None:
        """Works on projects, until cancelled. Begins when the caches are filled."""
        for reflector in self._reflectors():
            await reflector.wait_synced()
        await self._read_releases()
        self._unseen = set(self.world.projects.keys())
        log.info("caches are filled, %d projects", len(self._unseen))
        for key in self._unseen:
            self.look(key)
        if not self._unseen:
            self.world.fleet.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.queue.run(self.world.settings.workers, self._one))
            group.create_task(self.orphans.run())
            group.create_task(self.world.herald.run())
            if self.world.dns is not None:
                group.create_task(self.world.dns.run())
            if self.feed is not None:
                group.create_task(self.feed.run())

    async def _read_releases(self) -> None:
        """Before any project is looked at, for one may run with a release that was offered once."""
        while True:
            try:
                await self.world.catalogue.load()
                return
            except Forbidden as error:
                log.error("goes on without offered releases, upgrade the chart: %s", error)
                return
            except KubeError as error:
                log.warning("offered releases could not be read: %s", error)
                await asyncio.sleep(RELEASES_PAUSE_SECONDS)

    def _look_at_all(self) -> None:
        """Some may wait for a release that was not known."""
        for key in set(self.world.projects.keys()):
            self.look(key)

    async def _one(self, key: Key) -> None:
        started = time.perf_counter()
        with about(key, self._ref(key)):
            result = await self._pass(key)
        heard = self._heard.pop(key, None)
        if heard is not None and self.world.news.is_news(key, heard):
            self.look(key, urgent=True)
        self.passes += 1
        self.metrics.passes.labels(result).inc()
        self.metrics.seconds.observe(time.perf_counter() - started)
        if result in ("ok", "problem"):
            self._looked_at(key)

    async def _pass(self, key: Key) -> str:
        """Never raises but LeaseLost: one project's trouble is not another's."""
        try:
            async with asyncio.timeout(LONGEST_PASS_SECONDS):
                outcome = await reconcile(self.world, key)
        except LookAgain as again:
            log.debug("looks again: %s", again)
            self.queue.add_after(key, max(again.seconds, self.queue.failed(key)))
            return "again"
        except LeaseLost:
            raise
        except (KubeError, TimeoutError) as error:
            pause = self.queue.failed(key)
            log.warning("pass failed, tried again in %.1f s: %s", pause, error)
            self.queue.add_after(key, pause)
            return "error"
        except Exception:
            log.exception("pass failed")
            self.queue.add_after(key, self.queue.failed(key))
            return "error"
        return self._plan_next(key, outcome)

    def _plan_next(self, key: Key, outcome: Outcome) -> str:
        times = [self.world.settings.resync_seconds * random.uniform(0.9, 1.1)]
        if outcome.wake_after is not None:
            times.append(outcome.wake_after)
        if outcome.failed:
            times.append(self.queue.failed(key))
        else:
            self.queue.succeeded(key)
        if not outcome.gone:
            self.queue.add_after(key, min(times))
        return "problem" if outcome.failed else "ok"

    def _ref(self, key: Key) -> str:
        known = self.world.projects.reflector.get(*key)
        return known.ref if known else ""

    def _looked_at(self, key: Key) -> None:
        """Rollouts begin when every project that was there at the start was looked at once."""
        self._unseen.discard(key)
        if not self._unseen:
            self.world.fleet.open()

    def _reflectors(self) -> Iterator[AnyReflector]:
        yield self.world.projects.reflector
        yield from self.world.children.reflectors.values()

    def _gauges(self) -> Iterator[GaugeMetricFamily]:
        queue, world = self.queue, self.world
        yield gauge("supaplane_queue_depth", "Projects that wait for a pass.", len(queue))
        yield gauge("supaplane_queue_working", "Projects that are passed over now.", queue.working)
        yield gauge("supaplane_queue_oldest_seconds", "Age of the first in line.", queue.oldest)
        phases = tally(phase or "none" for phase in world.projects.phases())
        yield by_label("supaplane_projects", "SupabaseProjects by phase.", "phase", phases)
        yield gauge(
            "supaplane_unknown_spec_fields",
            "Fields of specs that this version does not know, and leaves out.",
            world.projects.unknown_fields(),
        )
        ages = ((r.resource.plural, r.silence) for r in self._reflectors())
        yield by_label("supaplane_watch_age_seconds", "Silence of a watch.", "resource", ages)
        lists = ((r.resource.plural, float(r.relists)) for r in self._reflectors())
        yield by_label("supaplane_watch_lists", "Lists read by a watch.", "resource", lists)
        shipped = len(world.catalogue.releases) - world.catalogue.offered
        origins = (("shipped", float(shipped)), ("offered", float(world.catalogue.offered)))
        yield by_label("supaplane_releases", "Releases that are known.", "origin", origins)
        fleet = world.fleet
        yield gauge(
            "supaplane_rollout_waiting", "Projects that wait for a rendering.", fleet.waiting
        )
        yield gauge("supaplane_rollout_halted", "1 while the rollout stands still.", fleet.halted)
        kinds = self.orphans.counts.items()
        yield by_label(
            "supaplane_namespaces_left",
            "Project namespaces without a SupabaseProject: released, or orphaned.",
            "kind",
            ((kind, float(count)) for kind, count in kinds),
        )


AnyReflector = Reflector[Known] | Reflector[Child]


async def build(
    kube: Kube,
    settings: Settings,
    metrics: Metrics,
    *,
    render: Callable[[RenderInput], Rendered] = project,
    releases: Mapping[str, Release] | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Callable[[], float] = time.monotonic,
    demand: Callable[[], None] = always_open,
    status_window: float = WINDOW_SECONDS,
) -> Engine:
    """Puts the parts together. `demand` raises when this process may not act. Asks the cluster who
    it is; KubeError when it does not say."""
    queue: WorkQueue[Key] = WorkQueue(clock=monotonic)
    uid = await cluster_uid(kube)
    engine: Engine

    def wanted(key: Key) -> None:
        engine.look(key)

    def noticed(key: Key, version: str) -> None:
        engine.noticed(*key, version)

    projects = Projects(
        kube,
        cluster_uid=uid,
        platform=settings.platform,
        homes=settings.home_namespaces,
        wanted=wanted,
        noticed=noticed,
    )
    children = Children(kube, _child_changed(projects, queue))
    dns = _dns_hook(settings, metrics, queue, now=now, monotonic=monotonic, demand=demand)
    world = World(
        kube=kube,
        settings=settings,
        cluster_uid=uid,
        children=children,
        projects=projects,
        reporter=Reporter(
            kube, clock=monotonic, window=status_window, crowd=lambda: projects.under_way
        ),
        herald=Herald(kube),
        applier=Applier(kube, children, settings.apply_parallelism),
        pods=PodTroubles(kube, clock=monotonic, crowding=lambda: crowding(projects.under_way)),
        certificates=Certificates(kube, clock=monotonic),
        fleet=Fleet(settings.rollout_concurrency, wanted),
        dns=dns,
        catalogue=Catalogue(
            kube, load_releases() if releases is None else releases, settings.operator_namespace
        ),
        render=render,
        now=now,
        monotonic=monotonic,
        random_bytes=random_bytes,
    )
    engine = Engine(world, queue, metrics)
    return engine


def _child_changed(projects: Projects, queue: WorkQueue[Key]) -> Callable[[str], None]:
    """What is done about a change of an object of a project, which is known by its ref."""

    def child_changed(ref: str) -> None:
        for known in projects.with_ref(ref):
            leaving = known.phase == Phase.GOING_DOWN
            pause = COALESCE_LEAVING_SECONDS if leaving else COALESCE_SECONDS
            if known.phase in UNDER_WAY:  # of others an event may mean drift
                pause *= crowding(projects.under_way)
            queue.add_after(known.key, pause)

    return child_changed


def _dns_hook(
    settings: Settings,
    metrics: Metrics,
    queue: WorkQueue[Key],
    *,
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
    demand: Callable[[], None],
) -> DnsHook | None:
    if settings.dns_hook is None:
        return None
    return DnsHook(
        settings.dns_hook,
        deadline=settings.deadlines.dns_hook,
        wanted=queue.add,
        now=now,
        monotonic=monotonic,
        demand=demand,
        count=lambda heard: metrics.dns_calls.labels(heard).inc(),
    )


async def cluster_uid(kube: Kube) -> str:
    """The uid of kube-system, which no two clusters share and which never changes."""
    namespace = await kube.get(NAMESPACES, None, "kube-system")
    if namespace is None:
        raise KubeError("namespace kube-system is missing: is this a Kubernetes cluster?")
    return str(namespace["metadata"]["uid"])
