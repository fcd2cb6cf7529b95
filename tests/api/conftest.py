"""The API on a real PostgreSQL and an API server in memory, with a clock that tests turn."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from supaplane_api import embedded_postgres
from supaplane_api.app import create_app
from supaplane_api.assembly import assemble
from supaplane_api.auth.passwords import Passwords
from supaplane_api.database.migrate import migrate
from supaplane_api.metrics import Metrics
from supaplane_api.services import Outside
from supaplane_api.settings import Environment, MailTls, Settings
from supaplane_kube.memory import MemoryKube

from .bench import HOME, STUDIO, Bench, Clock, Person, client_of, project_body, running, until_held
from .mailbox import Mailbox


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server's database in which nothing is."""
    folder = tmp_path_factory.mktemp("postgres")
    server = embedded_postgres.start(folder, settings=embedded_postgres.FAST)
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """Name of a database with our tables, to make others from."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_of_tests")
    migrate(named(postgres, "template_of_tests"))
    return "template_of_tests"


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """URL of a database of this test's own, without tables."""
    yield from _database(postgres, "template0")


@pytest.fixture
def database_url(postgres: str, template: str) -> Iterator[str]:
    """URL of a database of this test's own, with our tables."""
    yield from _database(postgres, template)


def named(url: str, database: str) -> str:
    """The same server's other database."""
    return url.replace(f"/{embedded_postgres.DATABASE}?", f"/{database}?")


_numbers = itertools.count()


def _database(postgres: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield named(postgres, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(name="project_body")
def _project_body() -> Callable[..., dict[str, Any]]:
    """A body of `POST /platform/projects` that is fine."""
    return project_body


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kube() -> MemoryKube:
    return MemoryKube(namespaces=("default", "kube-system", HOME))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """For tests to change with `model_copy`, by overriding this fixture."""
    return Settings(
        environment=Environment.DEVELOPMENT,
        home=tmp_path,
        jwt_secret=SecretStr(secrets.token_hex(32)),
        encryption_secret=SecretStr(secrets.token_hex(32)),
        domain_base="projects.example.org",
        domain_studio_url=f"{STUDIO}/",
        signups_per_hour=10_000,
    )


@pytest.fixture
def outside(clock: Clock) -> Outside:
    return Outside(now=clock.now)


@pytest.fixture
def make_bench(
    settings: Settings, database_url: str, kube: MemoryKube, clock: Clock, outside: Outside
) -> Callable[..., Awaitable[Bench]]:
    """Makes an application; call it twice for two replicas."""

    async def make(stack: AsyncExitStack, **changes: Any) -> Bench:
        stirred = asyncio.Event()
        services = assemble(
            changes.pop("settings", settings),
            database_url=changes.pop("database_url", database_url),
            kube=kube,
            metrics=Metrics(),
            stirred=stirred,
            outside=changes.pop("outside", outside),
        )
        services = replace(services, **changes) if changes else services
        app = create_app(services, stirred)
        await stack.enter_async_context(running(app))
        client = await stack.enter_async_context(client_of(app))
        bench = Bench(app, services, kube, clock, database_url, stack, client)
        await services.snapshot.wait_synced()
        return bench

    return make


@pytest.fixture
async def bench(make_bench: Callable[..., Awaitable[Bench]]) -> AsyncIterator[Bench]:
    """A running application."""
    async with AsyncExitStack() as stack:
        yield await make_bench(stack)


@pytest.fixture
async def shop(bench: Bench) -> tuple[Person, dict[str, Any], str]:
    """Somebody, their organization, and the ref of a project in it."""
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization)
    return person, organization, made["ref"]


@pytest.fixture
def mailbox_type() -> type[Mailbox]:
    return Mailbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server that takes everything."""
    box = await Mailbox().start()
    yield box
    await box.stop()


@pytest.fixture
def mail_settings(settings: Settings, mailbox: Mailbox) -> Settings:
    """Mail is sent to `mailbox`."""
    return settings.model_copy(
        update={
            "smtp_host": "127.0.0.1",
            "smtp_port": mailbox.port,
            "smtp_tls": MailTls.NONE,
            "smtp_from": "Supaplane <platform@example.org>",
            "mail_links_base": "https://api.example.org",
        }
    )


@pytest.fixture
async def posting(
    make_bench: Callable[..., Awaitable[Bench]], mail_settings: Settings
) -> AsyncIterator[Bench]:
    """A running application that sends mail."""
    async with AsyncExitStack() as stack:
        yield await make_bench(stack, settings=mail_settings)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(threads=1, waiting=2)
    yield made
    made.close()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits for something that happens by itself."""
    return until_held


@pytest.fixture
def crash() -> type[BaseException]:
    """Ends a request like a lost process: no `except Exception` sees it."""

    class Crash(BaseException):
        pass

    return Crash
