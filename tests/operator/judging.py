"""What the tests of judging have in common: things seen, things said before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from supaplane_contract.spec import ComponentName, DesiredState, ProjectSpec, Size
from supaplane_contract.status import (
    ComponentStatus,
    Phase,
    ProjectStatus,
    Reason,
)
from supaplane_operator.assess import assess
from supaplane_operator.errors import Problem
from supaplane_operator.observe import Observed, Seen
from supaplane_operator.settings import Deadlines
from supaplane_operator.times import stamp

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
DEADLINES = Deadlines()
RUNNING = ProjectSpec()
PAUSED = ProjectSpec(desired_state=DesiredState.PAUSED)
REST_PHASES = (Phase.ACTIVE_HEALTHY, Phase.ACTIVE_UNHEALTHY, Phase.INACTIVE)


def seen(name: ComponentName, *, desired: int = 1, ready: int | None = None, **rest: Any) -> Seen:
    count = desired if ready is None else ready
    return Seen(name, "image", desired, ready=count, pods=rest.pop("pods", desired), **rest)


READY = (seen(ComponentName.DB), seen(ComponentName.REST), seen(ComponentName.STUDIO))
NO_REST = (seen(ComponentName.DB), seen(ComponentName.REST, ready=0), seen(ComponentName.STUDIO))
NO_STUDIO = (seen(ComponentName.DB), seen(ComponentName.REST), seen(ComponentName.STUDIO, ready=0))
ROLLING = (
    seen(ComponentName.DB),
    seen(ComponentName.REST, settled=False),
    seen(ComponentName.STUDIO),
)
STOPPED = tuple(seen(s.name, desired=0) for s in READY)
STOPPING = (*STOPPED[1:], seen(ComponentName.DB, desired=0, ready=1, pods=1))
HOPELESS = Problem(Reason.APPLY_REFUSED, "no such field", waiting_helps=False)
HOPEFUL = Problem(Reason.QUOTA_EXCEEDED, "too much", waiting_helps=True)


def observed(components: Any = READY, *, generation: int = 1, **rest: Any) -> Observed:
    known = {"complete": True, "release": "r1", "ref": "a" * 20, "namespace": "ns"}
    return Observed(generation=generation, components=components, **(known | rest))


def status(
    phase: Phase | None, *, age: float = 1.0, generation: int = 1, **rest: Any
) -> ProjectStatus:
    once = [ComponentStatus(name=s.name.value, phase="Ready") for s in READY]
    known: dict[str, Any] = {
        "phase": phase.value if phase else None,
        "phase_since": stamp(NOW - timedelta(seconds=age)) if phase else None,
        "observed_generation": generation if phase else None,
        "size": "nano" if phase else None,
        "release": "r1" if phase else None,
        "components": once if phase not in (None, Phase.COMING_UP, Phase.INIT_FAILED) else [],
    }
    return ProjectStatus(**(known | rest))


def judged(previous: ProjectStatus, seen_: Observed, spec: ProjectSpec = RUNNING) -> ProjectStatus:
    return assess(spec, previous, seen_, now=NOW, deadlines=DEADLINES)


LATE = 100_000.0
SMALL = ProjectSpec(size=Size.SMALL)
