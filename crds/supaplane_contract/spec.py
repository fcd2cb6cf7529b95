"""What may a person wish for: the spec of a SupabaseProject.

These models are the source of the CRD's schema (`supaplane_contract.schema`); a docstring below a
field is what `kubectl explain` prints. Strict when a person sends, tolerant when the cluster is
read: see `resource.py`. A default here is written into every object when it is made, so it holds
for the object's life; a field without a default stays absent, and release, size or platform decide.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from . import names
from .components import (
    Auth,
    Functions,
    FunctionSource,
    Gateway,
    GatewayKind,
    ObjectStore,
    ObjectStoreEngine,
    Pooler,
    PoolMode,
    Realtime,
    Rest,
    S3Settings,
    SmtpSettings,
    Storage,
    StorageBackend,
    Studio,
)
from .database import Database
from .exposure import ExternalAccess, Ingress, IngressKind, IssuerKind, IssuerRef, ParentRef, Tls
from .fields import SET, SLUG_PATTERN, Cron, Flag, Host, Image, Model, Rule, Whole
from .operation import Operation, OperationKind
from .parts import (
    Autoscaling,
    Component,
    ComponentName,
    LocalObjectRef,
    ResourceAmounts,
    Resources,
    ScalableComponent,
    SecretKeyRef,
    VolumeSpec,
)

__all__ = [
    "Auth",
    "Autoscaling",
    "Backup",
    "Component",
    "ComponentName",
    "Database",
    "Deletion",
    "DeletionPolicy",
    "DesiredState",
    "ExternalAccess",
    "FunctionSource",
    "Functions",
    "Gateway",
    "GatewayKind",
    "Ingress",
    "IngressKind",
    "IssuerKind",
    "IssuerRef",
    "LocalObjectRef",
    "Model",
    "Network",
    "ObjectStore",
    "ObjectStoreEngine",
    "Operation",
    "OperationKind",
    "ParentRef",
    "PoolMode",
    "Pooler",
    "ProjectSpec",
    "Realtime",
    "ResourceAmounts",
    "Resources",
    "Rest",
    "S3Settings",
    "ScalableComponent",
    "SecretKeyRef",
    "Size",
    "SmtpSettings",
    "Storage",
    "StorageBackend",
    "Studio",
    "Tls",
    "VolumeSpec",
]


class Size(StrEnum):
    """Compute sizes, in the words of the Supabase Management API, and `dev` for laptops."""

    DEV = "dev"
    NANO = "nano"
    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    XLARGE = "xlarge"
    XLARGE_2 = "2xlarge"
    XLARGE_4 = "4xlarge"
    XLARGE_8 = "8xlarge"
    XLARGE_12 = "12xlarge"
    XLARGE_16 = "16xlarge"


class DesiredState(StrEnum):
    """Whether the project should serve."""

    RUNNING = "Running"
    PAUSED = "Paused"


class Backup(Model):
    """Backups of the database."""

    RULES = (
        Rule(
            "!has(self.schedule) || has(self.s3)",
            "backup.schedule needs a place for the backups: give backup.s3",
        ),
    )

    schedule: Cron | None = None
    """When, as a cron line in UTC such as 0 3 * * *, or @daily. Absent: never."""
    retention_days: Annotated[Whole, Field(ge=1, le=3650)] = 7
    """How long a backup is kept, in days."""
    s3: S3Settings | None = None
    """The bucket that backups go to."""


class Network(Model):
    """What may talk to what."""

    restrict: Flag = True
    """Whether everything not needed is refused by NetworkPolicies."""
    egress_allowed: Flag = True
    """Whether auth and functions may reach the internet. A bucket in storage.s3 is reached
    anyway."""


class DeletionPolicy(StrEnum):
    """What becomes of the data when the SupabaseProject is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Deletion(Model):
    """What deleting the SupabaseProject does."""

    RULES = (
        Rule(
            "self.?undeleteWindowHours.orValue(0) == 0 || self.policy == 'Delete'",
            "policy Retain keeps the data without limit: remove undeleteWindowHours, "
            "or set policy: Delete",
        ),
    )

    policy: DeletionPolicy = DeletionPolicy.RETAIN
    """Retain keeps namespace, volumes and Secrets, and a SupabaseProject of the same name finds
    them again; Delete removes everything."""
    protection: Flag = False
    """Whether deleting the SupabaseProject is refused until this is false again."""
    undelete_window_hours: Annotated[Whole, Field(ge=0, le=8760)] = 0
    """With policy Delete: how long the data can still be had back, in hours."""


def _needs(component: str, other: str) -> Rule:
    return Rule(
        f"!self.?{component}.?enabled.orValue(false) || self.?{other}.?enabled.orValue(true)",
        f"{component} cannot work without {other}: enable {other} or disable {component}",
        field=f".{other}.enabled",
    )


class ProjectSpec(Model):
    """What the project should be. Everything may be left out."""

    RULES = (
        _needs("studio", "meta"),
        Rule(
            "!has(self.host) || !has(self.customDomains)"
            " || !self.customDomains.exists(domain, domain == self.host)",
            "host is served anyway: remove it from customDomains",
            field=".customDomains",
        ),
    )

    ref: Annotated[str, StringConstraints(pattern=names.REF_PATTERN, max_length=20)] | None = None
    """The project ref: twenty lower-case letters, unique in the cluster, part of every URL; cannot
    change. Absent: the name of the object if it has that shape, else derived from namespace and
    name. See status.ref."""
    display_name: Annotated[str, StringConstraints(max_length=256, min_length=1)] | None = None
    """What people see. Absent: the name of the object."""
    organization: Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=63)] | None = (
        None
    )
    """Slug of the organization that the project belongs to in Studio. Absent: the project is seen
    by kubectl only."""
    region: Annotated[str, StringConstraints(max_length=64, min_length=1)] = "local"
    """Where the project counts as running; shown, not acted upon."""
    size: Size = Size.NANO
    """How much CPU, memory, storage and how many connections the project gets, in the words of the
    Supabase platform; dev asks for next to nothing, for laptops."""
    desired_state: DesiredState = DesiredState.RUNNING
    """Running, or Paused: no pods, all data kept."""
    release: (
        Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9.]*$", max_length=63)] | None
    ) = None
    """The set of images, tested together. Absent: the newest at first acceptance, then pinned in
    status.release."""
    images: Annotated[dict[ComponentName, Image], Field(max_length=16)] = {}
    """Images that take the place of the release's, by component. At your own risk: what the release
    was tested with no longer holds."""
    host: Host | None = None
    """Public host of the API. Absent: ref and the platform's domain."""
    custom_domains: Annotated[list[Host], Field(max_length=8, json_schema_extra=SET)] = []
    """Further public hosts of the API, outside the platform's own domain."""
    ingress: Ingress = Ingress()
    """How the project is reached from outside the cluster."""
    gateway: Gateway = Gateway()
    """The API gateway: the one way in, with routes, key checks and Studio's sign-in."""
    database: Database = Database()
    """PostgreSQL: version, volume, parameters and access."""
    auth: Auth = Auth()
    """Sign-up, sign-in and users (GoTrue)."""
    rest: Rest = Rest()
    """The REST and GraphQL data API (PostgREST)."""
    realtime: Realtime = Realtime()
    """Broadcast, presence and database changes (Realtime)."""
    storage: Storage = Storage()
    """Files (Storage API)."""
    objectstore: ObjectStore = ObjectStore()
    """The bundled S3 server. With enabled absent it runs when storage.backend is objectstore."""
    imgproxy: ScalableComponent = ScalableComponent()
    """Image transformation (imgproxy). With enabled absent it runs when
    storage.imageTransformation asks for it."""
    meta: ScalableComponent = ScalableComponent()
    """The database management API that Studio uses (postgres-meta)."""
    functions: Functions = Functions()
    """Edge functions (Edge Runtime)."""
    studio: Studio = Studio()
    """The project's own Studio."""
    pooler: Pooler = Pooler()
    """The connection pooler (Supavisor)."""
    analytics: Component = Component()
    """Logs (Logflare)."""
    backup: Backup = Backup()
    """Backups of the database."""
    network: Network = Network()
    """What may talk to what."""
    deletion: Deletion = Deletion()
    """What deleting the SupabaseProject does."""
    operation: Operation | None = None
    """One-shot work, such as a restart: run once per id, one at a time."""

    def component(self, name: ComponentName) -> Component:
        """The part of the spec that is about one component."""
        attribute = "database" if name is ComponentName.DB else name.value
        part: Any = getattr(self, attribute)
        assert isinstance(part, Component)
        return part
