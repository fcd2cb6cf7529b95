"""Why is a project not ready? Its pods and Events are asked, seldom, and only while it is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import Forbidden, Kube
from supaplane_kube.port import Manifest
from supaplane_kube.resources import EVENTS, PODS

from .children import Child, Name
from .complaints import complaints, explained_by_events
from .observe import Trouble
from .pods import troubles

FIRST_LOOK: Final = 1.0
"""Seconds that a component may be unready before its pods are asked: most are ready by then."""
EVENTS_AFTER: Final = 3.0
"""Seconds that it may be unready before Events are read: most that they tell of passes."""
SOONEST: Final = 2.0
LATEST: Final = 15.0
LATEST_IN_A_CROWD: Final = 30.0
"""The longest pause, however many others are under way."""


@dataclass
class _Look:
    since: float
    at: float
    pause: float
    found: dict[str, Trouble]


class PodTroubles:
    """Lists the pods of a namespace at most every two seconds, later at most every fifteen."""

    def __init__(
        self,
        kube: Kube,
        *,
        clock: Callable[[], float] = time.monotonic,
        crowding: Callable[[], float] = lambda: 1.0,
    ) -> None:
        """`crowding`: how many times longer the pauses are, because of others."""
        self._kube = kube
        self._clock = clock
        self._crowding = crowding
        self._looks: dict[str, _Look] = {}

    async def of(
        self, namespace: str, ref: str, children: Mapping[Name, Child]
    ) -> tuple[dict[str, Trouble], float]:
        """The troubles by component, and after how many seconds a look may tell more."""
        now = self._clock()
        look = self._looks.get(namespace)
        if look is None:
            look = self._looks[namespace] = _Look(now, now, self._pause(FIRST_LOOK), {})
        elif now >= look.at + look.pause:
            selector = f"{names.LABEL_REF}={ref}"
            pods = (await self._kube.list(PODS, namespace, label_selector=selector)).items
            look.found = troubles(pods)
            if now - look.since >= EVENTS_AFTER and explained_by_events(children, pods):
                said = await self._complaints(namespace, children, pods)
                look.found = said | {c: t for c, t in look.found.items() if _tells_more(t, c, said)}
            usual = min(LATEST, max(SOONEST, (now - look.since) / 4))
            look.at, look.pause = now, self._pause(usual)
        return look.found, look.at + look.pause - now

    def _pause(self, usual: float) -> float:
        return min(LATEST_IN_A_CROWD, usual * self._crowding())

    async def _complaints(
        self, namespace: str, children: Mapping[Name, Child], pods: list[Manifest]
    ) -> dict[str, Trouble]:
        warnings = "type=Warning"
        try:
            listed = await self._kube.list(EVENTS, namespace, field_selector=warnings)
        except Forbidden:  # under a chart that is older than this operator
            return {}
        return complaints(listed.items, children, pods)

    def forget(self, namespace: str) -> None:
        """Everything is ready, or gone."""
        self._looks.pop(namespace, None)


def _tells_more(trouble: Trouble, component: str, said: Mapping[str, Trouble]) -> bool:
    """Whether what a pod says is heard. Of a volume it knows only that it waits for one."""
    return trouble.reason is not Reason.VOLUME_PENDING or component not in said
