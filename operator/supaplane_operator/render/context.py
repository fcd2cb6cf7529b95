"""What does one project look like to its components? The input with everything derived from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from urllib.parse import quote

from supaplane_contract import names, shares
from supaplane_contract.credentials import password_key
from supaplane_contract.spec import (
    ComponentName,
    DesiredState,
    GatewayKind,
    ObjectStoreEngine,
    ProjectSpec,
)
from supaplane_contract.status import Reason

from . import urls
from .model import ALL_KEYS, NotRenderable, Platform, RenderInput
from .part import Route

ANALYTICS_PORT = 4000
DATABASE_PORT = 5432
GATEWAY_PORT = 8000
POOLER_PORT = 6543
"""Where the pooler gives a connection back after each transaction."""


@dataclasses.dataclass(frozen=True)
class Project:
    """A project as a component sees it: only its own credentials are in `credentials`."""

    input: RenderInput
    enabled: frozenset[ComponentName]
    """Components that this project has."""
    credentials: Mapping[str, str] = dataclasses.field(repr=False)
    routes: tuple[tuple[ComponentName, int, Route], ...] = ()
    """Rows of the gateway's table: the component that each leads to, its port, the row."""

    @property
    def ref(self) -> str:
        return self.input.ref

    @property
    def spec(self) -> ProjectSpec:
        return self.input.spec

    @property
    def platform(self) -> Platform:
        return self.input.platform

    @property
    def namespace(self) -> str:
        """The project namespace."""
        return names.project_namespace(self.ref)

    @property
    def paused(self) -> bool:
        return self.spec.desired_state is DesiredState.PAUSED

    @cached_property
    def public_url(self) -> str:
        """URL of the API as people see it, no slash at the end."""
        return urls.public_url(
            self.spec, self.platform, urls.api_host(self.spec, self.ref, self.platform)
        )

    @property
    def studio_url(self) -> str:
        """URL of the project's own Studio as people see it."""
        return urls.public_url(self.spec, self.platform, urls.studio_host(self.ref, self.platform))

    @property
    def auth_url(self) -> str:
        """What auth is called from outside; also the issuer of its tokens."""
        return f"{self.public_url}/auth/v1"

    def has(self, component: ComponentName) -> bool:
        return component in self.enabled

    def image(self, component: ComponentName) -> str:
        """The spec's image, else the release's for the program that the spec chose."""
        own = self.spec.images.get(component)
        image = own or self.input.release.image(component, variant(self.spec, component))
        assert image is not None, f"{component} is on and has no image"
        return image

    def helper(self, purpose: str) -> str:
        """The image of a Job or init container that is no component. Raises NotRenderable."""
        try:
            return self.input.release.helpers[purpose]
        except KeyError:
            raise NotRenderable(
                Reason.COMPONENT_UNAVAILABLE,
                f"release {self.input.release.name} has no image for {purpose}: "
                "set spec.release to a newer one",
            ) from None

    def host(self, component: ComponentName) -> str:
        """Full name of a component's Service."""
        return urls.service_host(component.value, self.namespace, self.platform)

    def url(self, component: ComponentName, port: int) -> str:
        """Where a component is reached inside the cluster."""
        return f"http://{self.host(component)}:{port}"

    def credential(self, key: str) -> str:
        """A value of the master Secret. Raises NotRenderable when it is not there."""
        try:
            return self.credentials[key]
        except KeyError:
            raise NotRenderable(
                Reason.CREDENTIALS_LOST,
                f"the Secret {names.credentials_secret(self.input.name)} lacks the key {key}",
            ) from None

    def password(self, role: str) -> str:
        """Password of a database role."""
        return self.credential(password_key(role))

    def database_url(self, role: str, *, scheme: str = "postgres") -> str:
        """A URL with the role's password in it, percent-encoded, for whatever it holds."""
        password = quote(self.password(role), safe="")
        host = self.host(ComponentName.DB)
        return f"{scheme}://{role}:{password}@{host}:{DATABASE_PORT}/postgres"

    def user_secret(self, name: str, key: str) -> str:
        """One key of a Secret of the user's. Raises NotRenderable when it is not there."""
        try:
            return self.input.secrets[name, key]
        except KeyError:
            raise missing_secret(self.input.namespace, name, key) from None

    def user_secret_all(self, name: str) -> dict[str, str]:
        """All keys of a Secret of the user's. Raises NotRenderable when there is none."""
        found = {k: v for (n, k), v in self.input.secrets.items() if n == name and k != ALL_KEYS}
        if not found:
            raise missing_secret(self.input.namespace, name, None)
        return found

    def connections(self, component: ComponentName) -> int:
        """Database connections that one pod of a component may hold."""
        return shares.connections_per_pod(self.spec, component)


def variant(spec: ProjectSpec, component: ComponentName) -> str | None:
    """Which program the spec chose in the place of a component's usual one; None for that."""
    if component is ComponentName.GATEWAY and spec.gateway.kind is not GatewayKind.ENVOY:
        return spec.gateway.kind.value
    engine = spec.objectstore.engine
    if component is ComponentName.OBJECTSTORE and engine is not ObjectStoreEngine.MINIO:
        return engine.value
    return None


def missing_secret(namespace: str, name: str, key: str | None) -> NotRenderable:
    what = f"Secret {namespace}/{name}" if key is None else f"key {key} of {namespace}/{name}"
    return NotRenderable(
        Reason.SECRET_MISSING, f"the {what} that the spec refers to is not there or empty: add it"
    )
