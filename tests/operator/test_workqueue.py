"""The queue: one key, one worker; nothing is lost, nothing waits for ever."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supaplane_operator.workqueue import LAST_PAUSE, WorkQueue, pause_after


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def queue(clock: Clock | None = None) -> WorkQueue[str]:
    return WorkQueue(clock=clock or Clock(), jitter=lambda: 1.0)


async def test_a_key_added_twice_is_worked_on_once():
    q = queue()
    q.add("a")
    q.add("a")
    assert await q.take() == "a"
    q.done("a")
    assert len(q) == 0


async def test_keys_are_taken_in_the_order_in_which_they_came():
    q = queue()
    for key in "cab":
        q.add(key)
    assert [await q.take() for _ in range(3)] == ["c", "a", "b"]


async def test_urgent_keys_go_first_but_not_for_ever():
    q = queue()
    q.add("x")
    q.add("y")
    for key in "abcde":
        q.add(key, urgent=True)
    assert "".join([await q.take() for _ in range(7)]) == "abcxdey"


async def test_a_waiting_key_can_become_urgent_and_still_waits_once():
    q = queue()
    for key in "xyz":
        q.add(key)
    q.add("z", urgent=True)
    q.add("z")
    assert len(q) == 3
    assert "".join([await q.take() for _ in range(3)]) == "zxy"


async def test_a_key_that_became_urgent_while_it_was_worked_on_comes_back_first():
    q = queue()
    q.add("a")
    await q.take()
    q.add("b")
    q.add("a", urgent=True)
    q.add("a")
    q.done("a")
    assert await q.take() == "a"


async def test_a_key_added_while_it_is_worked_on_comes_back_once():
    q = queue()
    q.add("a")
    await q.take()
    q.add("a")
    q.add("a")
    assert len(q) == 1
    q.done("a")
    assert await q.take() == "a"
    q.done("a")
    assert len(q) == 0


async def test_a_key_that_is_worked_on_is_given_to_nobody_else():
    q = queue()
    q.add("a")
    await q.take()
    q.add("a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(q.take(), 0.02)


async def test_a_delayed_key_comes_when_its_time_has_come():
    clock = Clock()
    q = queue(clock)
    q.add_after("a", 5.0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(q.take(), 0.02)
    clock.now += 5.0
    assert await q.take() == "a"


async def test_of_several_delays_the_earliest_counts():
    clock = Clock()
    q = queue(clock)
    q.add_after("a", 50.0)
    q.add_after("a", 1.0)
    q.add_after("a", 9.0)
    clock.now += 1.0
    assert await q.take() == "a"
    q.done("a")
    clock.now += 100.0
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(q.take(), 0.02)


async def test_an_event_overtakes_a_delay():
    clock = Clock()
    q = queue(clock)
    q.add_after("a", 50.0)
    q.add("a")
    assert await q.take() == "a"
    q.done("a")
    clock.now += 100.0
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(q.take(), 0.02)


async def test_a_waiting_worker_wakes_for_a_new_key():
    q: WorkQueue[str] = WorkQueue()
    taker = asyncio.create_task(q.take())
    await asyncio.sleep(0)
    q.add("a")
    assert await asyncio.wait_for(taker, 1.0) == "a"


async def test_a_waiting_worker_wakes_for_a_delayed_key():
    q: WorkQueue[str] = WorkQueue()
    q.add_after("a", 0.02)
    assert await asyncio.wait_for(q.take(), 1.0) == "a"


async def test_old_delays_do_not_pile_up():
    q = queue()
    for _ in range(10_000):
        q.add_after("a", 600.0)
        q.add("a")
        await q.take()
        q.done("a")
    assert len(q._later) < 200


@given(st.integers(min_value=1, max_value=10_000), st.floats(min_value=0, max_value=1))
def test_the_pause_doubles_from_50_ms_and_never_exceeds_a_minute(failures, jitter):
    pause = pause_after(failures, lambda: jitter)
    full = min(LAST_PAUSE, 0.05 * 2.0 ** min(failures - 1, 20))
    assert full / 2 <= pause <= full


def test_success_makes_the_next_failure_the_first():
    q = queue()
    assert [q.failed("a") for _ in range(3)] == [0.05, 0.1, 0.2]
    q.succeeded("a")
    assert q.failed("a") == 0.05


async def test_what_waits_and_what_is_worked_on_can_be_read():
    clock = Clock()
    q = queue(clock)
    q.add("a")
    clock.now += 3
    assert q.oldest == 3
    await q.take()
    clock.now += 4
    assert (q.working, q.longest_at_work, q.oldest) == (1, 4, 0)


@settings(max_examples=60, deadline=None)
@given(
    adds=st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=60),
    workers=st.integers(min_value=1, max_value=5),
)
def test_whatever_comes_no_key_is_in_two_workers_and_every_key_is_worked_on_after_its_last_add(
    adds, workers
):
    async def play() -> None:
        q: WorkQueue[str] = WorkQueue(jitter=lambda: 0.0)
        inside: Counter[str] = Counter()
        added: dict[str, int] = {}
        begun: dict[str, int] = {}
        moment = 0

        async def work(key: str) -> None:
            nonlocal moment
            inside[key] += 1
            assert inside[key] == 1
            moment += 1
            begun[key] = moment
            await asyncio.sleep(0)
            inside[key] -= 1

        runner = asyncio.create_task(q.run(workers, work))
        for key, give_way in adds:
            moment += 1
            added[key] = moment
            q.add(key)
            if give_way:
                await asyncio.sleep(0)
        for _ in range(500):
            if not len(q) and not q.working:
                break
            await asyncio.sleep(0)
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)
        assert all(begun[key] > at for key, at in added.items())

    asyncio.run(play())
