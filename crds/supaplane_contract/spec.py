"""What a person may wish for: the spec of a SupabaseProject.

These models are the source of the CRD's schema (`supaplane_contract.schema`); a docstring below a
field is what `kubectl explain` prints. Strict when a person sends, tolerant when the cluster is
read: see `resource.py`. A field without a default stays absent, and the release or the size
decides.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from . import names

HOST_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$"
QUANTITY_PATTERN = r"^[0-9]+(\.[0-9]+)?(m|[kMGTPE]|[KMGTPE]i)?$"
STORAGE_PATTERN = r"^[1-9][0-9]{0,5}(Mi|Gi|Ti)$"
NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
SLUG_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"

Host = Annotated[str, StringConstraints(pattern=HOST_PATTERN, max_length=253)]
Quantity = Annotated[str, StringConstraints(pattern=QUANTITY_PATTERN, max_length=20)]
StorageQuantity = Annotated[str, StringConstraints(pattern=STORAGE_PATTERN, max_length=10)]
ObjectName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=253)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Url = Annotated[str, StringConstraints(max_length=2048, pattern=r"^[a-zA-Z][a-zA-Z0-9+.-]*://")]
Cidr = Annotated[str, StringConstraints(max_length=43, pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]
Image = Annotated[
    str, StringConstraints(max_length=512, min_length=1, pattern=r"^[a-z0-9][-a-zA-Z0-9._/:@]*$")
]
Schema = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-zA-Z_][a-zA-Z0-9_$]*$")]


class Model(BaseModel):
    """Every part of a spec: frozen, camelCase outside, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )


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


class ComponentName(StrEnum):
    """The parts of a stack."""

    DB = "db"
    AUTH = "auth"
    REST = "rest"
    REALTIME = "realtime"
    STORAGE = "storage"
    IMGPROXY = "imgproxy"
    META = "meta"
    FUNCTIONS = "functions"
    STUDIO = "studio"
    GATEWAY = "gateway"
    POOLER = "pooler"
    ANALYTICS = "analytics"
    OBJECTSTORE = "objectstore"


class SecretKeyRef(Model):
    """One key of a Secret in the CR's own namespace."""

    name: ObjectName
    """Name of the Secret."""
    key: Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
    """Key inside the Secret."""


class LocalObjectRef(Model):
    """An object in the CR's own namespace."""

    name: ObjectName
    """Name of the object."""


class ResourceAmounts(Model):
    """Amounts of CPU and memory."""

    cpu: Quantity | None = None
    """CPU, as in `500m` or `2`."""
    memory: Quantity | None = None
    """Memory, as in `512Mi`."""


class Resources(Model):
    """Overrides of what the size gives to this component."""

    requests: ResourceAmounts | None = None
    """What the scheduler sets aside."""
    limits: ResourceAmounts | None = None
    """What the component may use at most."""


class Autoscaling(Model):
    """Horizontal scaling by CPU use."""

    min_replicas: Annotated[int, Field(ge=1, le=50)] = 1
    """Fewest replicas."""
    max_replicas: Annotated[int, Field(ge=1, le=50)]
    """Most replicas."""
    target_cpu_utilization: Annotated[int, Field(ge=10, le=100)] = 80
    """Average CPU use, in percent of the request, that scaling aims at."""


class Component(Model):
    """What every component can be told."""

    enabled: bool | None = None
    """Whether the component runs. Absent: as the release has it."""
    resources: Resources | None = None
    """CPU and memory, instead of what the size gives."""
    extra_env_from: Annotated[list[LocalObjectRef], Field(max_length=8)] = []
    """Secrets whose keys become further environment variables of the component."""


class ScalableComponent(Component):
    """A component that can run more than once."""

    replicas: Annotated[int, Field(ge=1, le=50)] | None = None
    """How many pods. Absent: as the size has it."""
    autoscaling: Autoscaling | None = None
    """Scaling by load; takes the place of `replicas`."""


class IssuerKind(StrEnum):
    """Kinds of cert-manager issuers."""

    ISSUER = "Issuer"
    CLUSTER_ISSUER = "ClusterIssuer"


class IssuerRef(Model):
    """A cert-manager issuer."""

    name: ObjectName
    """Name of the issuer."""
    kind: IssuerKind = IssuerKind.CLUSTER_ISSUER
    """Kind of the issuer."""


class Tls(Model):
    """Where the certificate of the public hosts comes from."""

    enabled: bool = False
    """Whether public URLs are https."""
    secret_name: ObjectName | None = None
    """A Secret of type kubernetes.io/tls in the CR's own namespace."""
    issuer_ref: IssuerRef | None = None
    """A cert-manager issuer that signs the certificate."""


class IngressKind(StrEnum):
    """Which Kubernetes API carries the public routes."""

    INGRESS = "Ingress"
    HTTP_ROUTE = "HTTPRoute"
    NONE = "None"


class ParentRef(Model):
    """The Gateway that an HTTPRoute attaches to."""

    name: ObjectName
    """Name of the Gateway."""
    namespace: ObjectName | None = None
    """Namespace of the Gateway."""
    section_name: ObjectName | None = None
    """Listener of the Gateway."""


class Ingress(Model):
    """How the project is reached from outside the cluster."""

    kind: IngressKind | None = None
    """Ingress, HTTPRoute or None. Absent: as the platform has it."""
    class_name: ObjectName | None = None
    """IngressClass. Absent: as the platform has it."""
    annotations: Annotated[
        dict[str, Annotated[str, StringConstraints(max_length=4096)]], Field(max_length=32)
    ] = {}
    """Annotations for the ingress controller; keys must be on the platform's allow-list."""
    tls: Tls | None = None
    """Certificates. Absent: as the platform has it."""
    parent_refs: Annotated[list[ParentRef], Field(max_length=4)] = []
    """Gateways that an HTTPRoute attaches to."""


class GatewayKind(StrEnum):
    """Programs that can be the API gateway."""

    ENVOY = "envoy"
    KONG = "kong"


class Gateway(ScalableComponent):
    """The one way in: routes, key checks and Studio's sign-in."""

    kind: GatewayKind = GatewayKind.ENVOY
    """Which gateway program runs."""


class VolumeSpec(Model):
    """A volume that holds data."""

    size: StorageQuantity | None = None
    """Size; may only grow. Absent: as the project's size has it."""
    class_name: ObjectName | None = None
    """StorageClass; cannot change. Absent: the cluster's default."""


class ExternalAccess(Model):
    """Reachability from outside the cluster."""

    enabled: bool = False
    """Whether a Service of type LoadBalancer is made."""
    allowed_cidrs: Annotated[list[Cidr], Field(max_length=64)] = []
    """Source ranges that may connect. Empty: none."""
    annotations: Annotated[
        dict[str, Annotated[str, StringConstraints(max_length=4096)]], Field(max_length=32)
    ] = {}
    """Annotations of that Service; keys must be on the platform's allow-list."""


class Database(Component):
    """PostgreSQL."""

    version: Annotated[str, StringConstraints(pattern=r"^1[0-9]$", max_length=2)] = "17"
    """Major version of PostgreSQL; cannot change."""
    storage: VolumeSpec = VolumeSpec()
    """The volume of the database."""
    parameters: Annotated[
        dict[
            Annotated[str, StringConstraints(max_length=63)],
            Annotated[str, StringConstraints(max_length=256)],
        ],
        Field(max_length=64),
    ] = {}
    """PostgreSQL parameters, by their names in postgresql.conf."""
    external: ExternalAccess = ExternalAccess()
    """Reachability from outside the cluster."""


class SmtpSettings(Model):
    """The mail server that auth sends with."""

    host: Annotated[str, StringConstraints(max_length=253, min_length=1)]
    """Host name of the mail server."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Port of the mail server."""
    user: Annotated[str, StringConstraints(max_length=320)] | None = None
    """User name."""
    password_ref: SecretKeyRef | None = None
    """Where the password is."""
    admin_email: Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]
    """Sender address."""
    sender_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Sender name."""


class Auth(ScalableComponent):
    """Sign-up, sign-in and users (GoTrue)."""

    site_url: Url | None = None
    """Where people land after signing in. Absent: the project's public URL."""
    additional_redirect_urls: Annotated[list[Text], Field(max_length=64)] = []
    """Further redirect targets; globs are allowed."""
    disable_signup: bool = False
    """Whether new people may not sign up by themselves."""
    jwt_expiry_seconds: Annotated[int, Field(ge=60, le=604800)] = 3600
    """Life of an access token, in seconds."""
    enable_email_signup: bool = True
    """Whether people may sign up with an e-mail address."""
    enable_phone_signup: bool = False
    """Whether people may sign up with a telephone number."""
    enable_anonymous_sign_ins: bool = False
    """Whether people may use the project without an account."""
    auto_confirm_email: bool | None = None
    """Whether addresses count as confirmed at once. Absent: exactly when there is no `smtp`."""
    smtp: SmtpSettings | None = None
    """Mail server. Without one no mail is sent."""
    settings: Annotated[
        dict[
            Annotated[str, StringConstraints(max_length=128)],
            Annotated[str, StringConstraints(max_length=16384)],
        ],
        Field(max_length=256),
    ] = {}
    """Further settings, keyed as in the Management API's auth config (lower case)."""
    secret_refs: Annotated[
        dict[Annotated[str, StringConstraints(max_length=128)], SecretKeyRef],
        Field(max_length=64),
    ] = {}
    """Settings that are secrets, keyed likewise."""


class Rest(ScalableComponent):
    """The REST and GraphQL data API (PostgREST)."""

    schemas: Annotated[list[Schema], Field(max_length=32)] = ["public", "graphql_public"]
    """Schemas that the data API exposes."""
    extra_search_path: Annotated[list[Schema], Field(max_length=32)] = ["public", "extensions"]
    """Schemas added to the search path."""
    max_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Most rows in one answer."""
    pool_size: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Database connections. Absent: as the size has it."""


class Realtime(Component):
    """Broadcast, presence and database changes (Realtime)."""

    max_concurrent_users: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Most clients connected at once."""
    max_events_per_second: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Most events per second."""


class StorageBackend(StrEnum):
    """Where objects are kept."""

    OBJECTSTORE = "objectstore"
    S3 = "s3"
    FILE = "file"


class S3Settings(Model):
    """A bucket of the user's own."""

    endpoint: Url
    """URL of the S3 service."""
    region: Annotated[str, StringConstraints(max_length=64)] = "us-east-1"
    """Region of the bucket."""
    bucket: Annotated[str, StringConstraints(max_length=63, min_length=3)]
    """Name of the bucket."""
    force_path_style: bool = True
    """Whether the bucket is part of the path instead of the host name."""
    credentials_secret: ObjectName
    """Secret with the keys `accessKeyId` and `secretAccessKey`."""


class Storage(ScalableComponent):
    """Files (Storage API)."""

    backend: StorageBackend = StorageBackend.OBJECTSTORE
    """Where objects are kept; cannot change."""
    s3: S3Settings | None = None
    """The bucket, with backend `s3`."""
    volume: VolumeSpec = VolumeSpec()
    """The volume, with backend `file`."""
    file_size_limit: Annotated[int, Field(ge=1, le=536_870_912_000)] = 52_428_800
    """Largest upload, in bytes."""
    image_transformation: bool = True
    """Whether images can be resized; runs imgproxy."""


class ObjectStoreEngine(StrEnum):
    """Programs that can be the bundled S3 server."""

    MINIO = "minio"
    RUSTFS = "rustfs"
    VERSITYGW = "versitygw"


class ObjectStore(Component):
    """The bundled S3 server."""

    engine: ObjectStoreEngine = ObjectStoreEngine.MINIO
    """Which program runs; cannot change."""
    volume: VolumeSpec = VolumeSpec()
    """The volume that holds the objects."""


class Functions(ScalableComponent):
    """Edge functions."""

    verify_jwt: bool = True
    """Whether every call needs a valid token or key."""


class Studio(Component):
    """The project's own Studio, behind the gateway's sign-in."""

    organization_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Organization shown. Absent: `spec.organization`."""


class PoolMode(StrEnum):
    """When a pooled connection is given back."""

    TRANSACTION = "transaction"
    SESSION = "session"


class Pooler(Component):
    """The connection pooler (Supavisor)."""

    pool_mode: PoolMode = PoolMode.TRANSACTION
    """When a pooled connection is given back."""
    default_pool_size: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Connections to the database per user. Absent: as the size has it."""
    max_client_connections: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Most clients. Absent: as the size has it."""
    external: ExternalAccess = ExternalAccess()
    """Reachability from outside the cluster."""


class Backup(Model):
    """Backups of the database."""

    schedule: Annotated[str, StringConstraints(max_length=100)] | None = None
    """When, as a cron line. Absent: never."""
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 7
    """How long a backup is kept, in days."""
    s3: S3Settings | None = None
    """Where backups go."""


class Network(Model):
    """What may talk to what."""

    restrict: bool = True
    """Whether everything not needed is refused by NetworkPolicies."""
    egress_allowed: bool = True
    """Whether auth and functions may reach the internet."""


class DeletionPolicy(StrEnum):
    """What becomes of the data when the SupabaseProject is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Deletion(Model):
    """What deleting the SupabaseProject does."""

    policy: DeletionPolicy = DeletionPolicy.RETAIN
    """Retain keeps namespace, volumes and Secrets; Delete removes everything."""
    protection: bool = False
    """Whether deleting is refused."""
    undelete_window_hours: Annotated[int, Field(ge=0, le=8760)] = 0
    """With policy Delete: how long the data can still be had back, in hours."""


class OperationKind(StrEnum):
    """One-shot work."""

    RESTART = "restart"


class Operation(Model):
    """One-shot work: run once per id, one at a time."""

    id: Annotated[
        str, StringConstraints(pattern=r"^[a-zA-Z0-9][-a-zA-Z0-9._]*$", max_length=64, min_length=1)
    ]
    """A new id starts the work; the same id never runs twice."""
    kind: OperationKind
    """What to do."""
    parameters: Annotated[
        dict[
            Annotated[str, StringConstraints(max_length=63)],
            Annotated[str, StringConstraints(max_length=1024)],
        ],
        Field(max_length=16),
    ] = {}
    """What to do it with. `restart` takes `components`: names separated by commas."""


class ProjectSpec(Model):
    """What the project should be. Everything may be left out."""

    ref: Annotated[str, StringConstraints(pattern=names.REF_PATTERN, max_length=20)] | None = None
    """The project ref: twenty lower-case letters, unique in the cluster; cannot change."""
    display_name: Annotated[str, StringConstraints(max_length=256, min_length=1)] | None = None
    """What people see. Absent: the name of the object."""
    organization: Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=63)] | None = (
        None
    )
    """Slug of the organization that the project belongs to in Studio."""
    region: Annotated[str, StringConstraints(max_length=64, min_length=1)] = "local"
    """Where the project counts as running; shown, not acted upon."""
    size: Size = Size.NANO
    """How much CPU, memory and storage the project gets."""
    desired_state: DesiredState = DesiredState.RUNNING
    """Running, or Paused: no pods, all data kept."""
    release: (
        Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9.]*$", max_length=63)] | None
    ) = None
    """The set of images. Absent: the newest at first acceptance, then pinned in the status."""
    images: Annotated[dict[ComponentName, Image], Field(max_length=16)] = {}
    """Images that take the place of the release's, by component."""
    host: Host | None = None
    """Public host of the API. Absent: `<ref>.<DOMAIN_BASE>`."""
    custom_domains: Annotated[list[Host], Field(max_length=8)] = []
    """Further public hosts of the API, outside the platform's own domain."""
    ingress: Ingress = Ingress()
    """How the project is reached from outside the cluster."""
    gateway: Gateway = Gateway()
    """The API gateway."""
    database: Database = Database()
    """PostgreSQL."""
    auth: Auth = Auth()
    """Sign-up, sign-in and users."""
    rest: Rest = Rest()
    """The data API."""
    realtime: Realtime = Realtime()
    """Broadcast, presence and database changes."""
    storage: Storage = Storage()
    """Files."""
    objectstore: ObjectStore = ObjectStore()
    """The bundled S3 server."""
    imgproxy: ScalableComponent = ScalableComponent()
    """Image transformation."""
    meta: ScalableComponent = ScalableComponent()
    """The database management API that Studio uses (postgres-meta)."""
    functions: Functions = Functions()
    """Edge functions."""
    studio: Studio = Studio()
    """The project's own Studio."""
    pooler: Pooler = Pooler()
    """The connection pooler."""
    analytics: Component = Component()
    """Logs (Logflare)."""
    backup: Backup = Backup()
    """Backups of the database."""
    network: Network = Network()
    """What may talk to what."""
    deletion: Deletion = Deletion()
    """What deleting the SupabaseProject does."""
    operation: Operation | None = None
    """One-shot work."""

    def component(self, name: ComponentName) -> Component:
        """The part of the spec that is about one component."""
        attribute = "database" if name is ComponentName.DB else name.value
        part: Any = getattr(self, attribute)
        assert isinstance(part, Component)
        return part
