"""Is it enough to look how the pods are? After a whole pass found everything in good order, the
events of children need no more, as long as nobody changed anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .answer import Outcome, answer
from .certificates import expected
from .errors import Problem
from .observe import Observed, see
from .render import Rendered
from .rollout import Turn
from .settled import Whole, addresses
from .subject import Subject
from .world import World

LONGEST_SECONDS: Final = 30.0
"""How long a whole pass counts: after that, even an event of a child leads to another."""


def remember(
    world: World,
    subject: Subject,
    observed: Observed,
    rendered: Rendered,
    *,
    network: Problem | None,
) -> None:
    """Keeps what a whole pass found, if there is nothing left to do about it. `network`: why a host
    is refused, which only a whole pass finds out."""
    good = observed.complete and observed.problem is None and observed.operation is None
    world.memory(subject.key).whole = (
        Whole(
            wish=subject.wish,
            at=world.monotonic(),
            observed=observed,
            components=rendered.components,
            addresses=addresses(world.children.of(subject.namespace)),
            certificates=expected(rendered.manifests),
            network=network,
        )
        if good
        else None
    )


def is_enough(world: World, subject: Subject) -> bool:
    """Whether nothing but the state of pods can have changed since the last whole pass."""
    memory = world.memory(subject.key)
    whole = memory.whole
    return (
        whole is not None
        and subject.key not in world.look_closely
        and world.monotonic() - whole.at < LONGEST_SECONDS
        and whole.wish == subject.wish
        and bool(subject.project.status.phase)
        and world.fleet.turn(subject.key) is Turn.NONE
        and memory.undisturbed(world.children.of(subject.namespace), subject.ref)
        and not _has_dns_news(world, subject, whole)
    )


def _has_dns_news(world: World, subject: Subject, whole: Whole) -> bool:
    """Whether the DNS hook answered, or has to hear of another address."""
    if world.dns is None:
        return False
    where = addresses(world.children.of(subject.namespace))
    return world.dns.has_news(subject.key) or where != whole.addresses


async def glance(world: World, subject: Subject) -> Outcome:
    """Tells how the pods are; reads nothing but, now and then, the pods of what is not ready."""
    whole = world.memory(subject.key).whole
    assert whole is not None
    children = world.children.of(subject.namespace)
    components = see(whole.components, children, {})
    if all(seen.as_wished for seen in components):
        world.pods.forget(subject.namespace)
        missing, look_again = await world.certificates.trouble(
            subject.namespace, whole.certificates
        )
    else:
        missing = world.certificates.known(subject.namespace)
        troubles, look_again = await world.pods.of(subject.namespace, subject.ref, children)
        components = see(whole.components, children, troubles)
    observed = replace(whole.observed, components=components, network=whole.network or missing)
    _, outcome = await answer(world, subject, observed, look_again=look_again)
    return outcome
