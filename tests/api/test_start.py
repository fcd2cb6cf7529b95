"""A start that is cut off leaves nothing open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from supaplane_api import app
from supaplane_api.app import running
from supaplane_api.assembly import assemble
from supaplane_api.database import Database
from supaplane_api.metrics import Metrics


@pytest.fixture
def services(settings, database_url, kube, outside):
    return assemble(
        settings,
        database_url=database_url,
        kube=kube,
        metrics=Metrics(),
        stirred=asyncio.Event(),
        outside=outside,
    )


@asynccontextmanager
async def nothing_stays() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before
    assert not left, [task.get_name() for task in left]


@pytest.mark.parametrize("turns", range(6))
async def test_a_start_that_is_cancelled_at_any_turn_closes_what_it_opened(services, turns):
    async def start() -> None:
        async with running(services, asyncio.Event()):
            await asyncio.Event().wait()

    async with nothing_stays():
        starting = asyncio.create_task(start())
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting


async def test_a_pool_that_was_cut_off_while_opening_is_closed(services, monkeypatch):
    opened = Database.open

    async def cut_off(database: Database) -> Any:
        await opened(database)
        raise asyncio.CancelledError

    monkeypatch.setattr(Database, "open", cut_off)
    async with nothing_stays():
        with pytest.raises(asyncio.CancelledError):
            async with running(services, asyncio.Event()):
                pass


async def test_work_that_loses_a_cancellation_is_cancelled_again(monkeypatch):
    monkeypatch.setattr(app, "SECONDS_TO_HEED", 0.01)
    lost = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost.set()
        await asyncio.Event().wait()

    async with nothing_stays():
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await app.end(task)
    assert lost.is_set()
    assert task.cancelled()
