"""How is memory that was needed for a while given back to the system?

The allocator of glibc keeps what was freed for the next burst of work, and a burst here is a hundred
projects at once. Other C libraries have no such function, and there nothing happens.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 30.0


async def give_back(work: Callable[[], object], *, every: float = EVERY_SECONDS) -> None:
    """Gives back what is free whenever there was work and then none for a while; until cancelled.

    `work` gives a value that changes with every piece of work. It takes some milliseconds, so it
    waits until there is none.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    seen, done = object(), object()
    while trim:
        await asyncio.sleep(every)
        last, seen = seen, work()
        if last == seen != done:
            gc.collect()
            trim(0)
            done = seen
