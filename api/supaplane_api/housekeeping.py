"""What must not grow for ever? Ended sessions, used tokens, mail that was sent and accounts
that nobody confirmed are forgotten, a few at a time."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from .auth import one_time_repository, repository
from .mail import outbox
from .problems import Unavailable
from .services import Services

log = logging.getLogger(__name__)
SECONDS = 3600.0
ENDED = timedelta(days=7)
USED = timedelta(days=30)
"""So long the second use of a refresh token gives a thief away; after that it is merely unknown."""
UNCONFIRMED = timedelta(days=7)
"""So long an account waits for its address to be confirmed; then the address is free again."""
AT_ONCE = 5000


class Housekeeping:
    """The loop."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self) -> None:
        """An hourly turn, at another minute in each replica, until cancelled."""
        while True:
            await asyncio.sleep(SECONDS * (0.5 + self._services.outside.jitter()))
            try:
                await tidy(self._services)
            except Unavailable as error:
                log.warning("housekeeping: %s", error)


async def tidy(services: Services) -> int:
    """One turn; how many rows went."""
    now, count = services.outside.now(), 0
    while True:
        async with services.database.connection() as connection:
            gone = [
                await repository.forget_old(
                    connection, ended_before=now - ENDED, used_before=now - USED, most=AT_ONCE
                ),
                await repository.forget_unconfirmed(
                    connection, made_before=now - UNCONFIRMED, most=AT_ONCE
                ),
                await one_time_repository.forget_old(connection, expired_before=now, most=AT_ONCE),
                await outbox.forget_old(connection, done_before=now - ENDED, most=AT_ONCE),
            ]
        count += sum(gone)
        if max(gone) < AT_ONCE:
            return count
