"""How does a function come into being? A Secret with its files, and a line in the spec.

The Secret is written first: until the line is there nobody looks at it. What was sent with
`bundleOnly` waits in a Secret of its own until it is put into use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess, ProjectRow
from supaplane_api.config.edge import understood
from supaplane_api.inside.ask import shown
from supaplane_api.problems import Clash, Invalid, Missing
from supaplane_api.projects import change, side_secrets
from supaplane_api.projects.change import Spec, Wish
from supaplane_api.projects.side_secrets import SideSecret
from supaplane_api.services import Services
from supaplane_contract import ProjectSpec, names
from supaplane_contract.spec import FunctionSource

from .arrange import IMPORT_MAP, Arranged, Folder, within_limits

WAITING = "/waiting"
"""Behind a function's name: no function can be called so."""
TAKEN = "main"
_SLUG = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True)
class About:
    """What is told of a function beside its files. Times in milliseconds since 1970."""

    name: str
    version: int
    created_at: int
    updated_at: int
    verify_jwt: bool | None = None
    import_map: str | None = None
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deployed:
    """A function as it is."""

    source: FunctionSource
    about: About
    verify_jwt: bool


async def everything(
    services: Services, access: ProjectAccess, spec: ProjectSpec
) -> list[Deployed]:
    """All functions by name; folders that are there to be imported are none."""
    found = []
    for source in sorted(spec.functions.sources, key=lambda one: one.name):
        if not source.name.startswith("_"):
            found.append(await _deployed(services, access.project, spec, source))
    return found


async def one(services: Services, access: ProjectAccess, spec: ProjectSpec, slug: str) -> Deployed:
    """One function. Raises Missing."""
    for source in spec.functions.sources:
        if source.name == slug and not slug.startswith("_"):
            return await _deployed(services, access.project, spec, source)
    raise Missing("There is no such function")


async def _deployed(
    services: Services, project: ProjectRow, spec: ProjectSpec, source: FunctionSource
) -> Deployed:
    secret = await side_secrets.read(services, project, source.secret)
    general = spec.functions.verify_jwt
    checked = general if source.verify_jwt is None else source.verify_jwt
    return Deployed(source, _about(source.name, secret, project), checked)


def _about(slug: str, secret: SideSecret | None, project: ProjectRow) -> About:
    """What the Secret says of the function; of one that was not deployed here, what can be said."""
    try:
        said = json.loads((secret.annotations if secret else {})[names.ANNOTATION_FUNCTION])
        return About(**{**said, "shared": tuple(said.get("shared") or ())})
    except (KeyError, TypeError, ValueError):
        made = milliseconds(project.created_at)
        return About(slug, 1, made, made)


async def files(services: Services, access: ProjectAccess, deployed: Deployed) -> Folder:
    """The files of a function as they were sent. Raises Missing when they are gone."""
    found = dict(await side_secrets.read_any(services, access.project, deployed.source.secret))
    if not found:
        raise Missing(f"The Secret {deployed.source.secret} with the files is not there")
    if deployed.about.import_map not in (None, IMPORT_MAP):
        found.pop(IMPORT_MAP, None)
    return found


async def deploy(
    services: Services,
    access: ProjectAccess,
    address: str | None,
    slug: str,
    arranged: Arranged,
    *,
    name: str | None,
    verify_jwt: bool | None,
    import_map: str | None,
    wait: bool,
) -> About:
    """Makes the function or replaces it; with `wait` only once it is put into use.

    Raises Clash, Invalid, Missing, TooLarge, KubeError.
    """
    shown(services, access)
    _refuse_name(slug)
    before = await side_secrets.read(
        services, access.project, names.function_secret(access.project.cr_name, slug)
    )
    about = replace(
        _next(slug, before, access.project, services.outside.now()),
        verify_jwt=verify_jwt,
        import_map=import_map,
        shared=tuple(sorted(arranged.shared)),
    )
    about = replace(about, name=name or about.name)
    folders = {slug: arranged.own, **arranged.shared}
    if wait:
        for folder, content in folders.items():
            await _store(services, access.project, folder + WAITING, content, about)
        return about
    await _use(services, access, {slug: about}, folders)
    await note(services, access, "function.deploy", address, slug=slug, version=about.version)
    return about


async def put_into_use(
    services: Services,
    access: ProjectAccess,
    address: str | None,
    wanted: Mapping[str, bool | None],
) -> None:
    """Puts what waits into use, all at once; of the others only whether tokens are checked.

    `wanted`: by function. Raises Clash, Invalid, Missing, KubeError.
    """
    project, cr = access.project, access.project.cr_name
    shown(services, access)
    abouts: dict[str, About] = {}
    folders: dict[str, Folder] = {}
    for slug, verify_jwt in wanted.items():
        secret = await side_secrets.read(
            services, project, names.function_secret(cr, slug + WAITING)
        )
        if secret is not None:
            about = _about(slug, secret, project)
            checked = about.verify_jwt if verify_jwt is None else verify_jwt
            abouts[slug] = replace(about, verify_jwt=checked)
            folders[slug] = dict(secret.values)
            for folder in about.shared:
                waiting = names.function_secret(cr, folder + WAITING)
                shared = await side_secrets.read(services, project, waiting)
                folders[folder] = dict(shared.values) if shared else {}
    await _use(services, access, abouts, {f: c for f, c in folders.items() if c})
    for slug in wanted.keys() - abouts.keys():
        await alter(services, access, address, slug, None, wanted[slug], None)
    for folder in folders:
        await side_secrets.remove(services, project, names.function_secret(cr, folder + WAITING))
    for slug, about in abouts.items():
        await note(services, access, "function.deploy", address, slug=slug, version=about.version)


async def alter(
    services: Services,
    access: ProjectAccess,
    address: str | None,
    slug: str,
    name: str | None,
    verify_jwt: bool | None,
    body: str | None,
) -> None:
    """Changes a function that is there. Raises Clash, Invalid, Missing, TooLarge, KubeError."""
    shown(services, access)
    live = await change.read(services, access.project)
    deployed = await one(services, access, understood(live.get("spec") or {}), slug)
    secret_name = names.function_secret(access.project.cr_name, slug)
    before = await side_secrets.read(services, access.project, secret_name)
    if (name is not None or body is not None) and deployed.source.secret != secret_name:
        raise Clash(
            f"The files of {slug} are in the Secret {deployed.source.secret}: change it there"
        )
    about = deployed.about
    folders: dict[str, Folder] = {}
    if body is not None or name is not None:
        about = _next(slug, before, access.project, services.outside.now())
        folders[slug] = dict(before.values if before else {})
    if body is not None:
        folders[slug]["index.ts"] = body
        within_limits(slug, folders[slug])
    checked = deployed.source.verify_jwt if verify_jwt is None else verify_jwt
    about = replace(about, name=name or about.name, verify_jwt=checked)
    if folders:
        await _use(services, access, {slug: about}, folders)
    else:
        await change.rewrite(
            services,
            access.project,
            lambda spec: Wish({("functions", "sources"): _checked(spec, slug, checked)}),
        )
    await note(services, access, "function.change", address, slug=slug)


async def delete(services: Services, access: ProjectAccess, address: str | None, slug: str) -> None:
    """Takes a function away, and its Secret if it was deployed here. Raises Missing, Clash."""
    shown(services, access)

    def wish_of(spec: Spec) -> Wish:
        if slug.startswith("_") or slug not in _by_name(spec):
            raise Missing("There is no such function")
        rest = [source for source in _sources(spec) if source["name"] != slug]
        return Wish({("functions", "sources"): rest})

    await change.rewrite(services, access.project, wish_of)
    for folder in (slug, slug + WAITING):
        secret = names.function_secret(access.project.cr_name, folder)
        await side_secrets.remove(services, access.project, secret)
    await note(services, access, "function.delete", address, slug=slug)


async def _use(
    services: Services,
    access: ProjectAccess,
    abouts: Mapping[str, About],
    folders: Mapping[str, Folder],
) -> None:
    """Writes the Secrets of these folders and their lines in the spec."""
    cr = access.project.cr_name

    async def store() -> None:
        for folder, content in folders.items():
            await _store(services, access.project, folder, content, abouts.get(folder))

    def wish_of(spec: Spec) -> Wish:
        sources = _by_name(spec)
        for folder in folders:
            source = {**sources.get(folder, {}), "name": folder}
            source["secret"] = names.function_secret(cr, folder)
            about = abouts.get(folder)
            if about is not None and about.verify_jwt is not None:
                source["verifyJwt"] = about.verify_jwt
            sources[folder] = source
        return Wish({("functions", "sources"): [*sources.values()]}, first=store, touch=True)

    if folders:
        await change.rewrite(services, access.project, wish_of)


async def _store(
    services: Services, project: ProjectRow, folder: str, content: Folder, about: About | None
) -> None:
    """Writes the Secret of a folder. A function loses the files that were not sent again; what is
    shared keeps those of other functions."""
    name = names.function_secret(project.cr_name, folder)
    before = await side_secrets.read(services, project, name)
    had = dict(before.values) if before else {}
    shared = folder.startswith("_")
    if shared:
        within_limits(folder, had | content)
    gone = {} if shared else dict.fromkeys(had.keys() - content.keys())
    annotations = {names.ANNOTATION_FUNCTION: _json(about)} if about and not shared else None
    await side_secrets.write(services, project, name, {**gone, **content}, annotations)


def _next(slug: str, before: SideSecret | None, project: ProjectRow, now: datetime) -> About:
    at = milliseconds(now)
    if before is None:
        return About(slug, 1, at, at)
    about = _about(slug, before, project)
    return replace(about, version=about.version + 1, updated_at=at)


def _json(about: About) -> str:
    return json.dumps(about.__dict__, sort_keys=True)


def _sources(spec: Spec) -> list[dict[str, Any]]:
    return [dict(source) for source in change.value_at(spec, ("functions", "sources")) or ()]


def _by_name(spec: Spec) -> dict[str, dict[str, Any]]:
    return {source["name"]: source for source in _sources(spec)}


def _checked(spec: Spec, slug: str, verify_jwt: bool | None) -> list[dict[str, Any]]:
    sources = _sources(spec)
    for source in sources:
        if source["name"] == slug and verify_jwt is not None:
            source["verifyJwt"] = verify_jwt
    return sources


def _refuse_name(slug: str) -> None:
    if not _SLUG.fullmatch(slug) or slug == TAKEN:
        raise Invalid(
            "slug: a function's name begins with a letter and goes on with letters, digits, dashes"
            f" and underscores, 63 at most; {TAKEN} is taken by what leads calls to functions"
        )


def milliseconds(time: datetime) -> int:
    """Since 1970."""
    return int(time.timestamp() * 1000)
