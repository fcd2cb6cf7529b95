"""How do we reach the management database? A bounded pool whose every wait has an end."""

from __future__ import annotations

import logging
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
            check=_check,
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
            async with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, TooManyRequests) as error:
            raise Unavailable(DATABASE, "all connections are in use or broken") from error
        except psycopg.OperationalError as error:
            log.warning("database: %s", _first_line(error))
            raise Unavailable(DATABASE) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: all or nothing. Raises Unavailable."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def read(self, query: Callable[[Connection], Awaitable[T]]) -> T:
        """What a query that changes nothing gives; sent again once when the connection breaks."""
        try:
            async with self.connection() as connection:
                return await query(connection)
        except Unavailable as error:
            cause = error.__cause__
            if not isinstance(cause, psycopg.OperationalError) or cause.sqlstate == "57014":
                raise  # nothing free, or the statement took too long
        async with self.connection() as connection:
            return await query(connection)

    def statistics(self) -> dict[str, float]:
        """Numbers about the pool, for the metrics."""
        return {name: float(value) for name, value in self._pool.get_stats().items()}


async def _check(connection: Connection) -> None:
    """Throws out a connection that the server has closed, without a round trip.

    Nothing is due on an idle connection: when there is something to read, it is the end.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)


async def _configure(connection: Connection) -> None:
    set_json_loads(orjson.loads, connection)
    set_json_dumps(orjson.dumps, connection)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
