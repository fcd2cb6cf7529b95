"""Shows that a long compile moves: a live line on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Iterable
from typing import TextIO

PLAIN_EVERY = 15.0
LIVE_EVERY = 0.2


def text(packages: int, downloads: int, seconds: float) -> str:
    if packages == 0 and downloads:
        return f"  {seconds:4.0f} s  {downloads} modules fetched"
    return f"  {seconds:4.0f} s  {packages} packages compiled"


class Counter:
    """Counts the lines of `go build -v`."""

    def __init__(
        self,
        terminal: TextIO,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terminal = terminal
        self._say = say
        self._clock = clock
        self._started = clock()
        self._packages = 0
        self._downloads = 0

    def follow(self, lines: Iterable[str]) -> list[str]:
        """Read to the end; returns the last lines, which hold the error if there is one."""
        kept: collections.deque[str] = collections.deque(maxlen=20)
        finished = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(finished,), daemon=True)
        ticker.start()
        try:
            for line in lines:
                kept.append(line.rstrip())
                self._count(line)
        finally:
            finished.set()
            ticker.join()
        return list(kept)

    def _count(self, line: str) -> None:
        if line.startswith("go: downloading "):
            self._downloads += 1
        elif not line.startswith(("go: ", "#")):
            self._packages += 1

    def _tick(self, finished: threading.Event) -> None:
        # A thread: the linker prints nothing for half a minute, and the seconds should still move.
        live = self._terminal.isatty()
        while not finished.wait(LIVE_EVERY if live else PLAIN_EVERY):
            line = text(self._packages, self._downloads, self._clock() - self._started)
            if live:
                self._terminal.write(f"\r{line}\x1b[K")
                self._terminal.flush()
            else:
                self._say(line)
        if live:
            self._terminal.write("\r\x1b[K")
            self._terminal.flush()
