"""Which phase follows? The transition table, pure. `assess.py` says the rest of the status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Phase

from .observe import Observed

NOT_REQUIRED: Final = frozenset(
    {
        ComponentName.STUDIO,
        ComponentName.META,
        ComponentName.ANALYTICS,
        ComponentName.IMGPROXY,
    }
)
"""Components without which a project still serves its users."""

FAILED: Final = frozenset({Phase.INIT_FAILED, Phase.PAUSE_FAILED, Phase.RESTORE_FAILED})
CHANGING: Final = frozenset({Phase.UPGRADING, Phase.RESIZING, Phase.RESTARTING})
ACTIVE: Final = frozenset({Phase.ACTIVE_HEALTHY, Phase.ACTIVE_UNHEALTHY})

FAILURE_OF: Final = {
    Phase.COMING_UP: Phase.INIT_FAILED,
    Phase.RESTORING: Phase.RESTORE_FAILED,
    Phase.PAUSING: Phase.PAUSE_FAILED,
}
ATTEMPT_OF: Final = {failure: attempt for attempt, failure in FAILURE_OF.items()}


@dataclass(frozen=True)
class Wish:
    """What a spec asks for, as far as phases go."""

    paused: bool
    changed: bool
    """Whether the spec is another one than the last status was about."""
    change: Phase | None = None
    """UPGRADING, RESIZING or RESTARTING, when that is asked for and has not failed already."""
    starting: frozenset[ComponentName] = frozenset()
    """Components that were never ready yet: they cannot be lost."""


@dataclass(frozen=True)
class Verdict:
    """The next phase. `change_failed`: an upgrade, resize or restart ended without success."""

    phase: Phase
    change_failed: bool = False


def next_phase(previous: Phase | None, wish: Wish, observed: Observed, *, late: bool) -> Verdict:
    """`late`: whether the previous phase has used up its time. GOING_DOWN is not judged here."""
    phase = _begin(previous, wish, hands_off=observed.hands_off)
    overdue = late and phase == previous and not observed.hands_off
    hopeless = observed.problem is not None and not observed.problem.waiting_helps
    return _end(phase, wish, observed, failed=overdue or hopeless)


def _begin(previous: Phase | None, wish: Wish, *, hands_off: bool) -> Phase:
    """The phase that the wish asks for, whatever the cluster says."""
    if hands_off:
        return previous or Phase.COMING_UP
    if previous in FAILED and not wish.changed and _still_wanted(previous, wish):
        return previous
    return _pausing(previous) if wish.paused else _running(previous, wish)


def _still_wanted(failed: Phase, wish: Wish) -> bool:
    return (failed is Phase.PAUSE_FAILED) == wish.paused


def _pausing(previous: Phase | None) -> Phase:
    return Phase.INACTIVE if previous is Phase.INACTIVE else Phase.PAUSING


def _running(previous: Phase | None, wish: Wish) -> Phase:
    if previous is None or previous is Phase.GOING_DOWN:
        return Phase.COMING_UP
    if previous in (Phase.INACTIVE, Phase.PAUSING, Phase.PAUSE_FAILED):
        return Phase.RESTORING
    if previous in FAILED:
        return ATTEMPT_OF[previous]
    if previous in ACTIVE or previous in CHANGING:
        return wish.change or Phase.ACTIVE_HEALTHY
    return previous


def _end(phase: Phase, wish: Wish, observed: Observed, *, failed: bool) -> Verdict:
    """Where that phase ends, if it does in this pass."""
    if phase in (Phase.PAUSING, Phase.PAUSE_FAILED, Phase.INACTIVE):
        return Verdict(_end_of_pause(phase, observed, failed))
    fits = is_as_wished(observed)
    if phase in ACTIVE or (fits and phase is not Phase.GOING_DOWN):
        return Verdict(_active(wish, observed))
    if phase in CHANGING:
        return Verdict(_active(wish, observed), change_failed=True) if failed else Verdict(phase)
    return Verdict(FAILURE_OF.get(phase, phase) if failed else phase)


def _end_of_pause(phase: Phase, observed: Observed, failed: bool) -> Phase:
    if phase is Phase.INACTIVE or is_at_rest(observed):
        return Phase.INACTIVE
    return Phase.PAUSE_FAILED if failed else phase


def _active(wish: Wish, observed: Observed) -> Phase:
    gone = lost(observed, wish.starting)
    return Phase.ACTIVE_UNHEALTHY if gone else Phase.ACTIVE_HEALTHY


def is_as_wished(observed: Observed) -> bool:
    """Whether every enabled component is ready, and nothing more is to come."""
    return (
        observed.complete
        and observed.problem is None
        and bool(observed.components)
        and all(seen.as_wished for seen in observed.components)
    )


def is_at_rest(observed: Observed) -> bool:
    """Whether nothing runs any more, as wished."""
    return (
        observed.complete
        and observed.problem is None
        and bool(observed.components)
        and all(seen.gone and seen.exists for seen in observed.components)
    )


def lost(observed: Observed, starting: frozenset[ComponentName]) -> list[ComponentName]:
    """Required components that do not serve, though they did before."""
    return [
        seen.name
        for seen in observed.components
        if not seen.serves and seen.name not in NOT_REQUIRED | starting
    ]
