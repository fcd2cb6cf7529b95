"""How does a pass end? With the status written if it changed, and a time for the next look."""

from __future__ import annotations

from dataclasses import dataclass

from supaplane_contract.status import ProjectStatus, Reason

from .assess import assess, seconds_to_deadline
from .events import event
from .observe import Observed
from .operations import under_way
from .report import difference
from .subject import Subject
from .world import World

NOBODY_CAN_CURE = frozenset({Reason.NAMESPACE_NOT_A_HOME, Reason.REF_TAKEN, Reason.SPEC_INVALID})
"""Problems that end with an event that we hear of, so that trying again in between is vain."""


@dataclass(frozen=True)
class Outcome:
    """What a pass came to."""

    wake_after: float | None = None
    """Seconds after which the project is looked at again even if nothing happens."""
    failed: bool = False
    """Whether it is tried again with a growing pause."""
    gone: bool = False
    """Whether there is nothing to look at any more."""


async def answer(
    world: World, subject: Subject, observed: Observed, *, look_again: float | None = None
) -> tuple[Subject, Outcome]:
    """Judges what was seen and says so; the subject as it is afterwards."""
    deadlines, now = world.settings.deadlines, world.now()
    spec, previous = subject.project.spec, subject.project.status
    status = assess(spec, previous, observed, now=now, deadlines=deadlines)
    problem = observed.problem
    failed = problem is not None and problem.reason not in NOBODY_CAN_CURE
    ended = observed.operation is not None and status.operation is None
    times = [
        look_again,
        0.0 if ended and under_way(spec, status, now) is not None else None,
        None if observed.hands_off else seconds_to_deadline(status, now, deadlines),
    ]
    after, wait = await say(world, subject, status)
    soonest = min((t for t in (*times, wait) if t is not None), default=None)
    return after, Outcome(soonest, failed)


async def say(
    world: World, subject: Subject, status: ProjectStatus
) -> tuple[Subject, float | None]:
    """Writes a status if it differs; else how many seconds to wait, or None when all is said."""
    patch = difference(subject.raw_status, status)
    if patch is None:
        return subject, None
    wait = world.reporter.wait(subject.key, patch)
    if wait > 0:
        return subject, wait
    after = subject.after(await world.reporter.write(subject.project, patch))
    world.news.saw(subject.key, after.manifest["metadata"]["resourceVersion"])
    if "phase" in patch and subject.key[0] in world.settings.home_namespaces:
        world.herald.tell(event(after, status, world.now()))
    if after.same_wish(subject):
        return after, None
    # The event of that change is older than our write and will not count as news.
    world.look_closely.add(subject.key)
    return after, 0.0
