"""One replica writes, and never two."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from supaplane_kube import Unreachable
from supaplane_kube.memory import MemoryKube
from supaplane_kube.resources import LEASES
from supaplane_operator.errors import LeaseLost
from supaplane_operator.gate import Gate
from supaplane_operator.lease import NAME, Lease, Times

QUICK = Times(duration=15.0, deadline=10.0, retry=0.005)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Replica:
    def __init__(self, kube: MemoryKube, clock: Clock, name: str) -> None:
        self.gate = Gate(clock=clock)
        self.lease = Lease(
            kube, self.gate, namespace="default", identity=name, times=QUICK, clock=clock
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


def holder(kube: MemoryKube) -> Any:
    return (kube.peek(LEASES, "default", NAME) or {}).get("spec", {}).get("holderIdentity")


async def test_the_first_replica_leads_and_may_write(kube, clock):
    one = Replica(kube, clock, "one")
    with pytest.raises(LeaseLost):
        one.gate.demand()
    await one.lease.acquire()
    one.gate.demand()
    assert holder(kube) == "one"


async def test_the_second_waits(kube, clock):
    one, two = Replica(kube, clock, "one"), Replica(kube, clock, "two")
    await one.lease.acquire()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(two.lease.acquire(), 0.05)
    assert not two.gate.is_open


async def test_the_gate_closes_two_seconds_before_the_lease_ends(kube, clock):
    one = Replica(kube, clock, "one")
    await one.lease.acquire()
    clock.now += 12.9
    assert one.gate.is_open
    clock.now += 0.2
    assert not one.gate.is_open


async def test_a_dead_leader_is_followed_when_its_lease_has_run_out_and_no_sooner(kube, clock):
    one, two = Replica(kube, clock, "one"), Replica(kube, clock, "two")
    await one.lease.acquire()
    waiting = asyncio.create_task(two.lease.acquire())
    await asyncio.sleep(0.03)
    clock.now += 14.9
    await asyncio.sleep(0.03)
    assert not waiting.done()
    assert not one.gate.is_open, "the old leader must have stopped before the new one begins"
    clock.now += 0.2
    await asyncio.wait_for(waiting, 1.0)
    assert holder(kube) == "two"
    assert kube.peek(LEASES, "default", NAME)["spec"]["leaseTransitions"] == 1


async def test_the_clock_of_another_machine_counts_for_nothing(kube, clock):
    two = Replica(kube, clock, "two")
    spec = {
        "holderIdentity": "one",
        "renewTime": "1999-01-01T00:00:00.000000Z",
        "leaseDurationSeconds": 15,
    }
    kube.put(LEASES, {"metadata": {"name": NAME, "namespace": "default"}, "spec": spec})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(two.lease.acquire(), 0.05)


async def test_holding_renews(kube, clock):
    one = Replica(kube, clock, "one")
    await one.lease.acquire()
    task = asyncio.create_task(one.lease.hold())
    for _ in range(5):
        clock.now += 5.0
        await asyncio.sleep(0.03)
        one.gate.demand()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_leader_that_cannot_renew_gives_up_before_its_lease_ends(kube, clock):
    one = Replica(kube, clock, "one")
    await one.lease.acquire()
    kube.fail(Unreachable("no answer"), times=10_000)
    task = asyncio.create_task(one.lease.hold())
    await asyncio.sleep(0.02)
    assert not task.done()
    clock.now += 10.1
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(task, 1.0)
    assert not one.gate.is_open


async def test_a_leader_whose_lease_was_taken_gives_up(kube, clock):
    one = Replica(kube, clock, "one")
    await one.lease.acquire()
    live = kube.peek(LEASES, "default", NAME)
    kube.put(LEASES, live | {"spec": live["spec"] | {"holderIdentity": "two"}})
    task = asyncio.create_task(one.lease.hold())
    await asyncio.sleep(0.02)
    clock.now += 10.1
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(task, 1.0)


async def test_a_lease_that_is_given_back_is_taken_at_once(kube, clock):
    one, two = Replica(kube, clock, "one"), Replica(kube, clock, "two")
    await one.lease.acquire()
    await one.lease.release()
    assert not one.gate.is_open
    await asyncio.wait_for(two.lease.acquire(), 1.0)
    assert holder(kube) == "two"


async def test_what_is_another_replicas_is_not_given_back(kube, clock):
    one, two = Replica(kube, clock, "one"), Replica(kube, clock, "two")
    await one.lease.acquire()
    await two.lease.release()
    assert holder(kube) == "one"


async def test_of_two_that_begin_together_one_leads(kube, clock):
    replicas = [Replica(kube, clock, name) for name in ("one", "two", "three")]
    tasks = [asyncio.create_task(r.lease.acquire()) for r in replicas]
    await asyncio.sleep(0.05)
    assert sum(task.done() for task in tasks) == 1
    assert sum(r.gate.is_open for r in replicas) == 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
