"""A running application as tests see it: people, organizations and projects are a call each."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from argon2 import PasswordHasher
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from supaplane_api.auth import repository, service
from supaplane_api.auth.service import Client
from supaplane_api.projects import sweeper
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_api.services import Services
from supaplane_contract import names
from supaplane_kube.memory import MemoryKube

HOME = names.DEFAULT_HOME_NAMESPACE
PASSWORD = "plum kettle orbit 47"
STUDIO = "https://studio.example.org"
HASH = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(PASSWORD)


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
        await until_held(condition)


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


def running(app: FastAPI) -> LifespanManager:
    """The application between its start and its end, however slow the machine is."""
    return LifespanManager(app, startup_timeout=60, shutdown_timeout=60)


async def until_held(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Waits for something that happens by itself."""
    async with asyncio.timeout(60):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)
