"""Which key is worked on next? A queue that never gives one key to two workers.

A key that is added while it waits is not added twice; one that is added while it is worked on comes
back once when that ends. A failure comes back after a pause that doubles from 50 ms to 60 s, with
jitter. Urgent keys, those that a person waits for, go first, but never more than three in a row.
Every queue is bounded by the number of different keys.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

URGENT_IN_A_ROW = 3
FIRST_PAUSE = 0.05
LAST_PAUSE = 60.0


def pause_after(failures: int, jitter: Callable[[], float]) -> float:
    """Seconds before a key that failed that many times in a row is tried again.

    `jitter` gives numbers from 0 to 1; the pause lies between half of its full length and all.
    """
    full = min(LAST_PAUSE, FIRST_PAUSE * 2.0 ** min(max(failures - 1, 0), 30))
    return full * (0.5 + 0.5 * jitter())


class WorkQueue(Generic[K]):
    """Keys that wait for work. To be used on one event loop."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._urgent: OrderedDict[K, float] = OrderedDict()
        self._waiting: OrderedDict[K, float] = OrderedDict()
        self._in_a_row = 0
        self._working: dict[K, float] = {}
        self._again: dict[K, bool] = {}
        self._failures: dict[K, int] = {}
        self._later: list[tuple[float, int, K]] = []
        self._due: dict[K, tuple[float, int]] = {}
        self._count = 0
        self._sleepers: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._urgent) + len(self._waiting) + len(self._again)

    @property
    def working(self) -> int:
        """How many keys are being worked on."""
        return len(self._working)

    def is_working(self, key: K) -> bool:
        """Whether the key is being worked on."""
        return key in self._working

    @property
    def oldest(self) -> float:
        """Seconds that the longest waiting key has been waiting for."""
        firsts = [next(iter(line.values())) for line in (self._urgent, self._waiting) if line]
        return self._clock() - min(firsts) if firsts else 0.0

    @property
    def longest_at_work(self) -> float:
        """Seconds that the slowest worker has been at its key."""
        return max((self._clock() - since for since in self._working.values()), default=0.0)

    def add(self, key: K, *, urgent: bool = False) -> None:
        """The key waits for work, once."""
        self._due.pop(key, None)
        if key in self._working:
            self._again[key] = urgent or self._again.get(key, False)
            return
        if key in self._urgent or (key in self._waiting and not urgent):
            return
        since = self._waiting.pop(key, None)
        line = self._urgent if urgent else self._waiting
        line[key] = self._clock() if since is None else since
        if since is None:
            self._wake_one()

    def add_after(self, key: K, seconds: float) -> None:
        """The key is added later; of several times the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        at = self._clock() + seconds
        if key in self._waiting or key in self._urgent:
            return
        if key in self._due and self._due[key][0] <= at:
            return
        self._count += 1
        self._due[key] = (at, self._count)
        heapq.heappush(self._later, (at, self._count, key))
        self._compact()
        self._set_alarm()

    def failed(self, key: K) -> float:
        """The key failed once more; seconds to wait before it is tried again."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return pause_after(failures, self._jitter)

    def succeeded(self, key: K) -> None:
        """The next failure of the key is its first."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        """How often the key failed in a row."""
        return self._failures.get(key, 0)

    async def take(self) -> K:
        """The next key. Whoever takes it must call `done`."""
        while True:
            self._ripen()
            if self._waiting or self._urgent:
                key = self._next()
                self._working[key] = self._clock()
                return key
            self._set_alarm()
            sleeper = asyncio.get_running_loop().create_future()
            self._sleepers.append(sleeper)
            try:
                await sleeper
            except asyncio.CancelledError:
                if sleeper.done() and not sleeper.cancelled():
                    self._wake_one()  # it was woken for a key that somebody else must take now
                raise

    def done(self, key: K) -> None:
        """The work on the key ended."""
        del self._working[key]
        if key in self._again:
            self.add(key, urgent=self._again.pop(key))

    async def run(self, workers: int, work: Callable[[K], Awaitable[None]]) -> None:
        """Works until cancelled, on that many keys at once. `work` must not raise."""
        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(self._worker(work), name=f"worker-{number}")

    async def _worker(self, work: Callable[[K], Awaitable[None]]) -> None:
        while True:
            key = await self.take()
            try:
                await work(key)
            finally:
                self.done(key)

    def _next(self) -> K:
        urgent = bool(self._urgent) and (self._in_a_row < URGENT_IN_A_ROW or not self._waiting)
        self._in_a_row = self._in_a_row + 1 if urgent else 0
        key, _ = (self._urgent if urgent else self._waiting).popitem(last=False)
        return key

    def _ripen(self) -> None:
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            at, number, key = heapq.heappop(self._later)
            if self._due.get(key) == (at, number):
                self.add(key)

    def _is_due(self, entry: tuple[float, int, K]) -> bool:
        at, number, key = entry
        return self._due.get(key) == (at, number)

    def _compact(self) -> None:
        """Drops times that an earlier one or an event overtook, once those are most."""
        if len(self._later) > 2 * len(self._due) + 64:
            self._later = [entry for entry in self._later if self._is_due(entry)]
            heapq.heapify(self._later)

    def _wake_one(self) -> None:
        while self._sleepers:
            sleeper = self._sleepers.popleft()
            if not sleeper.done():
                sleeper.set_result(None)
                return

    def _set_alarm(self) -> None:
        """Somebody wakes when the next delayed key is due."""
        while self._later and not self._is_due(self._later[0]):
            heapq.heappop(self._later)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._later:
            wait = max(0.0, self._later[0][0] - self._clock())
            self._alarm = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._ripen()
        self._set_alarm()
