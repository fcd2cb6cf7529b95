"""How does a project end? What goes, in which order, and what is kept for whom.

Retain, the default: what runs and what leads to it goes; the namespace, its volumes and its Secrets
stay, released to whoever makes a SupabaseProject of the same namespace and name. Delete: everything
goes, last the Secrets beside the SupabaseProject that are ours. Each stage waits for pods to end,
but never for ever.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from supaplane_contract import names
from supaplane_contract.spec import ComponentName, DeletionPolicy, ProjectSpec
from supaplane_kube import Conflict, Resource
from supaplane_kube import resources as kinds
from supaplane_kube.port import Manifest

from . import drop, finalizer
from .answer import Outcome, say
from .children import WORKLOADS, Child, Name
from .claim import MANAGER, Verdict, judge
from .dns import give_up, take_back_hosts
from .errors import LookAgain
from .farewell import going_down
from .render.references import referenced_secrets
from .report import crowding
from .subject import Subject
from .times import seconds_since, stamp
from .world import World

GOES: Final = (*WORKLOADS, kinds.JOBS, kinds.SERVICES, kinds.INGRESSES)
"""Watched kinds that go under either policy."""
ALSO_GOES: Final = (kinds.HTTP_ROUTES, kinds.HORIZONTAL_POD_AUTOSCALERS)
STAGES: Final = (
    "closing the way in and stopping the gateway",
    "stopping the components",
    "stopping the database",
)
SOONEST: Final = 0.5
LATEST: Final = 2.0
LATEST_IN_A_CROWD: Final = 10.0
"""However many projects are under way."""


@dataclass(frozen=True)
class Stage:
    """What to delete now, and what to wait for."""

    number: int
    delete: tuple[tuple[Name, str], ...] = ()
    waiting: tuple[Name, ...] = ()


async def take_down(world: World, subject: Subject) -> Outcome:
    """One pass over a SupabaseProject that is being deleted."""
    if names.FINALIZER not in subject.project.finalizers:
        return Outcome()  # we made nothing of it, or are done; somebody else holds it
    if subject.hands_off:
        return await _wait(world, subject, "the annotation supaplane.dev/reconcile holds it", None)
    namespace = await world.kube.get(kinds.NAMESPACES, None, subject.namespace)
    ours = namespace is None or judge(namespace, subject.project) is Verdict.OURS
    if namespace is not None and ours:
        waiting = await _empty(world, subject, namespace)
        if waiting:
            elapsed = seconds_since(subject.project.deletion_timestamp, world.now())
            again = pause(elapsed, world.projects.under_way)
            return await _wait(world, subject, waiting, again)
    if ours and not keeps_data(subject):
        await _forget_credentials(world, subject)
    await finalizer.let_go(world, subject)
    world.pods.forget(subject.namespace)
    world.certificates.forget(subject.namespace)
    world.forget(subject.key)
    return Outcome(gone=True)


def pause(elapsed: float, under_way: int) -> float:
    """Seconds until a look at what only asking tells, `elapsed` seconds after the deletion and with
    so many projects under way. What is watched makes itself known."""
    usual = min(LATEST, max(SOONEST, elapsed / 4))
    return min(LATEST_IN_A_CROWD, usual * crowding(under_way))


async def _forget_credentials(world: World, subject: Subject) -> None:
    """Deletes what was told over the API and the master Secret, unless a person put one of these
    there that does not carry our labels."""
    told = {name for name, _ in referenced_secrets(subject.project.spec)}
    master = names.credentials_secret(subject.project.name)
    for name in [*sorted(told - {master}), master]:
        home = subject.project.namespace
        secret = await world.kube.get(kinds.SECRETS, home, name)
        labels = (secret or {}).get("metadata", {}).get("labels") or {}
        ours = name == master or labels.get(names.LABEL_MANAGED_BY) == names.FIELD_MANAGER_API
        if secret is None or not ours or labels.get(names.LABEL_REF) != subject.ref:
            continue
        with contextlib.suppress(Conflict):
            await world.kube.delete(kinds.SECRETS, home, name, uid=secret["metadata"]["uid"])


async def _empty(world: World, subject: Subject, namespace: Manifest) -> str:
    """Takes the next step; what it waits for, or nothing when the namespace is done with."""
    elapsed = seconds_since(subject.project.deletion_timestamp, world.now())
    leaving = "deletionTimestamp" in namespace["metadata"]
    if not leaving:
        namespace, telling, unheard = await take_back_hosts(world, subject, namespace)
        stopping = _stop if keeps_data(subject) else drop.stop
        waiting = await stopping(world, subject, elapsed) or telling
        if waiting:
            return waiting
        if keeps_data(subject):
            await _release(world, subject, namespace)
        else:
            uid = namespace["metadata"]["uid"]
            await world.kube.delete(kinds.NAMESPACES, None, subject.namespace, uid=uid)
        give_up(world, subject, unheard)
        if keeps_data(subject):
            return ""
    patient = elapsed < world.settings.deadlines.going_down
    # A namespace that is being deleted goes, sooner or later; nothing we do can help it.
    return f"waiting for namespace {subject.namespace} and its content to go" if patient else ""


async def _stop(world: World, subject: Subject, elapsed: float) -> str:
    """Deletes what the present stage deletes; what it waits for, or nothing when all is gone."""
    children = {n: c for n, c in world.children.of(subject.namespace).items() if n[0] in GOES}
    first = any(_stage_of(n, c) == 0 and not c.deleting for n, c in children.items())
    if first or not children:
        children |= await _ask(world, subject, ALSO_GOES if first else (*WORKLOADS, *ALSO_GOES))
    patience = world.settings.teardown_patience_seconds
    stage = next_stage(children, elapsed=elapsed, patience=patience)
    for (resource, name), uid in stage.delete:
        # In the foreground, a workload is there until its pods are gone.
        how = "Foreground" if resource in (*WORKLOADS, kinds.JOBS) else "Background"
        try:
            await world.kube.delete(resource, subject.namespace, name, uid=uid, propagation=how)
        except Conflict:
            raise LookAgain(f"{resource.kind} {name} is another one by now") from None
    return STAGES[stage.number] if stage.delete or stage.waiting else ""


async def _ask(world: World, subject: Subject, resources: Iterable[Resource]) -> dict[Name, Child]:
    """What is there, by asking: of the kinds that are not watched, and of workloads before the
    namespace is let go, for that last word must not be a cache's."""
    selector = f"{names.LABEL_REF}={subject.ref}"
    found: dict[Name, Child] = {}
    for resource in resources:
        for item in await world.applier.listed(resource, subject.namespace, selector):
            meta = item["metadata"]
            found[resource, meta["name"]] = Child(
                uid=meta["uid"],
                shape="",
                ref=subject.ref,
                component=(meta.get("labels") or {}).get(names.LABEL_COMPONENT, ""),
                deleting="deletionTimestamp" in meta,
            )
    return found


def next_stage(children: Mapping[Name, Child], *, elapsed: float, patience: float) -> Stage:
    """First the way in, then everything else, the database last. A stage that takes longer than
    `patience` seconds, counted from the deletion, does not hold up the next one."""
    delete: list[tuple[Name, str]] = []
    waiting: list[Name] = []
    number = 0
    for number in range(len(STAGES)):
        mine = {n: c for n, c in children.items() if _goes(n) and _stage_of(n, c) == number}
        delete += [(n, c.uid) for n, c in mine.items() if not c.deleting]
        waiting += [n for n, c in mine.items() if c.deleting]
        if (delete or waiting) and elapsed < patience * (number + 1):
            break
    overdue = elapsed >= patience * len(STAGES)
    return Stage(number, tuple(delete), () if overdue and not delete else tuple(waiting))


def _goes(name: Name) -> bool:
    return name[0] in GOES or name[0] in ALSO_GOES


def _stage_of(name: Name, child: Child) -> int:
    if name[0] in (kinds.INGRESSES, *ALSO_GOES) or child.component == ComponentName.GATEWAY:
        return 0
    return 2 if child.component == ComponentName.DB else 1


def keeps_data(subject: Subject) -> bool:
    """Whether the data outlives the SupabaseProject, for ever or for a while. In doubt it does."""
    deletion = subject.project.spec.deletion
    if subject.unreadable or deletion.protection or deletion.policy is DeletionPolicy.RETAIN:
        return True
    return deletion.undelete_window_hours > 0


def delete_after(spec: ProjectSpec, now: datetime) -> str | None:
    """When the data goes at last, or None when a person decides that."""
    deletion = spec.deletion
    if deletion.protection or deletion.policy is DeletionPolicy.RETAIN:
        return None
    return stamp(now + timedelta(hours=deletion.undelete_window_hours))


async def _release(world: World, subject: Subject, namespace: Manifest) -> None:
    """Leaves the namespace to a later SupabaseProject of the same namespace and name."""
    project = subject.project
    until = None if subject.unreadable else delete_after(project.spec, world.now())
    annotations = {
        names.ANNOTATION_OWNER: None,
        names.ANNOTATION_RELEASED_FROM: f"{project.namespace}/{project.name}",
        names.ANNOTATION_DELETE_AFTER: until,
    }
    meta = {
        "resourceVersion": namespace["metadata"]["resourceVersion"],
        "annotations": {k: v for k, v in annotations.items() if v or k == names.ANNOTATION_OWNER},
    }
    try:
        await world.kube.merge_patch(
            kinds.NAMESPACES, None, subject.namespace, {"metadata": meta}, manager=MANAGER
        )
    except Conflict:
        raise LookAgain("the namespace changed") from None


async def _wait(world: World, subject: Subject, message: str, look_again: float | None) -> Outcome:
    now = world.now()
    status = going_down(
        subject.project.status,
        generation=subject.project.generation,
        message=message,
        overdue=seconds_since(subject.project.deletion_timestamp, now)
        >= world.settings.deadlines.going_down,
        children=world.children.of(subject.namespace),
        now=now,
    )
    _, wait = await say(world, subject, status)
    times = [t for t in (look_again, wait) if t is not None]
    return Outcome(min(times, default=None))
