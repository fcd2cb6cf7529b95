"""Which ports of the loopback address a new cluster may have."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection, Iterable

from .errors import DevclusterError

# Below every system's ephemeral range, so that no outgoing connection takes the port of a
# component that is down for a moment.
RANGE = range(20000, 30000)


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the components do: a port whose last connections are in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(names: Iterable[str], taken: Collection[int], rng: random.Random) -> dict[str, int]:
    """A free port for each name; the random start keeps two commands apart that choose at once."""
    wanted = list(names)
    chosen: dict[str, int] = {}
    start = rng.randrange(len(RANGE))
    for offset in range(len(RANGE)):
        if len(chosen) == len(wanted):
            return chosen
        port = RANGE[(start + offset) % len(RANGE)]
        if port not in taken and is_free(port):
            chosen[wanted[len(chosen)]] = port
    raise DevclusterError(f"fewer than {len(wanted)} ports are free from {RANGE[0]} to {RANGE[-1]}")
