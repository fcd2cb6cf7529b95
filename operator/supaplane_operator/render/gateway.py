"""What does a gateway have to know of a project, whichever program it is?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from supaplane_contract.spec import IngressKind
from supaplane_contract.status import Reason

from . import urls
from .context import Project
from .model import NotRenderable
from .part import Access, Route

API_PATHS: Final = (
    "/auth/v1",
    "/rest/v1",
    "/graphql/v1",
    "/realtime/v1",
    "/storage/v1",
    "/functions/v1",
    "/pg",
)
"""What belongs to APIs: without a route there it is a 404, and no request for a password."""
NOBODY_HERE: Final = "This project has nothing at that path"
FORBIDDEN: Final = "Access is forbidden"
PREFLIGHT_SECONDS: Final = 3600
CREDENTIALS: Final = (
    "anon-key",
    "anon-key-asymmetric",
    "dashboard-password",
    "dashboard-username",
    "publishable-key",
    "secret-key",
    "service-role-key",
    "service-role-key-asymmetric",
)
"""Keys of the master Secret whose values a gateway's configuration depends on."""


@dataclass(frozen=True)
class Key:
    """What somebody holds, and what it stands for."""

    name: str
    value: str = field(repr=False)
    token: str = field(repr=False)
    """What the services understand in its place."""
    service: bool
    """Whether it opens the routes for service keys too."""

    @property
    def opaque(self) -> bool:
        """Whether it is a key of the new kind, which is no token itself."""
        return self.value != self.token


@dataclass(frozen=True)
class Upstream:
    """A component that the gateway passes requests on to."""

    name: str
    host: str
    port: int


@dataclass(frozen=True)
class GatewayConfig:
    """Everything that a gateway's configuration depends on."""

    upstreams: tuple[Upstream, ...]
    routes: tuple[tuple[str, Route], ...]
    """(name of the upstream, row), in any order."""
    keys: tuple[Key, ...]
    dashboard_user: str
    dashboard_password: str = field(repr=False)
    own_origins: tuple[str, ...] = ()
    """Origins of the project's own pages."""
    public_port: int = 443
    trusted_hops: int = 0
    """Proxies in front, whose X-Forwarded headers are believed."""


def table(routes: Sequence[tuple[str, Route]]) -> Iterator[tuple[str, Route]]:
    """The whole table in its order, with a row for whatever the components leave open."""
    ordered = sorted(routes, key=lambda item: item[1].order)
    yield from ((name, route) for name, route in ordered if route.path != "/")
    yield from (_absent(path) for path in API_PATHS)
    yield from ((name, route) for name, route in ordered if route.path == "/")
    yield _absent("/")


def _absent(path: str) -> tuple[str, Route]:
    return "", Route(0, path, Access.ABSENT)


def configuration(project: Project) -> GatewayConfig:
    """What the gateway has to know of a project. Raises NotRenderable."""
    routed = sorted({(name, port) for name, port, _ in project.routes})
    url = urlsplit(project.public_url)
    return GatewayConfig(
        upstreams=tuple(Upstream(n.value, project.host(n), port) for n, port in routed),
        routes=tuple((name.value, route) for name, _, route in project.routes),
        keys=_keys(project),
        dashboard_user=_user_name(project),
        dashboard_password=project.credential("dashboard-password"),
        own_origins=own_origins(project),
        public_port=url.port or (443 if url.scheme == "https" else 80),
        trusted_hops=trusted_hops(project),
    )


def live_inputs(project: Project) -> Mapping[str, Any]:
    """What routes depend on beside credentials."""
    return {
        "components": sorted({name.value for name, _, _ in project.routes}),
        "origins": own_origins(project),
    }


def own_origins(project: Project) -> tuple[str, ...]:
    """Origins of the project's own pages."""
    hosts = urls.public_hosts(project.spec, project.ref, project.platform)
    return tuple(urls.public_url(project.spec, project.platform, host) for host in hosts)


def trusted_hops(project: Project) -> int:
    """Proxies between people and the gateway."""
    kind = project.spec.ingress.kind or project.platform.ingress_kind
    return 0 if kind is IngressKind.NONE else 1


def _keys(project: Project) -> tuple[Key, ...]:
    anon, service = project.credential("anon-key"), project.credential("service-role-key")
    publishable, secret = project.credential("publishable-key"), project.credential("secret-key")
    new_anon = project.credential("anon-key-asymmetric")
    new_service = project.credential("service-role-key-asymmetric")
    return (
        Key("anon", anon, anon, service=False),
        Key("service_role", service, service, service=True),
        Key("publishable", publishable, new_anon, service=False),
        Key("secret", secret, new_service, service=True),
    )


def _user_name(project: Project) -> str:
    name = project.credential("dashboard-username")
    if not name or ":" in name or not name.isprintable():
        raise NotRenderable(
            Reason.SPEC_INVALID,
            "dashboard-username in the credentials Secret must be printable and without a colon",
        )
    return name
