"""Projects as Studio sends and reads them, in all its generations."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from supaplane_api.schema import Answer, Body
from supaplane_api.text import Name, Password, Word

Place = Annotated[str, StringConstraints(max_length=64, min_length=1, pattern=r"^[\w .-]+$")]
Number = Annotated[int, Field(ge=1, le=2**53)]


class RegionSelection(Body):
    """A region by its code, or a group of regions."""

    code: Place
    type: Literal["specific", "smartGroup"] = "specific"


class CreateProject(Body):
    """A new project. Fields that ask for what cannot be done are refused, see `wishes.py`."""

    name: Name
    db_pass: Password
    """Password of the database role postgres. Must be hard to guess."""
    organization_slug: Word | None = None
    organization_id: Number | Word | None = None
    """Number or slug, for older clients."""
    org_id: Number | Word | None = None
    """Number or slug, for older clients."""
    db_region: Place | None = None
    region: Place | None = None
    region_selection: RegionSelection | None = None
    desired_instance_size: Word | None = None
    """As in micro. Absent: nano."""
    cloud_provider: Word | None = None
    """Any; all projects run on this Kubernetes."""
    auth_site_url: Annotated[str, StringConstraints(max_length=2048)] | None = None
    """Where people land after signing in to the project."""
    data_api_exposed_schemas: Annotated[list[Word], Field(max_length=32)] | None = None
    """Schemas of the data API; an empty list switches it off."""
    data_api_use_api_schema: bool | None = None
    db_pricing_tier_id: Word | None = None
    plan: Word | None = None
    kps_enabled: bool | None = None
    high_availability: bool | None = None
    postgres_engine: Word | None = None
    release_channel: Word | None = None
    template_url: Annotated[str, StringConstraints(max_length=2048)] | None = None
    db_sql: Annotated[str, StringConstraints(max_length=1_000_000)] | None = None
    custom_supabase_internal_requests: dict[str, Any] | None = None
    """Older Studio's way to ask for a version of PostgreSQL."""


class ListedProject(Answer):
    """A project in a list."""

    id: int
    ref: str
    name: str
    status: str
    organization_id: int
    organization_slug: str
    cloud_provider: str
    region: str
    inserted_at: str
    subscription_id: str | None = None
    is_branch_enabled: bool = False
    is_physical_backups_enabled: bool = False
    is_read_replicas_enabled: bool = False
    preview_branch_refs: tuple[str, ...] = ()
    disk_volume_size_gb: int | None = None
    infra_compute_size: str


class Pagination(Answer):
    """Which part of a list this is."""

    count: int
    """How many there are in all."""
    limit: int
    offset: int


class ProjectPage(Answer):
    """Part of a list; sent to clients with the header `Version: 2`."""

    pagination: Pagination
    projects: list[ListedProject]


class CreatedProject(ListedProject):
    """A project that was just made, with its keys."""

    endpoint: str
    anon_key: str
    service_key: str


OPAQUE_CONNECTION: Final = "by-membership"


class ProjectDetail(ListedProject):
    """One project."""

    updated_at: str
    connectionString: str = OPAQUE_CONNECTION
    """Sent back with every call of postgres-meta, of which Studio makes none while it is empty. It
    says nothing: the API reaches the database by membership and ref."""
    db_host: str
    restUrl: str
    dbVersion: str
    volumeSizeGb: int | None
    high_availability: bool = False
    status_message: str | None
    """The one thing worth knowing now, as the operator says it."""


class ProjectStatus(Answer):
    """The state, in one word."""

    status: str


class ApiKey(Answer):
    """A key that clients of the project send."""

    api_key: str
    name: str
    tags: str


class App(Answer):
    """Which of the project's services."""

    id: int = 1
    name: str = "Auto API"


class AppConfig(Answer):
    """How the data API is reached."""

    db_schema: str
    """Exposed schemas, separated by commas; empty when it is switched off."""
    endpoint: str
    """Host, without a scheme."""
    storage_endpoint: str
    realtime_enabled: bool
    """Whether the project runs Realtime."""


class Service(Answer):
    """The data API with its keys."""

    id: int = 1
    name: str = "Default API"
    app: App = App()
    app_config: AppConfig
    service_api_keys: list[ApiKey]


class SettingsProject(Answer):
    """A project as older Studio's settings page knows it."""

    id: int
    ref: str
    name: str
    status: str
    cloud_provider: str
    region: str
    inserted_at: str
    db_dns_name: str
    db_host: str
    db_name: str
    db_port: int
    db_user: str
    db_ip_addr_config: str
    ssl_enforced: bool
    jwt_secret: str | None


class ProjectSettings(Answer):
    """Settings and keys: flat for today's Studio, `project` and `services` for older ones."""

    ref: str
    name: str
    status: str
    cloud_provider: str
    region: str
    inserted_at: str
    db_dns_name: str
    db_host: str
    db_name: str
    db_port: int
    db_user: str
    db_ip_addr_config: str = "ipv6"
    ssl_enforced: bool = False
    is_sensitive: bool = False
    jwt_secret: str | None
    """Only for roles that may see secret keys."""
    app_config: AppConfig
    service_api_keys: list[ApiKey]
    """The service key only for roles that may see secret keys."""
    project: SettingsProject
    services: list[Service]


class ChangeSettings(Body):
    """What can be changed is the name. Other fields may be sent as they are."""

    name: Name | None = None
    db_host: Word | None = None
    db_name: Word | None = None
    db_port: int | None = None
    db_user: Word | None = None
    jwt_secret: Word | None = None
    cloud_provider: Word | None = None
    region: Word | None = None
    ssl_enforced: bool | None = None


class RenameProject(Body):
    """A new name."""

    name: Name


class RenamedProject(Answer):
    """A project after a change of its name."""

    id: int
    ref: str
    name: str


class JustRef(Answer):
    """Which project."""

    ref: str


class AutoApiService(Answer):
    """The data API with its keys, as older Studio's API page knows it."""

    id: int = 1
    name: str = "Default API"
    app: App = App()
    app_config: AppConfig
    protocol: str
    endpoint: str
    """Host, without a scheme."""
    restUrl: str
    project: JustRef
    defaultApiKey: str
    serviceApiKey: str | None
    """Only for roles that may see secret keys."""
    service_api_keys: list[ApiKey]


class ApiInfo(Answer):
    """How the project's API is called."""

    autoApiService: AutoApiService
