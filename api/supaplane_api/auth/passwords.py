"""How are passwords checked without holding up everybody else, and without telling who exists?

Argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane) takes tens of milliseconds of a core. It
runs in threads, no more than there are cores, behind a queue that is bounded: past that, callers
are told to come back (503). An account that does not exist costs the same.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from supaplane_api.problems import BUSY, Unavailable

T = TypeVar("T")
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
WAITING = 100
"""Passwords that may wait for a thread; at some 25 ms each on two cores, a bit over a second."""
_ESTIMATED = 72
"""Characters that the strength is estimated from; the estimate's cost grows with their square."""
_LOOKALIKES = frozenset("4@8({[<369!1|70$5+%2")
_MOST_LOOKALIKES = 6
"""Different look-alikes of letters (as in p4$$word) that the estimate takes; its cost grows
exponentially with them, beyond a dozen for minutes."""


@dataclass(frozen=True)
class Strength:
    """How hard a password is to guess: 0 (at once) to 4 (very), and what would help."""

    score: int
    warning: str
    suggestions: tuple[str, ...]


@cache
def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """What the password of an account that does not exist is compared with."""
    return hasher.hash(os.urandom(16).hex())


class Passwords:
    """Hashing and judging, off the event loop."""

    def __init__(self, *, threads: int | None = None, waiting: int = WAITING) -> None:
        self._threads = threads or os.cpu_count() or 1
        self._most = self._threads + waiting
        self._pending = 0
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="passwords")
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._nobody = _hash_of_nobody(self._hasher)

    @property
    def pending(self) -> int:
        """Passwords being checked or waiting."""
        return self._pending

    def close(self) -> None:
        """Waits for what is being hashed; what waits is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash to keep. Raises Unavailable when too many wait."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether the password fits; None for an account that is not there costs the same.

        Raises Unavailable when too many wait.
        """
        fits = await self._run(lambda: self._fits(kept or self._nobody, password))
        return fits and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters and should be made anew."""
        return self._hasher.check_needs_rehash(kept)

    async def strength(self, password: str, hints: tuple[str, ...] = ()) -> Strength:
        """How hard it is to guess for somebody who knows the hints. Raises Unavailable."""
        return await self._run(lambda: estimate(password, hints))

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._pending >= self._most:
            raise Unavailable(BUSY)
        self._pending += 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        # A caller who goes away does not stop the thread, so its place is not free before it is.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[T]) -> None:
        self._pending -= 1
        if not future.cancelled():
            future.exception()  # taken note of, also when nobody waits any more


def estimate(password: str, hints: tuple[str, ...] = ()) -> Strength:
    """The strength by zxcvbn, from the first characters only."""
    if not password:
        return Strength(0, "There is no password", ())
    known = [hint[:_ESTIMATED] for hint in hints if hint]
    found = zxcvbn(_estimable(password[:_ESTIMATED]), user_inputs=known)
    feedback = found["feedback"]
    return Strength(
        int(found["score"]), str(feedback["warning"] or ""), tuple(feedback["suggestions"])
    )


def _estimable(password: str) -> str:
    """The password with its seventh and later different look-alikes masked.

    Who uses so many does not write a word with them, so that the estimate loses nothing.
    """
    seen: set[str] = set()
    kept = []
    for character in password:
        if character in _LOOKALIKES and character not in seen:
            if len(seen) == _MOST_LOOKALIKES:
                character = "~"
            else:
                seen.add(character)
        kept.append(character)
    return "".join(kept)
