"""Is memory given back when there is no work, and only then?"""

from __future__ import annotations

import contextlib

from supaplane_operator import memory


async def test_memory_is_given_back_once_after_each_burst_of_work(monkeypatch):
    trimmed, ticks, work = [], 0, iter([0, 5, 9, 9, 9, 9, 12, 12, 12])

    async def sleep(_: float) -> None:
        nonlocal ticks
        ticks += 1

    monkeypatch.setattr(memory.asyncio, "sleep", sleep)
    monkeypatch.setattr(memory, "trim", lambda: trimmed.append(ticks))
    with contextlib.suppress(RuntimeError):  # the end of the iterator, inside a coroutine
        await memory.give_back(lambda: next(work))
    assert trimmed == [4, 8]
