"""What do the pods of a project say that is not ready? Asked seldom, and only while it is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from supaplane_contract import names
from supaplane_kube import Kube
from supaplane_kube.resources import PODS

from .observe import Trouble
from .pods import troubles

FIRST_LOOK: Final = 1.0
"""Seconds that a component may be unready before its pods are asked: most are ready by then."""
SOONEST: Final = 2.0
LATEST: Final = 15.0


@dataclass
class _Look:
    since: float
    at: float
    pause: float
    found: dict[str, Trouble]


class PodTroubles:
    """Lists the pods of a namespace at most every two seconds, later at most every fifteen."""

    def __init__(self, kube: Kube, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._kube = kube
        self._clock = clock
        self._looks: dict[str, _Look] = {}

    async def of(self, namespace: str, ref: str) -> tuple[dict[str, Trouble], float]:
        """The troubles by component, and after how many seconds a look may tell more."""
        now = self._clock()
        look = self._looks.get(namespace)
        if look is None:
            look = self._looks[namespace] = _Look(now, now, FIRST_LOOK, {})
        elif now >= look.at + look.pause:
            selector = f"{names.LABEL_REF}={ref}"
            pods = await self._kube.list(PODS, namespace, label_selector=selector)
            look.found = troubles(pods.items)
            look.at, look.pause = now, min(LATEST, max(SOONEST, (now - look.since) / 4))
        return look.found, look.at + look.pause - now

    def forget(self, namespace: str) -> None:
        """Everything is ready, or gone."""
        self._looks.pop(namespace, None)
