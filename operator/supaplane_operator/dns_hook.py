"""How does the DNS hook hear of hosts? By calls in the background, sent again until it answers.

No pass waits for it. For as long as a call is answered with trouble that may pass it is sent again,
with growing pauses, until a deadline; then it rests, and a later pass begins anew.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import aiohttp

from . import dns_request
from .dns_answer import Answer, Heard, heard, judged
from .dns_request import Call
from .projects import Key
from .settings import Hook

log = logging.getLogger(__name__)

AT_ONCE: Final = 10
TRY_SECONDS: Final = 10.0
FIRST_PAUSE: Final = 1.0
LAST_PAUSE: Final = 60.0
REST_SECONDS: Final = 300.0
"""How long a hook that did not answer until the deadline, or refused, is left alone."""
MOST_READ: Final = 4096


@dataclass
class _Errand:
    """The calls of one project."""

    calls: dict[int, Call]
    """By revision."""
    began: float
    answers: dict[int, Answer] = field(default_factory=dict)
    """The last to each call; also of an earlier errand, for as long as there is none of this."""
    closed: set[int] = field(default_factory=set)
    """Calls that were acknowledged or refused, so that sending them again is vain."""
    ended: float | None = None
    news: bool = False

    @property
    def open(self) -> list[Call]:
        """Calls to send, or to send again."""
        return [call for revision, call in self.calls.items() if revision not in self.closed]


class DnsHook:
    """Calls the hook for all projects, a bounded number of calls at a time."""

    def __init__(
        self,
        hook: Hook,
        *,
        deadline: float,
        wanted: Callable[[Key], None],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        demand: Callable[[], None],
        count: Callable[[str], None],
    ) -> None:
        """`wanted` is called with the key of a project that an answer came for; `demand` raises
        when this process does not lead; `count` is told how each call went."""
        self._hook = hook
        self._deadline = deadline
        self._wanted = wanted
        self._now = now
        self._monotonic = monotonic
        self._demand = demand
        self._count = count
        self._errands: dict[Key, _Errand] = {}
        self._ready: asyncio.Queue[tuple[Key, _Errand]] = asyncio.Queue()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def tell(self, key: Key, calls: Sequence[Call]) -> None:
        """These are the calls of a project that are to be made, instead of all earlier ones."""
        wanted = {call.revision: call for call in calls}
        errand = self._errands.get(key)
        if not wanted:
            self._errands.pop(key, None)
        elif errand is None or not wanted.keys() <= errand.calls.keys() or self._rested(errand):
            answers = errand.answers if errand else {}
            kept = {n: a for n, a in answers.items() if n in wanted}
            errand = _Errand(wanted, self._monotonic(), kept, set(heard(kept)))
            self._errands[key] = errand
            self._ready.put_nowait((key, errand))
        else:
            errand.calls = wanted

    def answers(self, key: Key) -> Mapping[int, Answer]:
        """What the hook answered so far to the calls of a project, by revision."""
        errand = self._errands.get(key)
        if errand is None:
            return {}
        errand.news = False
        return dict(errand.answers)

    def has_news(self, key: Key) -> bool:
        """Whether answers came that nobody looked at."""
        errand = self._errands.get(key)
        return errand is not None and errand.news

    def forget(self, key: Key) -> None:
        """No more calls for a project."""
        self._errands.pop(key, None)

    async def run(self) -> None:
        """Makes the calls, until cancelled. Raises LeaseLost."""
        timeout = aiohttp.ClientTimeout(total=TRY_SECONDS, sock_connect=TRY_SECONDS / 2)
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
            asyncio.TaskGroup() as group,
        ):
            while True:
                key, errand = await self._ready.get()
                group.create_task(self._run(session, key, errand))

    async def _run(self, session: aiohttp.ClientSession, key: Key, errand: _Errand) -> None:
        pause = FIRST_PAUSE
        while self._errands.get(key) is errand:
            for call in errand.open:
                if self._errands.get(key) is not errand:
                    return
                if call.revision in errand.calls:
                    self._take_in(key, errand, call, await self._call(session, call))
            late = self._monotonic() - errand.began >= self._deadline
            if not errand.open or late:
                errand.ended = self._monotonic()
                return
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(LAST_PAUSE, pause * 2)

    def _take_in(self, key: Key, errand: _Errand, call: Call, answer: Answer) -> None:
        self._count(answer.heard.name.lower())
        if answer.heard is not Heard.FAILED:
            errand.closed.add(call.revision)
        if errand.answers.get(call.revision) == answer:
            return
        if answer.heard is not Heard.YES:
            log.warning("DNS hook, %s of %s: %s", call.entry.event, call.host, answer.told)
        errand.answers[call.revision] = answer
        errand.news = True
        if self._errands.get(key) is errand:
            self._wanted(key)

    async def _call(self, session: aiohttp.ClientSession, call: Call) -> Answer:
        body = call.body
        async with self._slots:
            self._demand()
            headers = dns_request.headers(body, key=self._hook.key, now=self._now().timestamp())
            try:
                async with session.post(
                    self._hook.url, data=body, headers=headers, allow_redirects=False
                ) as response:
                    said = await response.content.read(MOST_READ)
                    log.debug("DNS hook, %s: %d %r", call.host, response.status, said[:200])
                    return judged(response.status)
            except TimeoutError:
                return Answer(Heard.FAILED, f"no answer within {TRY_SECONDS:.0f} s")
            except (aiohttp.ClientError, OSError) as error:
                return Answer(Heard.FAILED, f"no answer ({type(error).__name__})")

    def _rested(self, errand: _Errand) -> bool:
        return errand.ended is not None and self._monotonic() - errand.ended >= REST_SECONDS
