"""Which key is worked on next? A queue that never gives one key to two workers.

A key that is added while it waits is not added twice; one that is added while it is worked on comes
back once when that ends. A failure comes back after a pause that doubles from 50 ms to 60 s, with
jitter. Every queue is bounded by the number of different keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

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
        self._waiting: OrderedDict[K, float] = OrderedDict()
        self._working: dict[K, float] = {}
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._later: list[tuple[float, int, K]] = []
        self._due: dict[K, tuple[float, int]] = {}
        self._count = 0
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._again)

    @property
    def working(self) -> int:
        """How many keys are being worked on."""
        return len(self._working)

    @property
    def oldest(self) -> float:
        """Seconds that the longest waiting key has been waiting for."""
        first = next(iter(self._waiting.values()), None)
        return 0.0 if first is None else self._clock() - first

    @property
    def longest_at_work(self) -> float:
        """Seconds that the slowest worker has been at its key."""
        return max((self._clock() - since for since in self._working.values()), default=0.0)

    def add(self, key: K) -> None:
        """The key waits for work, once."""
        self._due.pop(key, None)
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting[key] = self._clock()
            self._news.set()

    def add_after(self, key: K, seconds: float) -> None:
        """The key is added later; of several times the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        at = self._clock() + seconds
        if key in self._waiting or (key in self._due and self._due[key][0] <= at):
            return
        self._count += 1
        self._due[key] = (at, self._count)
        heapq.heappush(self._later, (at, self._count, key))
        self._compact()
        self._news.set()

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
            if self._waiting:
                key, _ = self._waiting.popitem(last=False)
                self._working[key] = self._clock()
                return key
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                # Not wait_for: on Python 3.11 it can swallow that the worker is cancelled.
                async with asyncio.timeout(self._until_next()):
                    await self._news.wait()

    def done(self, key: K) -> None:
        """The work on the key ended."""
        del self._working[key]
        if key in self._again:
            self._again.discard(key)
            self.add(key)

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

    def _until_next(self) -> float | None:
        while self._later and not self._is_due(self._later[0]):
            heapq.heappop(self._later)
        return max(0.0, self._later[0][0] - self._clock()) if self._later else None
