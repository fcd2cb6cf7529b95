"""Does the world know where a project's hosts are? The step of a pass that tells the DNS hook."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from supaplane_contract import names
from supaplane_contract.status import Condition, ConditionType, Reason
from supaplane_kube import Conflict, NotFound
from supaplane_kube.port import Manifest
from supaplane_kube.resources import NAMESPACES

from .children import Child, Name
from .claim import Claim, claim_of
from .dns_answer import Answer, heard
from .dns_condition import condition
from .dns_hook import DnsHook
from .dns_ledger import Ledger, acknowledged, dumped, loaded, revised
from .dns_request import Call
from .errors import LookAgain
from .events import warning
from .render import Platform, public_names
from .subject import Subject
from .times import seconds_since
from .world import World

log = logging.getLogger(__name__)

MANAGER: Final = names.FIELD_MANAGER_OPERATOR


async def name_hosts(
    world: World, subject: Subject, claimed: Claim, rendered: Iterable[Manifest]
) -> Condition | None:
    """Sees to it that the hook hears of every public host; how that stands, if there is a hook."""
    if world.dns is None:
        return None
    children = world.children.of(claimed.name)
    wanted = targets(rendered, children, subject.ref, world.settings.platform)
    ledger, answers, _ = await _tell(world, world.dns, subject, claimed, wanted)
    return condition(ledger, answers, subject.project.status)


def as_told(world: World, subject: Subject) -> Condition | None:
    """How it stood before, for a pass that does not look."""
    if world.dns is None:
        return None
    return subject.project.status.condition(ConditionType.DNS_READY)


def leave_alone(world: World, subject: Subject) -> None:
    """Nobody is told any more, until a later pass says otherwise."""
    if world.dns is not None:
        world.dns.forget(subject.key)


async def take_back_hosts(
    world: World, subject: Subject, namespace: Manifest
) -> tuple[Manifest, str, str]:
    """Sees to it that the hook hears that the hosts go: the namespace as it is then; what is waited
    for, which is nothing when the hook has heard it or has had time enough; and the hosts that it
    has not heard of, for `give_up`."""
    place = claim_of(namespace)
    if world.dns is None or not _ledger(place).entries:
        return namespace, "", ""
    ledger, _, after = await _tell(world, world.dns, subject, place, {})
    left = ", ".join(host for host, _ in ledger.untold)
    elapsed = seconds_since(subject.project.deletion_timestamp, world.now())
    patient = left and elapsed < world.settings.deadlines.dns_hook
    waiting = f"telling the DNS hook that {left} goes" if patient else ""
    return after or namespace, waiting, left


def give_up(world: World, subject: Subject, left: str) -> None:
    """Says of which hosts the hook never heard that they go, if there are any."""
    if not left:
        return
    told = f"the DNS hook did not acknowledge that {left} goes: remove its records by hand"
    log.warning("%s", told)
    if subject.key[0] in world.settings.home_namespaces:
        world.herald.tell(warning(subject, Reason.DNS_HOOK_UNAVAILABLE, told, world.now()))


def targets(
    rendered: Iterable[Manifest], children: Mapping[Name, Child], ref: str, platform: Platform
) -> dict[str, tuple[str, ...]]:
    """Where each public host should point, as far as that is known."""
    found: dict[str, tuple[str, ...]] = {}
    for manifest in rendered:
        for host in public_names(manifest, ref, platform):
            found[host] = platform.dns_targets or _addresses(manifest, children)
    return found


def _addresses(manifest: Manifest, children: Mapping[Name, Child]) -> tuple[str, ...]:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    for (resource, other), child in children.items():
        if (resource.kind, other) == (kind, name):
            return child.addresses
    return ()


async def _tell(
    world: World,
    hook: DnsHook,
    subject: Subject,
    place: Claim,
    wanted: Mapping[str, tuple[str, ...]],
) -> tuple[Ledger, Mapping[int, Answer], Manifest | None]:
    """Brings the ledger up to date, and lets the hook be told what it does not know. Gives the
    ledger, the hook's answers, and the namespace if it was written."""
    before, answers = _ledger(place), hook.answers(subject.key)
    now = world.now().timestamp()
    ledger = revised(acknowledged(before, heard(answers)), wanted, now=now)
    after = None if ledger == before else await _write(world, place, ledger)
    project = subject.project
    calls = [
        Call(subject.ref, project.namespace, project.name, host, entry)
        for host, entry in ledger.untold
    ]
    hook.tell(subject.key, calls)
    return ledger, answers, after


def _ledger(place: Claim) -> Ledger:
    return loaded(place.annotations.get(names.ANNOTATION_DNS))


async def _write(world: World, place: Claim, ledger: Ledger) -> Manifest:
    annotations = {names.ANNOTATION_DNS: dumped(ledger)}
    body = {"metadata": {"uid": place.uid, "annotations": annotations}}
    try:
        return await world.kube.merge_patch(NAMESPACES, None, place.name, body, manager=MANAGER)
    except Conflict:
        raise LookAgain("the namespace is another one by now") from None
    except NotFound:
        raise LookAgain("the namespace went away") from None
