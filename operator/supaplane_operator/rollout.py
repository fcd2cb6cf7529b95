"""Whose turn is it to get a new rendering? The fleet queue: few at once, and a stop at the first
project that does not come back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import Enum, auto

from supaplane_contract.status import ConditionType, ProjectStatus, Reason

from .children import WORKLOADS, Child, Name
from .observe import Observed, Rollout
from .phases import is_as_wished
from .plan import Plan
from .projects import Key


class Turn(Enum):
    """How a project stands."""

    NONE = auto()
    WAITING = auto()
    ROLLING = auto()
    FAILED = auto()


class Fleet:
    """Gives turns. Told about each project at each pass, so that a restart costs it nothing.

    No turn is given before `open`: until every project was looked at once, one that was being
    rolled when the last operator ended may not be known yet.
    """

    def __init__(self, concurrency: int, wanted: Callable[[Key], None]) -> None:
        """`wanted` is called with the key of each project whose turn comes."""
        self._concurrency = concurrency
        self._wanted = wanted
        self._turns: OrderedDict[Key, Turn] = OrderedDict()
        self._open = False

    def open(self) -> None:
        """Every project was looked at."""
        if not self._open:
            self._open = True
            self._give()

    def turn(self, key: Key) -> Turn:
        """How a project stands."""
        return self._turns.get(key, Turn.NONE)

    def join(self, key: Key) -> Turn:
        """The project has a new rendering to get; the answer is how it stands now."""
        self._turns.setdefault(key, Turn.WAITING)
        self._give(quietly=key)
        return self._turns[key]

    def resume(self, key: Key, turn: Turn) -> None:
        """The project's status says that an earlier operator gave it this turn."""
        if self.turn(key) in (Turn.NONE, Turn.WAITING):
            self._turns[key] = turn

    def fail(self, key: Key) -> None:
        """The project did not come back: nobody else gets a turn until it does."""
        self._turns[key] = Turn.FAILED

    def leave(self, key: Key) -> None:
        """The project is up to date, or gone."""
        if self._turns.pop(key, None) is not None:
            self._give()

    @property
    def halted(self) -> bool:
        """Whether a project that did not come back stops the rollout."""
        return Turn.FAILED in self._turns.values()

    @property
    def waiting(self) -> int:
        """How many projects wait for their turn."""
        return sum(1 for turn in self._turns.values() if turn is Turn.WAITING)

    def _give(self, quietly: Key | None = None) -> None:
        if not self._open or self.halted:
            return
        rolling = sum(1 for turn in self._turns.values() if turn is Turn.ROLLING)
        for key, turn in list(self._turns.items()):
            if rolling >= self._concurrency:
                return
            if turn is Turn.WAITING:
                self._turns[key] = Turn.ROLLING
                rolling += 1
                if key != quietly:
                    self._wanted(key)


def take_turn(
    fleet: Fleet,
    key: Key,
    held: Plan,
    children: Mapping[Name, Child],
    status: ProjectStatus,
) -> bool:
    """Whether a new rendering may be applied now. `held`: the plan if it may not."""
    _resume(fleet, key, status)
    if not held.stale:
        return False
    if not any(child.pods or child.desired for n, child in children.items() if n[0] in WORKLOADS):
        return True  # nothing runs that could be disturbed
    return fleet.join(key) in (Turn.ROLLING, Turn.FAILED)


def settle_turn(
    fleet: Fleet, key: Key, observed: Observed, status: ProjectStatus, *, stale: bool
) -> Rollout:
    """After a pass: who is up to date gives up its turn; who takes too long ends the rollout.

    How the project stands then. `stale`: whether the pass found a new rendering to apply.
    """
    turn = fleet.turn(key)
    over = not stale if turn is Turn.WAITING else is_as_wished(observed)
    if over:
        fleet.leave(key)
    elif turn is Turn.ROLLING and _took_too_long(status):
        fleet.fail(key)
    turn = fleet.turn(key)
    return Rollout(
        stale=turn is Turn.WAITING, rolling=turn is Turn.ROLLING, failed=turn is Turn.FAILED
    )


def as_told(status: ProjectStatus) -> Rollout:
    """How the project stands by what was last told of it."""
    before = status.condition(ConditionType.UP_TO_DATE)
    reason = before.reason if before and before.status != "True" else None
    return Rollout(
        stale=reason == Reason.NEW_RENDERING,
        rolling=reason == Reason.ROLLING,
        failed=reason == Reason.FAILED,
    )


def _resume(fleet: Fleet, key: Key, status: ProjectStatus) -> None:
    """What an earlier operator began: the status remembers it."""
    told = as_told(status)
    if told.rolling or told.failed:
        fleet.resume(key, Turn.ROLLING if told.rolling else Turn.FAILED)


def _took_too_long(status: ProjectStatus) -> bool:
    stalled = status.condition(ConditionType.STALLED)
    return stalled is not None and stalled.status == "True"
