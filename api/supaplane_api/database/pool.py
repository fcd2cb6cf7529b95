"""How do we reach the management database? A bounded pool whose every wait has an end."""

from __future__ import annotations

import asyncio
import logging
import random
import select
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from supaplane_api.problems import DATABASE, Unavailable

log = logging.getLogger(__name__)
T = TypeVar("T")
Connection = AsyncConnection[tuple[Any, ...]]

WAIT_SECONDS = 5.0
STATEMENT_SECONDS = 10
CONNECT_SECONDS = 5
MOST_WAITING = 500
READS = 4
PAUSE_SECONDS = 0.02


class Database:
    """Connections for single statements (autocommit) and for transactions.

    Trouble with the database is raised as Unavailable; errors about data rise as they are.
    """

    def __init__(self, url: str, *, size: int) -> None:
        self._pool = AsyncConnectionPool(
            url,
            min_size=min(2, size),
            max_size=size,
            max_waiting=MOST_WAITING,
            timeout=WAIT_SECONDS,
            max_lifetime=1800.0,
            max_idle=300.0,
            reconnect_timeout=60.0,
            open=False,
            configure=_configure,
            name="management",
            kwargs={
                "autocommit": True,
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "supaplane-api",
                "options": f"-c statement_timeout={STATEMENT_SECONDS}s"
                " -c idle_in_transaction_session_timeout=30s -c timezone=UTC",
                # A server that vanished without a word is noticed within half a minute.
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 20_000,
            },
        )

    async def open(self) -> None:
        """Starts filling the pool; does not wait for the database."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Ends all connections."""
        await self._pool.close(timeout=5.0)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection on which each statement is committed by itself. Raises Unavailable."""
        try:
            connection = await self._take()
            try:
                async with connection:
                    yield connection
            finally:
                await self._pool.putconn(connection)
        except (PoolTimeout, TooManyRequests) as error:
            raise Unavailable(DATABASE, "all connections are in use or broken") from error
        except psycopg.OperationalError as error:
            log.warning("database: %s", _first_line(error))
            raise Unavailable(DATABASE) from error

    async def _take(self) -> Connection:
        """A connection that its server has not closed: after a restart of it all of them are.

        The pool's own way of checking waits a second between two that are broken.
        """
        while True:
            connection: Connection = await self._pool.getconn()
            if not _ended(connection):
                return connection
            await connection.close()
            await self._pool.putconn(connection)  # which makes another in its place

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: all or nothing. Raises Unavailable."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def read(self, query: Callable[[Connection], Awaitable[T]]) -> T:
        """What a query that changes nothing gives; sent again when its connection breaks."""
        for attempt in range(READS):
            try:
                async with self.connection() as connection:
                    return await query(connection)
            except Unavailable as error:
                if attempt + 1 == READS or not _broke(error.__cause__):
                    raise
            await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5) * 2**attempt)
        raise AssertionError("unreachable")

    def statistics(self) -> dict[str, float]:
        """Numbers about the pool, for the metrics."""
        return {name: float(value) for name, value in self._pool.get_stats().items()}


def _broke(cause: BaseException | None) -> bool:
    """Whether the connection was lost, rather than the statement refused or too slow."""
    lost = (None, "57P01", "57P02")  # none at all, or the server's last words
    return isinstance(cause, psycopg.OperationalError) and cause.sqlstate in lost


def _ended(connection: Connection) -> bool:
    """Whether the server has closed it, found without a round trip.

    Nothing is due on an idle connection: when there is something to read, it is the end.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


async def _configure(connection: Connection) -> None:
    set_json_loads(orjson.loads, connection)
    set_json_dumps(orjson.dumps, connection)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
