"""How does the operator start and end? Reads its settings, puts the parts together, runs kopf."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from supaplane_kube import KubeClient, KubeError
from supaplane_kube.login import SERVICE_ACCOUNT, Login, find

from . import engine as engines
from . import handlers, health, logs, memory
from .errors import LeaseLost, SettingsRefused
from .gate import Gate, always_open
from .lease import Lease
from .metrics import Metrics
from .settings import Settings, from_environment
from .stream_health import StreamHealth

log = logging.getLogger(__name__)

USER_AGENT: Final = "supaplane-operator"
FIRST_PAUSE: Final = 0.2
LAST_PAUSE: Final = 15.0
CONNECTIONS: Final = 50
EXIT_LEASE_LOST: Final = 3


def cli(arguments: Sequence[str] | None = None) -> int:
    """Runs until it is told to end; the exit code."""
    options = parser().parse_args(arguments)
    try:
        settings = _settings(options, os.environ)
    except SettingsRefused as error:
        print(f"supaplane-operator: {error}", file=sys.stderr)
        return 2
    logs.set_up(settings.log_format, settings.log_level, drop=handlers.NotInMainThread())
    memory.small_tls_buffers()
    memory.large_blocks_apart()
    try:
        return asyncio.run(run(settings, options.kubeconfig))
    except KubeError as error:
        log.error("no cluster to work on: %s", error)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line. Everything else is in the environment."""
    parser = argparse.ArgumentParser(
        prog="python -m supaplane_operator",
        description="Turns SupabaseProjects into running Supabase stacks. Settings are read from "
        "the environment (DOMAIN_BASE is needed); the cluster is the one it runs in, or that of "
        "KUBECONFIG.",
    )
    parser.add_argument("--kubeconfig", help="instead of KUBECONFIG and the cluster it runs in")
    parser.add_argument("--log-format", choices=["json", "text"], help="SUPAPLANE_LOG_FORMAT")
    lease = parser.add_mutually_exclusive_group()
    lease.add_argument("--lease", dest="lease", action="store_true", default=None)
    lease.add_argument(
        "--no-lease",
        dest="lease",
        action="store_false",
        help="write without holding a Lease: only where no second replica can run",
    )
    return parser


def _settings(options: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    settings = from_environment(environ)
    inside = "KUBERNETES_SERVICE_HOST" in environ and not options.kubeconfig
    wanted = options.lease if options.lease is not None else settings.lease
    settings = replace(
        settings,
        lease=inside if wanted is None else wanted,
        log_format=options.log_format or settings.log_format,
        identity=settings.identity or f"{socket.gethostname()}-{os.getpid()}",
        operator_namespace=settings.operator_namespace or _own_namespace(),
    )
    if settings.lease and not settings.operator_namespace:
        raise SettingsRefused("a Lease needs SUPAPLANE_OPERATOR_NAMESPACE, or --no-lease")
    if settings.service_account and not settings.operator_namespace:
        raise SettingsRefused("SUPAPLANE_SERVICE_ACCOUNT needs SUPAPLANE_OPERATOR_NAMESPACE")
    if settings.releases_url and not settings.operator_namespace:
        raise SettingsRefused(
            "SERVICE_VERSION_URL needs SUPAPLANE_OPERATOR_NAMESPACE, where releases are kept"
        )
    return settings


def _own_namespace(folder: Path = SERVICE_ACCOUNT) -> str | None:
    try:
        return (folder / "namespace").read_text().strip() or None
    except OSError:
        return None


async def run(settings: Settings, kubeconfig: str | None) -> int:
    """The whole operator on one event loop; ends by SIGTERM, SIGINT or a lost Lease."""
    login = await find(kubeconfig=kubeconfig)
    metrics, gate = Metrics(), Gate()
    demand = gate.demand if settings.lease else always_open
    stop = _stop_on_signals()
    async with (
        KubeClient(
            login,
            user_agent=USER_AGENT,
            connections=CONNECTIONS,
            gate=demand,
            observe=metrics.request,
        ) as kube,
        KubeClient(login, user_agent=f"{USER_AGENT}-lease", timeout_seconds=5.0) as lease_kube,
    ):
        engine = await engines.build(kube, settings, metrics, demand=demand)
        lease = _lease(lease_kube, gate, settings) if settings.lease else None
        stream = StreamHealth()
        runner = await health.serve(
            settings.probe_host,
            settings.probe_port,
            unwell=engine.unwell,
            unready=lambda: (
                stream.trouble(time.monotonic()) if engine.synced else "caches are not filled yet"
            ),
            metrics=metrics.text,
        )
        try:
            return await _until_stopped(engine, lease, login, stream, stop)
        finally:
            if lease:
                await lease.release()
            await runner.cleanup()


def _lease(kube: KubeClient, gate: Gate, settings: Settings) -> Lease:
    namespace = settings.operator_namespace
    assert namespace is not None
    return Lease(kube, gate, namespace=namespace, identity=settings.identity)


async def _until_stopped(
    engine: engines.Engine,
    lease: Lease | None,
    login: Login,
    stream: StreamHealth,
    stop: asyncio.Event,
) -> int:
    code = 0
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(engine.watch(), name="watches"),
                group.create_task(_lead(engine, lease), name="work"),
                group.create_task(_stream(engine, login, stream), name="stream"),
                group.create_task(memory.give_back(lambda: engine.passes), name="memory"),
            ]
            await stop.wait()
            log.info("ends")
            for task in tasks:
                task.cancel()
    except* LeaseLost:
        log.error("ends: the Lease is lost, another replica takes over")
        code = EXIT_LEASE_LOST
    return code


async def _lead(engine: engines.Engine, lease: Lease | None) -> None:
    """Works for as long as this replica leads. Watches are warm on the one that waits."""
    if lease is None:
        await engine.work()
        return
    await lease.acquire()
    async with asyncio.TaskGroup() as group:
        group.create_task(lease.hold(), name="lease")
        group.create_task(engine.work(), name="workers")


async def _stream(engine: engines.Engine, login: Login, state: StreamHealth) -> None:
    """kopf, started again after every error: one inside its watch ends it."""
    pause = FIRST_PAUSE
    while True:
        began = time.monotonic()
        state.begins(began)
        try:
            await handlers.stream(login, engine.noticed, USER_AGENT)
        except Exception as error:
            log.warning("the stream of SupabaseProjects ended: %r", error)
        now = time.monotonic()
        state.ends(now)
        if now - began > LAST_PAUSE:
            pause = FIRST_PAUSE
        engine.metrics.stream_restarts.inc()
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(LAST_PAUSE, pause * 2)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    return stop
