"""May this process write? Asked before every request that changes something."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from .errors import LeaseLost

MARGIN_SECONDS: Final = 2.0
"""No write begins when less than this is left of the Lease: a request takes time to arrive."""


def boot_time() -> float:
    """Seconds that also pass while the machine sleeps; a monotonic clock may stand still then."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Gate:
    """Open for as long as the last renewal of the Lease lasts, less a margin."""

    def __init__(self, *, clock: Callable[[], float] = boot_time) -> None:
        self._clock = clock
        self._until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether a write may begin."""
        return self._until is not None and self._clock() < self._until - MARGIN_SECONDS

    def open_until(self, moment: float) -> None:
        """The Lease holds until then, by this gate's clock."""
        self._until = moment

    def close(self) -> None:
        """The Lease is lost or given back."""
        self._until = None

    def demand(self) -> None:
        """Raises LeaseLost unless a write may begin."""
        if not self.is_open:
            raise LeaseLost("no Lease that lasts: another replica may be writing")


def always_open() -> None:
    """The gate of an operator that runs alone."""
