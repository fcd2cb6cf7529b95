"""Runs the API: `python -m supaplane_api`. Settings come from the environment."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager

import uvicorn

from supaplane_kube import KubeClient, KubeError, login

from . import embedded_postgres, logs
from . import settings as settings_module
from .app import create_app
from .assembly import assemble
from .database.migrate import MigrationFailed, migrate
from .inside.http import HttpInside, direct, through
from .metrics import Metrics
from .settings import Settings, SettingsWrong

log = logging.getLogger("supaplane_api")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after a stop that was asked for, 1 after a failure, 2 for wrong settings."""
    parser().parse_args(arguments)
    try:
        settings = settings_module.load(os.environ)
    except SettingsWrong as error:
        print(f"supaplane_api cannot start:\n{error}", file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    for warning in settings_module.not_honoured(os.environ):
        log.warning(warning)
    try:
        return run(settings)
    except (KubeError, MigrationFailed, embedded_postgres.EmbeddedPostgresFailed) as error:
        log.error("cannot start: %s", error)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line: there is only help, since everything is set by the environment."""
    lines = [
        f"  {settings_module.variable(name)}\n      {' '.join((field.description or '').split())}"
        for name, field in Settings.model_fields.items()
    ]
    return argparse.ArgumentParser(
        prog="python -m supaplane_api",
        description="Serves the platform's REST API. Set by environment variables:\n\n"
        + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run(settings: Settings) -> int:
    """Serves until SIGINT or SIGTERM."""
    if settings.database_url is not None:
        return _serve(settings, settings.database_url.get_secret_value())
    postgres = embedded_postgres.start(settings.home / "database")
    log.info("embedded PostgreSQL in %s (process %s)", postgres.folder, postgres.pid)
    try:
        return _serve(settings, postgres.url)
    finally:
        postgres.stop()


def _serve(settings: Settings, database_url: str) -> int:
    migrate(database_url)
    import uvloop

    return uvloop.run(serve(settings, database_url))


async def serve(settings: Settings, database_url: str) -> int:
    """Opens what the application needs and serves it."""
    metrics, stirred = Metrics(), asyncio.Event()
    async with AsyncExitStack() as stack:
        found = await login.find(kubeconfig=settings.kubeconfig)
        inside = HttpInside(through(found) if _is_outside(settings) else direct())
        stack.push_async_callback(inside.close)
        kube = await stack.enter_async_context(
            KubeClient(
                found,
                user_agent="supaplane-api",
                observe=lambda verb, resource, status: metrics.kube_requests.labels(
                    verb, resource, str(status)
                ).inc(),
            )
        )
        services = assemble(
            settings,
            database_url=database_url,
            kube=kube,
            metrics=metrics,
            stirred=stirred,
            inside=inside,
        )
        server = _Server(
            uvicorn.Config(
                create_app(services, stirred),
                host=settings.host,
                port=settings.port,
                http="httptools",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=settings.forwarded_allow_ips,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=15,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        await server.serve()
        return 0 if server.started else 1


def _is_outside(settings: Settings) -> bool:
    """Whether this process runs where the names of Services mean nothing."""
    return bool(settings.kubeconfig) or "KUBERNETES_SERVICE_HOST" not in os.environ


class _Server(uvicorn.Server):
    """Ends in good order: uvicorn's own would raise the signal again, before we have cleaned up."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal stops accepting and waits for what runs; a second one does not wait."""
        loop, wanted = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in wanted:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in wanted:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


if __name__ == "__main__":
    sys.exit(main())
