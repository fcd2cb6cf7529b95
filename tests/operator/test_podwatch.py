"""How often are the pods of what is not ready asked?"""

from __future__ import annotations

from supaplane_kube import resources as kinds
from supaplane_kube.memory import MemoryKube
from supaplane_operator.podwatch import PodTroubles


async def lists_in_two_minutes(crowding: float) -> list[float]:
    """When pods were listed, for somebody who asks four times a second."""
    kube, times = MemoryKube(), []
    now = 0.0
    pods = PodTroubles(kube, clock=lambda: now, crowding=lambda: crowding)
    while now < 120.0:
        before = len(kube.requests)
        await pods.of("shop", "a" * 20, {})
        if any(request.resource == kinds.PODS for request in kube.requests[before:]):
            times.append(now)
        now += 0.25
    return times


async def test_the_pods_of_one_project_are_asked_soon_and_then_less_often():
    times = await lists_in_two_minutes(1.0)
    assert times[:3] == [1.0, 3.0, 5.0]
    assert times[-1] - times[-2] == 15.0


async def test_in_a_crowd_pods_are_asked_seldom_but_never_given_up():
    times = await lists_in_two_minutes(10.0)
    assert times == [10.0, 35.0, 65.0, 95.0]
