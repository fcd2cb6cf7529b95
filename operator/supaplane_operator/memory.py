"""How does the operator stay small, with many connections and bursts of work?"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import ctypes
import gc
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 10.0
"""After one to two times this long without work its connections are closed too."""
LARGE: Final = 128 * 1024
"""Bytes; where glibc's border is at the start."""
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
TLS_BUFFER: Final = 32 * 1024
"""Twice the longest TLS record (RFC 8446, section 5.1)."""


def small_tls_buffers() -> None:
    """asyncio fills 256 KiB with zeros for each TLS connection: 16 MiB for the sixty of a burst.

    The attribute is not documented (CPython, Lib/asyncio/sslproto.py). Where it is no more, buffers
    are as long as they are.
    """
    if hasattr(asyncio.sslproto.SSLProtocol, "max_size"):
        asyncio.sslproto.SSLProtocol.max_size = TLS_BUFFER


def large_blocks_apart() -> None:
    """What is large is taken from the system and given back to it, block by block, and threads
    share one heap. glibc else moves the border, up to 32 MiB, with each large block that is freed;
    long lists then leave holes in the heap (mallopt(3)).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, LARGE)
        mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
    """Gives what was freed back to the system, where the C library can."""
    gc.collect()
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim:
        malloc_trim(0)


async def give_back(work: Callable[[], object], *, every: float = EVERY_SECONDS) -> None:
    """Trims whenever there was work and then none for a while.

    Runs until cancelled. glibc keeps what was freed for the next burst of work, and a burst here is
    a hundred projects at once; other C libraries have no such function, and nothing happens.
    `work` gives a value that changes with every piece of work. It takes some milliseconds, so it
    waits until there is none.
    """
    seen, done = object(), object()
    while True:
        await asyncio.sleep(every)
        last, seen = seen, work()
        if last == seen != done:
            trim()
            done = seen
