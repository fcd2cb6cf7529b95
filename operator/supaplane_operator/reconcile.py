"""What happens in one pass over a project? The only sequence; it reads as the story it is.

Level-triggered: it looks at what is, not at what happened. Killed anywhere it is simply run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube.port import Manifest
from supaplane_kube.resources import NAMESPACES, SECRETS

from . import credentials, dns, finalizer, hurry, rights, user_secrets
from .accept import Accepted, Rivals, accept, demand_home
from .answer import Outcome, answer
from .apply import Applied
from .certificates import expected
from .claim import Claim, Verdict, claim, judge, pinned_release
from .errors import Problem
from .glance import LONGEST_SECONDS, glance, is_enough, remember
from .leftovers import leftovers
from .observe import Observed, Seen, remembered, see
from .operations import FAILED, under_way
from .parallel import in_parallel
from .plan import Plan, name_of, plan
from .projects import PROJECTS, Key
from .render import NotRenderable, Rendered, RenderInput, logs_collected, referenced_secrets
from .restarts import Restarts, restarts
from .rollout import as_told, settle_turn, take_turn
from .rotate import rotate, take_over
from .rotations import Turn
from .subject import Subject
from .teardown import take_down
from .world import World


async def reconcile(world: World, key: Key) -> Outcome:
    """One pass. Raises LookAgain when the cluster changed under it, KubeError when it fails."""
    manifest = await world.kube.get(PROJECTS, *key)
    if manifest is None:
        world.forget(key)
        return Outcome(gone=True)
    world.news.saw(key, manifest["metadata"]["resourceVersion"])
    subject = Subject(manifest, world.cluster_uid)
    if subject.project.deletion_timestamp:
        return await take_down(world, subject)
    if is_enough(world, subject):
        return await glance(world, subject)
    try:
        return await _make_it_so(world, subject)
    except Problem as problem:
        return await _only_look(world, subject, problem)


async def _make_it_so(world: World, subject: Subject) -> Outcome:
    demand_home(subject.project, world.settings.home_namespaces)
    if subject.unreadable:
        raise subject.unreadable
    namespace, master = await _read(world, subject)
    accepted = _accept(world, subject, namespace)
    if subject.hands_off:
        return await _only_look(world, subject, None)
    subject = await finalizer.hold(world, subject)
    subject = await _announce(world, subject, accepted)
    claimed = await claim(
        world.kube,
        subject.project,
        ref=accepted.ref,
        release=accepted.release.name,
        logs=logs_collected(accepted.spec, accepted.release, world.settings.platform),
        found=namespace,
    )
    await rights.grant(world.kube, claimed, accepted.ref, world.settings)
    work = await _render(world, subject, accepted, claimed, master)
    rendered = work.rendered
    applied, planned = await _apply(world, subject, claimed, rendered)
    observed, look_again = await _observe(world, subject, accepted, work, applied, planned)
    if await take_over(world, subject, work.turn, rendered, world.children.of(claimed.name)):
        look_again = 0.0
    if applied.problem is None:
        told = await dns.name_hosts(world, subject, claimed, rendered.manifests)
        observed = replace(observed, dns=told)
    remember(world, subject, observed, rendered, network=accepted.network)
    _, outcome = await answer(world, subject, observed, look_again=look_again)
    return outcome


def _accept(world: World, subject: Subject, namespace: Manifest | None) -> Accepted:
    project, spec = subject.project, subject.project.spec
    ours = namespace is not None and judge(namespace, project) is not Verdict.FOREIGN
    hosts = dict.fromkeys([*([spec.host] if spec.host else []), *spec.custom_domains])
    return accept(
        project,
        ref=subject.ref,
        pinned=project.status.release or (pinned_release(namespace) if ours else None),
        homes=world.settings.home_namespaces,
        platform=world.settings.platform,
        releases=world.catalogue.releases,
        rivals=Rivals(
            by_ref=world.projects.with_ref(subject.ref),
            by_host={host: world.projects.with_host(host) for host in hosts},
        ),
    )


async def _announce(world: World, subject: Subject, accepted: Accepted) -> Subject:
    """Says COMING_UP before anything is made, with the release pinned."""
    if subject.project.status.phase:
        return subject
    observed = Observed(
        generation=subject.project.generation,
        ref=accepted.ref,
        namespace=accepted.namespace,
        release=accepted.release.name,
    )
    after, _ = await answer(world, subject, observed)
    return after


async def _read(world: World, subject: Subject) -> tuple[Manifest | None, Manifest | None]:
    """The namespace and the master Secret, as they are before anything is done."""
    home, name = subject.project.namespace, names.credentials_secret(subject.project.name)
    namespace, master = await in_parallel(
        [
            lambda: world.kube.get(NAMESPACES, None, subject.namespace),
            lambda: world.kube.get(SECRETS, home, name),
        ],
        most=2,
    )
    return namespace, master


@dataclass(frozen=True)
class _Work:
    """What a pass is to bring about."""

    rendered: Rendered
    turn: Turn
    again: Restarts
    """With the operation as it is in the end, whatever its kind."""


async def _render(
    world: World, subject: Subject, accepted: Accepted, claimed: Claim, master: Manifest | None
) -> _Work:
    project = subject.project
    known = await credentials.ensure(
        world.kube,
        project,
        claimed,
        found=master,
        ref=accepted.ref,
        random_bytes=world.random_bytes,
        now=world.now(),
    )
    now = world.now()
    operation = under_way(project.spec, project.status, now)
    turn, values = await rotate(world, subject, operation, master, known)
    wanted = referenced_secrets(accepted.spec)
    given = await user_secrets.read(world.kube, project.namespace, wanted)
    children = world.children.of(claimed.name)
    again = restarts(project.spec, turn.operation, children, now)
    wish = RenderInput(
        name=project.name,
        namespace=project.namespace,
        ref=accepted.ref,
        spec=accepted.spec,
        release=accepted.release,
        credentials=values,
        platform=world.settings.platform,
        secrets=given,
        restarts=again.by_component,
    )
    try:
        # In a thread: hashing a project's passwords for the database takes a while, and lets go
        # of the interpreter meanwhile.
        return _Work(await asyncio.to_thread(world.render, wish), turn, again)
    except NotRenderable as error:
        raise Problem(error.reason, error.message, waiting_helps=False) from None


async def _apply(
    world: World, subject: Subject, claimed: Claim, rendered: Rendered
) -> tuple[Applied, Plan]:
    children, memory = world.children.of(claimed.name), world.memory(subject.key)
    held = plan(rendered, children, may_roll=False)
    may_roll = take_turn(world.fleet, subject.key, held, children, subject.project.status)
    planned = plan(rendered, children, may_roll=True) if may_roll else held
    deep = (
        subject.key in world.look_closely
        or memory.looked_for != subject.wish
        or world.monotonic() - memory.looked_at >= LONGEST_SECONDS
    )
    news = hurry.due(planned, children)
    applied = await world.applier.apply(claimed, subject.ref, planned, memory, deep=deep)
    if applied.problem is None:
        await hurry.tell(world.kube, claimed.name, subject.ref, news)
        await _prune(world, subject, claimed, rendered, applied, planned)
        if deep:
            world.look_closely.discard(subject.key)
            memory.looked_at, memory.looked_for = world.monotonic(), subject.wish
    return applied, planned


async def _prune(
    world: World,
    subject: Subject,
    claimed: Claim,
    rendered: Rendered,
    applied: Applied,
    planned: Plan,
) -> None:
    wanted = {name_of(manifest) for manifest in rendered.manifests}
    world.memory(subject.key).keep_only(wanted)
    children = world.children.of(claimed.name)
    left = leftovers(wanted, children, applied.live, subject.ref, needed=planned.needed)
    await world.applier.remove(claimed.name, left)


async def _observe(
    world: World,
    subject: Subject,
    accepted: Accepted,
    work: _Work,
    applied: Applied,
    planned: Plan,
) -> tuple[Observed, float | None]:
    rendered, again = work.rendered, work.again
    children = world.children.of(accepted.namespace)
    components = see(rendered.components, children, {})
    missing, look_again = world.certificates.known(accepted.namespace), None
    if applied.problem is not None:
        world.pods.forget(accepted.namespace)
    elif not all(seen.as_wished for seen in components):
        troubles, look_again = await world.pods.of(accepted.namespace, accepted.ref, children)
        components = see(rendered.components, children, troubles)
    else:
        world.pods.forget(accepted.namespace)
        wanted = expected(rendered.manifests)
        missing, look_again = await world.certificates.trouble(accepted.namespace, wanted)
    observed = Observed(
        generation=subject.project.generation,
        ref=accepted.ref,
        namespace=accepted.namespace,
        release=accepted.release.name,
        components=components,
        endpoints=rendered.endpoints,
        credentials_secret=names.credentials_secret(subject.project.name),
        complete=applied.problem is None
        and not (planned.waiting or again.outstanding or work.turn.outstanding),
        problem=applied.problem,
        network=accepted.network or missing,
        dns=dns.as_told(world, subject),
        operation=again.operation,
    )
    status, stale = subject.project.status, bool(planned.stale)
    rollout = settle_turn(world.fleet, subject.key, observed, status, stale=stale)
    if work.turn.outstanding and again.operation and again.operation.phase == FAILED:
        look_again = 0.0  # for what it left behind
    return replace(observed, rollout=rollout), look_again


async def _only_look(world: World, subject: Subject, problem: Problem | None) -> Outcome:
    """Changes nothing, but tells how things are."""
    project, status = subject.project, subject.project.status
    refused = problem is not None and problem.reason in NOT_ACCEPTED
    served = problem is None or problem.reason is not Reason.NAMESPACE_NOT_A_HOME
    components: Sequence[Seen] = ()
    if served and status.namespace:
        before = [(c.name, c.desired, c.image) for c in status.components]
        children = world.children.of(subject.namespace)
        components = see(remembered(before, children), children, {})
    known = status.observed_generation
    world.fleet.leave(subject.key)  # whom nobody may touch must not hold up a rollout
    if subject.hands_off:
        dns.leave_alone(world, subject)
    observed = Observed(
        generation=(known or 0) if subject.hands_off else project.generation,
        ref=subject.ref if served and not refused else status.ref,
        components=components,
        complete=subject.hands_off and known == project.generation,
        accepted=not refused,
        problem=problem,
        hands_off=subject.hands_off and problem is None,
        rollout=as_told(status),
        dns=dns.as_told(world, subject),
        operation=status.operation,
    )
    _, outcome = await answer(world, subject, observed)
    return outcome


NOT_ACCEPTED = frozenset(
    {
        Reason.NAMESPACE_NOT_A_HOME,
        Reason.NAMESPACE_TAKEN,
        Reason.REF_TAKEN,
        Reason.RELEASE_UNKNOWN,
        Reason.COMPONENT_UNAVAILABLE,
        Reason.NOT_SUPPORTED,
        Reason.SPEC_INVALID,
        Reason.ANNOTATION_REFUSED,
    }
)
"""Reasons that the condition Accepted is False for."""
