"""How much memory may the control plane spend to collect its garbage less often?

Go collects when the heap has grown by GOGC percent, 100 unless told otherwise; the collector took a
sixth of the control plane's CPU. GOMEMLIMIT makes it collect more often again where memory is short
(https://go.dev/doc/gc-guide).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

GROWTH_PERCENT = 400
SHARE = 8
"""Each program may have one part in so many of the machine's memory before it holds back."""


def environment(machine: Mapping[str, str], memory_bytes: int) -> dict[str, str]:
    """The machine's environment with what Go reads; what is there already stays as it is."""
    limit = memory_bytes // SHARE // 2**20
    return {"GOGC": str(GROWTH_PERCENT), "GOMEMLIMIT": f"{limit}MiB", **machine}


def memory_of_machine() -> int:
    """Its memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
