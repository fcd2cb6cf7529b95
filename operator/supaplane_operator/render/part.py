"""What does one component say about itself? The shape of every file in `components/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from supaplane_contract.spec import ComponentName

from .model import Manifest

if TYPE_CHECKING:
    from .context import Project


class Access(StrEnum):
    """Who gets through a route of the gateway."""

    OPEN = "open"
    """Everybody; the service behind it decides."""
    OPTIONAL_KEY = "optional-key"
    """Everybody; a key that is shown arrives as the token that it stands for, and the service
    behind it decides."""
    KEY_BESIDE = "key-beside"
    """Everybody; what is shown stays as it is, and of a key of the new kind the token that it
    stands for arrives beside it, in `sb-api-key`. A wrong key of that kind is refused."""
    KEY = "key"
    """Whoever has one of the project's keys."""
    SERVICE = "service"
    """Whoever has a service-role or secret key."""
    DASHBOARD = "dashboard"
    """Whoever knows the dashboard's name and password."""
    DENIED = "denied"
    """Nobody: 403."""
    ABSENT = "absent"
    """Nobody, for nothing is there: 404."""


@dataclass(frozen=True)
class Route:
    """A row of the gateway's table; the first that matches wins."""

    order: int
    """Place in the table."""
    path: str
    """Matched exactly, or as a prefix that ends at a slash or at the end of the path."""
    access: Access
    rewrite: str | None = None
    """What takes the place of the matched path."""
    exact: bool = False
    timeout: str = "30s"
    """For the whole answer, once the request is there; `0s`: none, for large files."""
    idle_timeout: str | None = None
    """Between two bytes, either way."""
    host: str | None = None
    """The service's own address, for the Host header, where the service tells tenants apart by it;
    None: what the client asked for. X-Forwarded-Host says that all the same."""
    prefix_header: str | None = None
    """X-Forwarded-Prefix, if not the path itself."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Request headers set on the way to the service."""
    remove_headers: tuple[str, ...] = ()
    own_origin_only: bool = False
    """Whether browsers may call it from the project's own pages and localhost only."""


@dataclass(frozen=True)
class Pod:
    """What a component's pod is made of, beyond what all pods share."""

    container: Manifest
    """Fields of the main container: command, args, probes, securityContext, volumeMounts."""
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables that come out of the component's Secret."""
    secret_files: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further keys of the component's Secret, for volumes."""
    config_files: Mapping[str, str] = field(default_factory=dict)
    """The component's ConfigMap, for volumes."""
    live_secret_files: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further keys of its Secret that running pods read anew by themselves."""
    live_config_files: Mapping[str, str] = field(default_factory=dict)
    """Further keys of its ConfigMap that running pods read anew by themselves."""
    spec: Manifest = field(default_factory=dict)
    """Further fields of the pod: volumes, initContainers, securityContext."""
    sidecars: tuple[Manifest, ...] = ()


def _always(_: Project) -> bool:
    return True


@dataclass(frozen=True)
class Task:
    """Work beside a component that is done once and ends: a Job. Not there while paused."""

    name: str
    """What its pods are called, and for what its image is among the release's helpers."""
    container: Callable[[Project], Manifest]
    """Fields of its container, beside name, image and resources."""
    user: int
    """The number that it runs as."""
    calls: frozenset[ComponentName]
    """Components that it speaks to."""
    image: Callable[[Project], str] | None = None
    """Its image, where that is not among the helpers."""
    when: Callable[[Project], bool] = _always
    """Whether there is anything to do."""


def _nothing(_: Project) -> Any:
    return ()


def _no(_: Project) -> bool:
    return False


def _no_inputs(_: Project) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Part:
    """One component: adding one to the stack is a matter of one file that holds a `PART`."""

    name: ComponentName
    pod: Callable[[Project], Pod]
    ports: Mapping[str, int]
    """Ports of its Service, by name; other components reach these and no others."""
    needs: frozenset[ComponentName] = frozenset()
    """Components that must be on with it; it speaks to each of them."""
    calls: frozenset[ComponentName] = frozenset()
    """Further components that it speaks to when they are on."""
    mentions: frozenset[ComponentName] = frozenset()
    """Components whose names it passes on without speaking to them itself."""
    credentials: tuple[str, ...] = ()
    """Keys of the master Secret that it gets to see; a change replaces its pods."""
    live_credentials: tuple[str, ...] = ()
    """Further keys that it gets to see; its running pods take a change in by themselves, and where
    they cannot, its `inputs` hold the values."""
    optional_credentials: tuple[str, ...] = ()
    """Further keys that it gets to see and uses in some projects only: there its `inputs` hold
    their values."""
    routes: Callable[[Project], tuple[Route, ...]] = _nothing
    inputs: Callable[[Project], Mapping[str, Any]] = _no_inputs
    """What else its pods depend on: values of spec and platform, never of our code."""
    live_inputs: Callable[[Project], Mapping[str, Any]] = _no_inputs
    """What else its running pods take in by themselves, of the same kind."""
    ignores: frozenset[str] = frozenset()
    """Fields of its own part of the spec that its pods do not depend on."""
    objects: Callable[[Project], tuple[Manifest, ...]] = _nothing
    """Further objects: claims, Services to the outside."""
    stateful: bool = False
    """StatefulSet instead of Deployment."""
    tasks: tuple[Task, ...] = ()
    """What is done once beside it, when there is anything to do."""
    recreate: Callable[[Project], bool] = _no
    """Whether the old pod must be gone before the new one starts (a volume for one node)."""
    internet: bool = False
    """Whether it may reach the internet when the project allows it."""
    bucket: bool = False
    """Whether it reaches a bucket of the user's own, where the project has one."""
    for_the_api: bool = False
    """Whether Supaplane's own API may reach it."""
    for_the_logs: bool = False
    """Whether the platform's log shipper may reach it."""
    public: bool = False
    """Whether ingress controllers may reach it."""

    def due(self, project: Project) -> tuple[Task, ...]:
        """The tasks that there is something to do for."""
        return tuple(task for task in self.tasks if task.when(project))
