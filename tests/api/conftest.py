"""The API on a real PostgreSQL and an API server in memory, with a clock that tests turn."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from pydantic import SecretStr

from supaplane_api import embedded_postgres
from supaplane_api.app import create_app
from supaplane_api.assembly import assemble
from supaplane_api.auth import repository, service
from supaplane_api.auth.passwords import Passwords
from supaplane_api.auth.service import Client
from supaplane_api.database.migrate import migrate
from supaplane_api.metrics import Metrics
from supaplane_api.projects import sweeper
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_api.services import Outside, Services
from supaplane_api.settings import Environment, MailTls, Settings
from supaplane_contract import names
from supaplane_kube.memory import MemoryKube

from .mailbox import Mailbox

HOME = names.DEFAULT_HOME_NAMESPACE
PASSWORD = "plum kettle orbit 47"
STUDIO = "https://studio.example.org"
HASH = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(PASSWORD)


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


@dataclass
class Clock:
    """Stands still until a test turns it."""

    time: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, **parts: float) -> None:
        self.time += timedelta(**parts)


@dataclass
class Person:
    """Somebody with an account, and a client that sends their token."""

    email: str
    session: dict[str, Any]
    client: httpx.AsyncClient

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)

    async def post(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.client.post(path, json=json, **more)

    async def put(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.client.put(path, json=json, **more)

    async def patch(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.client.patch(path, json=json, **more)


@dataclass
class Bench:
    """A running application and ways to fill it."""

    app: FastAPI
    services: Services
    kube: MemoryKube
    clock: Clock
    database_url: str
    stack: AsyncExitStack
    client: httpx.AsyncClient
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def person(self, email: str | None = None) -> Person:
        """Somebody with an account and a session, made without the cost of hashing."""
        email = email or f"person{next(self._count)}@example.org"
        async with self.services.database.transaction() as connection:
            account = await repository.insert_account(
                connection,
                email=email,
                username=email.partition("@")[0],
                password_hash=HASH,
                now=self.clock.now(),
            )
            assert account is not None
            opened = await service.open_session(
                self.services, connection, account, Client(None, None)
            )
        session = {"access_token": opened.access.token, "refresh_token": opened.refresh_token}
        return await self._with_token(email, session | {"user": {"id": str(account.gotrue_id)}})

    async def newcomer(self, email: str) -> Person:
        """Somebody who signed up and in, as people do."""
        credentials = {"email": email, "password": PASSWORD}
        answer = await self.client.post("/platform/signup", json=credentials)
        assert answer.status_code == 201, answer.text
        return await self.sign_in(email)

    async def sign_in(self, email: str) -> Person:
        """The same person in another session."""
        credentials = {"email": email, "password": PASSWORD}
        answer = await self.client.post("/auth/token?grant_type=password", json=credentials)
        assert answer.status_code == 200, answer.text
        return await self._with_token(email, answer.json())

    async def _with_token(self, email: str, session: dict[str, Any]) -> Person:
        token = {"Authorization": f"Bearer {session['access_token']}"}
        client = await self.stack.enter_async_context(self.new_client(headers=token))
        return Person(email, session, client)

    def new_client(self, **more: Any) -> httpx.AsyncClient:
        return client_of(self.app, **more)

    async def organization(self, owner: Person, name: str = "Acme") -> dict[str, Any]:
        answer = await owner.post("/platform/organizations", {"name": name, "tier": "tier_free"})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def member(self, organization: dict[str, Any], role: str) -> Person:
        """Somebody new in that organization."""
        person = await self.person()
        async with self.services.database.connection() as connection:
            await connection.execute(
                "INSERT INTO organization_membership"
                " (organization_id, account_id, role, created_at)"
                " SELECT %s, id, %s, now() FROM accounts WHERE email = %s",
                (organization["id"], role, person.email),
            )
        return person

    async def project(
        self, owner: Person, organization: dict[str, Any], name: str = "First", **more: Any
    ) -> dict[str, Any]:
        answer = await owner.post(
            "/platform/projects", project_body(organization["slug"], name=name, **more)
        )
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        await self.until(lambda: self.services.snapshot.get(HOME, made["ref"]) is not None)
        return made

    async def sql(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """Runs a statement beside the application; the rows, if it gives any."""
        async with await psycopg.AsyncConnection.connect(
            self.database_url, autocommit=True
        ) as connection:
            cursor = await connection.execute(sql, values)
            return await cursor.fetchall() if cursor.description else []

    async def says(self, name: str, **status: Any) -> None:
        """The operator writes a status, and the snapshot has it."""
        live = self.kube.peek(PROJECTS, HOME, name)
        assert live is not None
        self.kube.put(PROJECTS, live | {"status": status})
        phase = status.get("phase")

        def arrived() -> bool:
            seen = self.services.snapshot.get(HOME, name)
            return seen is not None and (phase is None or seen.phase in (phase, "UNKNOWN"))

        await self.until(arrived)

    async def sweep(self) -> None:
        """One turn of the sweeper, with a snapshot that knows all that is there."""
        await self.caught_up()
        await sweeper.sweep(self.services)

    async def caught_up(self) -> None:
        """Waits until the snapshot holds what the API server holds."""

        def same() -> bool:
            there = {(m["metadata"]["name"], m["metadata"]["uid"]) for m in self.kube.all(PROJECTS)}
            return there == {(s.name, s.uid) for s in self.services.snapshot.all()}

        await self.until(same)

    async def until(self, condition: Callable[[], bool | Awaitable[bool]]) -> None:
        """Waits for something that happens by itself."""
        await _until(condition)


def client_of(app: FastAPI, **more: Any) -> httpx.AsyncClient:
    """A client that calls the application without a socket, as from one address."""
    transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://api.test", **more)


def project_body(slug: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "First",
        "organization_slug": slug,
        "db_pass": "violet-harbor-92-saddle",
        "db_region": "eu-central-1",
        **more,
    }


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


def running(app: FastAPI) -> LifespanManager:
    """The application between its start and its end, however slow the machine is."""
    return LifespanManager(app, startup_timeout=60, shutdown_timeout=60)


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
    return _until


async def _until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def crash() -> type[BaseException]:
    """Ends a request like a lost process: no `except Exception` sees it."""

    class Crash(BaseException):
        pass

    return Crash
