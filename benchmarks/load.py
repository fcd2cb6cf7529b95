"""Requests over connections that are kept open, each as soon as the one before is answered.

A process of its own, bounded in time, on loopback only:
`python load.py PORT PATH CONNECTIONS SECONDS`, with TOKEN in the environment; prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from typing import Any

import uvloop

MOST_SECONDS = 60.0


class _Asker(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, until: float) -> None:
        self.request, self.until = request, until
        self.taken: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.done = asyncio.get_running_loop().create_future()
        self._answer = bytearray()
        self._wanted = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._answer.clear()
        self._wanted = 0
        self._began = time.perf_counter()
        self._transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._wanted:
            head, found, _ = bytes(self._answer).partition(b"\r\n\r\n")
            if not found:
                return
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            self._wanted = len(head) + 4 + int(length)
        if len(self._answer) < self._wanted:
            return
        now = time.perf_counter()
        self.taken.append(now - self._began)
        self.statuses[int(self._answer[9:12])] += 1
        if now < self.until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.done.set_result(None)


async def ask(port: int, request: bytes, connections: int, seconds: float) -> dict[str, float]:
    """Requests per second, and milliseconds that half and 99 of 100 took at most."""
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    until = began + min(seconds, MOST_SECONDS)
    made = [
        (await loop.create_connection(lambda: _Asker(request, until), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(one.done for one in made))
    elapsed = time.perf_counter() - began
    taken = sorted(second for one in made for second in one.taken)
    bad = sum(n for one in made for status, n in one.statuses.items() if status != 200)
    return {
        "requests": len(taken),
        "bad": bad,
        "rate": len(taken) / elapsed,
        "p50": taken[len(taken) // 2] * 1000,
        "p99": taken[len(taken) * 99 // 100] * 1000,
    }


if __name__ == "__main__":
    port, path, connections, seconds = sys.argv[1:]
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {os.environ['TOKEN']}"
    more = os.environ.get("HEADERS", "")
    print(
        json.dumps(
            uvloop.run(
                ask(
                    int(port),
                    f"{head}\r\nAccept: application/json\r\n{more}\r\n".encode(),
                    int(connections),
                    float(seconds),
                )
            )
        )
    )
