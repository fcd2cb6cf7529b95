"""Changes in the life of a project, as Studio sends and reads them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from supaplane_api.schema import Answer, Body
from supaplane_api.text import Word

Gigabytes = Annotated[int, Field(ge=1, le=65536)]


class Done(Answer):
    """The wish was written; the project's status tells how it goes."""

    message: str


class Restore(Body):
    """Brings a paused project back. Another version cannot be chosen."""

    postgres_engine: Word | None = None
    release_channel: Word | None = None


class Backup(Answer):
    """A backup that can be restored."""

    id: int


class Restored(Answer):
    """A project that is coming back."""

    id: int
    ref: str
    status: str
    region: str
    cloud_provider: str
    organization_id: int
    back_ups: tuple[Backup, ...] = ()


class PauseStatus(Answer):
    """Whether a paused project can be brought back: always, its volumes are kept."""

    can_restore: bool
    last_paused_on: str | None
    latest_downloadable_backup_id: int | None = None
    max_days_till_restore_disabled: int = 36_500
    """There is no such limit; the field must be a number."""
    remaining_days_till_restore_disabled: int | None = None


class Restart(Body):
    """Restarts everything, the database last."""

    database_identifier: Word | None = None


class RestartRequest(Body):
    """Which services to restart."""

    services: Annotated[list[Word], Field(min_length=1, max_length=32)]
    region: Word | None = None
    database_identifier: Word | None = None
    source_notification_id: Word | None = None


class RestartServices(Body):
    """Restarts some services."""

    restartRequest: RestartRequest


class Resize(Body):
    """A larger volume for the database."""

    volume_size_gb: Gigabytes


class DiskWish(Body):
    """Attributes of the volume; only its size can be changed."""

    size_gb: Gigabytes
    type: Word | None = None
    iops: int | None = None
    throughput_mbps: int | None = None
    throughput_mibps: int | None = None


class ChangeDisk(Body):
    """New attributes of the database's volume."""

    attributes: DiskWish


class AddonWish(Body):
    """An add-on; the compute size is the only one that is offered."""

    addon_type: Word
    addon_variant: Word


class Transfer(Body):
    """Which organization takes the project."""

    target_organization_slug: Word


class Remark(Answer):
    """Something to know before a transfer."""

    key: str
    message: str


class ExceedingMember(Answer):
    """A member with too many projects; there is no such limit here."""

    name: str
    limit: int


class TransferPreview(Answer):
    """Whether a transfer would succeed, and why not."""

    valid: bool
    errors: list[Remark]
    warnings: tuple[Remark, ...] = ()
    info: tuple[Remark, ...] = ()
    members_exceeding_free_project_limit: tuple[ExceedingMember, ...] = ()
    source_subscription_plan: Literal["free"] = "free"
    target_subscription_plan: Literal["free"] | None
    has_access_to_target_organization: bool
    has_permissions_on_source_organization: bool = True


class Deleted(Answer):
    """A project that is going down."""

    id: int
    ref: str
    name: str
