"""Holds a SupabaseProject until what was made of it is taken down, and lets it go."""

from __future__ import annotations

from supaplane_contract import names
from supaplane_kube import Conflict, NotFound
from supaplane_kube.port import Manifest

from .errors import LookAgain
from .projects import PROJECTS
from .subject import Subject
from .world import World


async def hold(world: World, subject: Subject) -> Subject:
    """With our finalizer. Raises LookAgain when the object changed meanwhile."""
    if names.FINALIZER in subject.project.finalizers:
        return subject
    after = await _set(world, subject, [*subject.project.finalizers, names.FINALIZER])
    return subject.after(after)


async def let_go(world: World, subject: Subject) -> None:
    """Without our finalizer; the API server then removes the object, if nobody else holds it."""
    rest = [name for name in subject.project.finalizers if name != names.FINALIZER]
    try:
        await _set(world, subject, rest)
    except NotFound:
        return


async def _set(world: World, subject: Subject, finalizers: list[str]) -> Manifest:
    meta = subject.manifest["metadata"]
    patch = {"metadata": {"finalizers": finalizers, "resourceVersion": meta["resourceVersion"]}}
    try:
        after = await world.kube.merge_patch(
            PROJECTS, *subject.key, patch, manager=names.FIELD_MANAGER_OPERATOR
        )
    except Conflict:
        raise LookAgain("the SupabaseProject changed") from None
    world.news.saw(subject.key, after["metadata"]["resourceVersion"])
    return after
