"""What a person sees while the demo works: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

_MARKS = {"Ready": "●", "Starting": "◐", "Pending": "○", "Unhealthy": "✗", "Stopped": "·"}
_GREEN, _RED, _DIM, _BOLD, _END = "\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"


@dataclass
class Screen:
    """Steps with their times, and one live line that is written over on a terminal."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    started: float = field(default_factory=time.monotonic)
    _step: str = ""
    _step_started: float = 0.0
    _live: str = ""

    @property
    def terminal(self) -> bool:
        """Whether lines can be written over."""
        return self.out.isatty()

    def step(self, text: str) -> None:
        """Begins a step."""
        self._step, self._step_started = text, time.monotonic()
        self.live("")

    def done(self, note: str = "") -> None:
        """Ends the step that was begun."""
        seconds = time.monotonic() - self._step_started
        self._clear()
        tail = f"  {self._paint(_DIM, note)}" if note else ""
        mark = self._paint(_GREEN, "✓")
        self._print(f"{mark} {self._step:<44} {seconds:6.1f} s{tail}")
        self._step = ""

    def live(self, text: str) -> None:
        """What is going on within the step."""
        if text == self._live and not self.terminal:
            return
        self._live = text
        if self.terminal:
            self._clear()
            self.out.write(self._clip(f"  {self._step} {self._paint(_DIM, text)}"))
            self.out.flush()
        elif text:
            self._print(f"  {self._step}: {text}")

    def note(self, text: str = "") -> None:
        """A line that stays."""
        self._clear()
        self._print(text)

    def failure(self, text: str) -> None:
        """Why it did not work, and what to do."""
        self._clear()
        self._print(f"{self._paint(_RED, '✗')} {self._step or 'failed'}\n{text}")

    def heading(self, text: str) -> str:
        """A heading inside a note."""
        return self._paint(_BOLD, text)

    def _print(self, text: str) -> None:
        self.out.write(text + "\n")
        self.out.flush()

    def _clear(self) -> None:
        if self.terminal:
            self.out.write("\r\033[2K")

    def _clip(self, text: str) -> str:
        import shutil

        width = shutil.get_terminal_size().columns
        return text if len(text) < width + 8 else text[: width + 7] + _END

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_END}" if self.terminal and text else text


def progress_line(phase: str, components: Sequence[tuple[str, str]]) -> str:
    """`COMING_UP  ● db  ◐ auth …` out of a phase and (component, component phase) pairs."""
    marks = "  ".join(f"{_MARKS.get(state, '?')} {name}" for name, state in components)
    return f"{phase:<15} {marks}".rstrip()
