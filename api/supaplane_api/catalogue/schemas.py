"""Sizes, regions, versions and health, as Studio reads them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from supaplane_api.projects.schemas import OPAQUE_CONNECTION, Pagination
from supaplane_api.schema import Answer, Body
from supaplane_api.text import Word


class Region(Answer):
    """Where projects can run."""

    code: str
    name: str
    provider: str
    type: Literal["specific"] = "specific"


class RegionGroup(Answer):
    """A group of regions; there are none here."""

    code: str
    name: str
    type: Literal["smartGroup"] = "smartGroup"


class AllRegions(Answer):
    """Every region, one by one and in groups."""

    smartGroup: tuple[RegionGroup, ...] = ()
    specific: tuple[Region, ...]


class RecommendedRegions(Answer):
    """Which of them to offer first."""

    smartGroup: RegionGroup | None = None
    specific: tuple[Region, ...]


class AvailableRegions(Answer):
    """Where projects can run: on this cluster."""

    all: AllRegions
    recommendations: RecommendedRegions


class WhichVersions(Body):
    """Where the versions are asked for; they are the same everywhere."""

    provider: Word | None = None
    region: Word | None = None


class Version(Answer):
    """A version of PostgreSQL."""

    version: str
    postgres_engine: str
    release_channel: str = "ga"


class AvailableVersions(Answer):
    """Versions that a project can be made with."""

    available_versions: tuple[Version, ...]


class Compute(Answer):
    """What a compute size gives to the database."""

    cpu_cores: int
    cpu_dedicated: bool = False
    memory_gb: float
    connections_direct: int
    connections_pooler: int
    baseline_disk_io_mbs: int = 0
    """Zero: the StorageClass decides."""
    max_disk_io_mbs: int = 0
    """Zero: the StorageClass decides."""


class Variant(Answer):
    """One choice of an add-on; nothing costs anything here."""

    identifier: str
    name: str
    price: int = 0
    price_type: Literal["fixed"] = "fixed"
    price_interval: Literal["monthly"] = "monthly"
    price_description: str = "Free"
    meta: Compute


class AvailableAddon(Answer):
    """What can be chosen."""

    type: Literal["compute_instance"] = "compute_instance"
    name: str
    variants: list[Variant]


class SelectedAddon(Answer):
    """What was chosen."""

    type: Literal["compute_instance"] = "compute_instance"
    variant: Variant


class Addons(Answer):
    """The compute size, and the sizes that can be had."""

    ref: str
    selected_addons: list[SelectedAddon]
    available_addons: list[AvailableAddon]


class DatabaseEntry(Answer):
    """A database of a project."""

    identifier: str
    status: str
    region: str
    cloud_provider: str
    size: str
    inserted_at: str
    db_host: str
    db_name: str = "postgres"
    db_port: int
    db_user: str = "postgres"
    restUrl: str
    connectionString: str = OPAQUE_CONNECTION
    connection_string_read_only: str = OPAQUE_CONNECTION


class DatabaseStatus(Answer):
    """How a database is."""

    identifier: str
    status: str


class LoadBalancer(Answer):
    """One address for several databases; there are none here."""

    endpoint: str


class DiskAttributes(Answer):
    """The volume of the database. Zero: the StorageClass decides."""

    type: Literal["gp3"] = "gp3"
    size_gb: int
    iops: int = 0
    throughput_mbps: int = 0
    throughput_mibps: int = 0


class Disk(Answer):
    """The volume of the database."""

    attributes: DiskAttributes


class DiskAutoscaling(Answer):
    """How the volume grows by itself: it does not."""

    growth_percent: int | None = None
    max_size_gb: int | None = None
    min_increment_gb: int | None = None


class ServiceVersions(Answer):
    """Versions of services."""

    supabase_postgres: str = Field(serialization_alias="supabase-postgres")
    gotrue: str | None
    postgrest: str | None


class AuthInfo(Answer):
    """What Auth says of itself."""

    name: Literal["GoTrue"] = "GoTrue"
    version: str
    description: str = "Auth of this project"


class RestInfo(Answer):
    """What the data API exposes."""

    db_schema: str


class Health(Answer):
    """How one service is."""

    name: str
    status: Literal["COMING_UP", "ACTIVE_HEALTHY", "UNHEALTHY"]
    healthy: bool
    info: AuthInfo | RestInfo | None = None
    error: str | None = None


class UpgradeEligibility(Answer):
    """Whether PostgreSQL can be upgraded: not yet by this platform."""

    eligible: bool = False
    current_app_version: str
    current_app_version_release_channel: str = "ga"
    latest_app_version: str
    target_upgrade_versions: tuple[Version, ...] = ()
    duration_estimate_hours: int = 0
    requires_manual_intervention: str | None = None
    potential_breaking_changes: tuple[str, ...] = ()
    extension_dependent_objects: tuple[str, ...] = ()
    legacy_auth_custom_roles: tuple[str, ...] = ()
    objects_to_be_dropped: tuple[str, ...] = ()
    unsupported_extensions: tuple[str, ...] = ()
    user_defined_objects_in_internal_schemas: tuple[str, ...] = ()
    validation_errors: tuple[str, ...] = ()


class UpgradeStatus(Answer):
    """How an upgrade goes; null: none is under way."""

    databaseUpgradeStatus: None = None


class CardDatabase(Answer):
    """The database of a project in an organization's list."""

    identifier: str
    type: Literal["PRIMARY"] = "PRIMARY"
    status: str
    region: str
    cloud_provider: str
    infra_compute_size: str
    disk_volume_size_gb: int | None


class Card(Answer):
    """A project in an organization's list."""

    ref: str
    name: str
    status: str
    region: str
    cloud_provider: str
    inserted_at: str
    is_branch: bool = False
    databases: list[CardDatabase]


class CardPage(Answer):
    """Part of an organization's projects."""

    pagination: Pagination
    projects: list[Card]


class RunningOut(Answer):
    """A project that runs out of something; nothing is measured here."""

    project: str
