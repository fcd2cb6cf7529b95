"""What does the DNS hook's answer to a call mean? Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

PASSES: Final = frozenset({408, 425, 429})
"""Answers besides 5xx after which the same call may be acknowledged later."""


class Heard(Enum):
    """How the hook took a call."""

    YES = auto()
    REFUSED = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Answer:
    """How the hook took a call, and in which words to tell it."""

    heard: Heard
    told: str = ""


def judged(status: int) -> Answer:
    """What an HTTP status says of a call."""
    if 200 <= status < 300:
        return Answer(Heard.YES)
    passes = status >= 500 or status in PASSES
    return Answer(Heard.FAILED if passes else Heard.REFUSED, f"it answered {status}")


def heard(answers: Mapping[int, Answer]) -> Collection[int]:
    """The revisions that were acknowledged."""
    return {revision for revision, answer in answers.items() if answer.heard is Heard.YES}
