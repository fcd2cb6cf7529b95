"""How does the operator stay small, with many connections and bursts of work?"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import ctypes
import gc
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 30.0
TLS_BUFFER: Final = 32 * 1024
"""Twice the longest TLS record (RFC 8446, section 5.1)."""


def small_tls_buffers() -> None:
    """asyncio fills 256 KiB with zeros for each TLS connection: 16 MiB for the sixty of a burst.

    The attribute is not documented (CPython, Lib/asyncio/sslproto.py). Where it is no more, buffers
    are as long as they are.
    """
    if hasattr(asyncio.sslproto.SSLProtocol, "max_size"):
        asyncio.sslproto.SSLProtocol.max_size = TLS_BUFFER


async def give_back(work: Callable[[], object], *, every: float = EVERY_SECONDS) -> None:
    """Gives freed memory back to the system whenever there was work and then none for a while.

    Runs until cancelled. glibc keeps what was freed for the next burst of work, and a burst here is
    a hundred projects at once; other C libraries have no such function, and nothing happens.
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
