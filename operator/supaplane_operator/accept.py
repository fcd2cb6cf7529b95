"""May this SupabaseProject become a stack, and as what? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from supaplane_contract import names
from supaplane_contract.resource import SupabaseProject
from supaplane_contract.spec import ProjectSpec
from supaplane_contract.status import Reason

from .errors import Problem
from .projects import Known
from .releases import Release, newest
from .render import Platform


@dataclass(frozen=True)
class Rivals:
    """All that want the same ref or one of the same hosts, oldest first."""

    by_ref: Sequence[Known] = ()
    by_host: Mapping[str, Sequence[Known]] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    """What will be made of a SupabaseProject."""

    ref: str
    namespace: str
    release: Release
    spec: ProjectSpec
    """Without the hosts that it may not have."""
    network: Problem | None = None
    """Why it does not get a host that it asks for."""


def accept(
    project: SupabaseProject,
    *,
    ref: str,
    pinned: str | None,
    homes: tuple[str, ...],
    platform: Platform,
    releases: Mapping[str, Release],
    rivals: Rivals,
) -> Accepted:
    """`pinned`: the release that the project runs with, wherever that was found.

    Raises Problem when nothing may be made of it.
    """
    demand_home(project, homes)
    _demand_ref(ref, project, rivals)
    release = _release(project.spec, pinned, releases)
    refused = _refused_hosts(project, ref, platform, rivals)
    return Accepted(
        ref=ref,
        namespace=names.project_namespace(ref),
        release=release,
        spec=_without(project.spec, refused),
        network=next(iter(refused.values()), None),
    )


def demand_home(project: SupabaseProject, homes: tuple[str, ...]) -> None:
    """Raises Problem when the operator does not serve the namespace of the SupabaseProject."""
    if project.namespace in homes:
        return
    every = ",".join((*homes, project.namespace))
    raise Problem(
        Reason.NAMESPACE_NOT_A_HOME,
        f"namespace {project.namespace} is not a home of projects: make the SupabaseProject in "
        f"{homes[0]}, or let an administrator set SUPAPLANE_HOME_NAMESPACES={every} on the "
        "operator (Helm: homeNamespaces)",
        waiting_helps=False,
    )


def _older(rivals: Iterable[Known], project: SupabaseProject) -> Known | None:
    """The oldest rival that is older than the project, which may not be among the rivals yet."""
    key = (project.namespace, project.name)
    age = (project.creation_timestamp or "", key)
    return next((rival for rival in rivals if rival.key != key and rival.age < age), None)


def _demand_ref(ref: str, project: SupabaseProject, rivals: Rivals) -> None:
    first = _older(rivals.by_ref, project)
    if first is None:
        return
    raise Problem(
        Reason.REF_TAKEN,
        f"ref {ref} belongs to the older SupabaseProject {'/'.join(first.key)}: "
        "make this one again with another spec.ref, or with none",
        waiting_helps=False,
    )


def _release(spec: ProjectSpec, pinned: str | None, releases: Mapping[str, Release]) -> Release:
    name = spec.release or pinned
    if name is None:
        version = spec.database.version
        fitting = {n: r for n, r in releases.items() if r.postgres_version == version}
        return newest(fitting or releases)
    if name in releases:
        return releases[name]
    raise Problem(
        Reason.RELEASE_UNKNOWN,
        f"release {name} neither ships with this operator nor was it offered by "
        f"SERVICE_VERSION_URL: set spec.release to one of {', '.join(sorted(releases))}, or run "
        "an operator that knows it",
        waiting_helps=False,
    )


def _refused_hosts(
    project: SupabaseProject, ref: str, platform: Platform, rivals: Rivals
) -> dict[str, Problem]:
    """The hosts that the spec asks for and may not have, with the reason for each."""
    spec = project.spec
    asked = [spec.host] if spec.host else []
    refused = {}
    for host in dict.fromkeys([*asked, *spec.custom_domains]):
        problem = _reserved(host, ref, platform) or _taken(host, project, rivals)
        if problem:
            refused[host] = problem
    return refused


def _reserved(host: str, ref: str, platform: Platform) -> Problem | None:
    """Names below the platform's domain follow its own patterns, or one project could pose as
    another."""
    base = platform.domain_base
    if host == names.api_host(ref, base) or not f".{host}".endswith(f".{base}"):
        return None
    return Problem(
        Reason.HOST_RESERVED,
        f"host {host} lies below {base}, whose names are given out by the platform: "
        f"use {names.api_host(ref, base)}, or a domain outside it",
        waiting_helps=False,
    )


def _taken(host: str, project: SupabaseProject, rivals: Rivals) -> Problem | None:
    first = _older(rivals.by_host.get(host, ()), project)
    if first is None:
        return None
    return Problem(
        Reason.HOST_TAKEN,
        f"host {host} belongs to the older SupabaseProject {'/'.join(first.key)}: choose another",
        waiting_helps=False,
    )


def _without(spec: ProjectSpec, refused: Mapping[str, Problem]) -> ProjectSpec:
    if not refused:
        return spec
    domains = [host for host in spec.custom_domains if host not in refused]
    host = None if spec.host in refused else spec.host
    return spec.model_copy(update={"host": host, "custom_domains": domains})
