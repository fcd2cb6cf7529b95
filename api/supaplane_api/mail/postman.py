"""Sends what waits in the outbox, one mail at a time, again after a while when it did not leave.

Every replica runs this loop; a mail that one has taken is nobody else's for longer than sending
takes. A process that dies in between leaves a mail that is sent a second time rather than not at
all, with a token of its own.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import psycopg

from supaplane_api.problems import Unavailable
from supaplane_api.services import Services

from . import compose, letters, outbox
from .outbox import Outcome, Waiting
from .post import NotSent, Post

log = logging.getLogger(__name__)
TURN_SECONDS = 5.0
TAKEN = timedelta(minutes=2)
"""Longer than writing and sending a mail can take."""
FIRST_PAUSE = timedelta(seconds=5)
LAST_PAUSE = timedelta(minutes=10)


class Postman:
    """The loop; `services.mail_due` wakes it."""

    def __init__(self, services: Services, post: Post) -> None:
        self._services = services
        self._post = post

    async def run(self) -> None:
        """Turns until cancelled."""
        due, jitter = self._services.mail_due, self._services.outside.jitter
        while True:
            due.clear()
            try:
                while await deliver_one(self._services, self._post):
                    pass
            except (Unavailable, psycopg.Error) as error:
                log.warning("the outbox cannot be read: %s", error)
            try:
                async with asyncio.timeout(TURN_SECONDS * (0.75 + jitter() / 2)):
                    await due.wait()
            except TimeoutError:
                continue


async def deliver_one(services: Services, post: Post) -> bool:
    """Sends the mail that is due for longest; False: none is."""
    now = services.outside.now()
    async with services.database.connection() as connection:
        mail = await outbox.take(connection, now=now, again_at=now + TAKEN)
    if mail is None:
        return False
    outcome: Outcome | None = None
    reason = None
    try:
        outcome = "sent" if await _send(services, post, mail) else "nobody"
    except letters.AddressUnusable as error:
        outcome, reason = "gave up", str(error)
    except NotSent as error:
        reason = str(error)
        outcome = "gave up" if error.for_good else None
    await _note(services, mail, outcome, reason)
    return True


async def _send(services: Services, post: Post, mail: Waiting) -> bool:
    async with services.database.transaction() as connection:
        letter = await compose.compose(services, connection, mail)
    if letter is None:
        return False
    sender = services.settings.smtp_from or ""
    domain = services.settings.domain_base
    unique = services.outside.random_bytes(12).hex()
    message = letters.message(
        letter, sender=sender, recipient=mail.recipient, message_id=f"<{unique}@{domain}>"
    )
    await post.send(message, mail.recipient)
    return True


async def _note(
    services: Services, mail: Waiting, outcome: Outcome | None, reason: str | None
) -> None:
    now = services.outside.now()
    pause = min(LAST_PAUSE, FIRST_PAUSE * 2 ** min(mail.tries, 10))
    again_at = now + pause * (0.5 + services.outside.jitter())
    if outcome is None and again_at >= mail.deadline:
        outcome = "gave up"
    async with services.database.connection() as connection:
        if outcome is None:
            await outbox.put_off(connection, mail.id, again_at=again_at, reason=reason or "")
        else:
            await outbox.finish(connection, mail.id, outcome, now=now, reason=reason)
    services.metrics.mails.labels(mail.kind, outcome or "put off").inc()
    if reason is not None:
        log.warning("mail %s (%s) %s: %s", mail.id, mail.kind, outcome or "is put off", reason)
