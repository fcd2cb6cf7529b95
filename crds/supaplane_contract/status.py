"""What does the operator answer: phase, conditions, components, endpoints?

The operator is the only writer. Readers are tolerant: an unknown phase or field of a newer
operator must not stop an older program, so phases and reasons are read as plain strings. Lengths
are limits of the schema; a message that is too long is cut, so that it never stops the status.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .fields import immutable, keyed_by, ruled

MESSAGE_LIMIT: Final = 4096
"""Characters that a message may have."""


def _cut(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else f"{message[: MESSAGE_LIMIT - 1]}…"


Word = Annotated[str, Field(json_schema_extra={"maxLength": 316})]
Location = Annotated[str, Field(json_schema_extra={"maxLength": 1024})]
Time = Annotated[str, Field(json_schema_extra={"maxLength": 40})]
Message = Annotated[
    str, AfterValidator(_cut), Field(json_schema_extra={"maxLength": MESSAGE_LIMIT})
]


class Phase(StrEnum):
    """The words of Studio and of the Management API."""

    INIT_FAILED = "INIT_FAILED"
    COMING_UP = "COMING_UP"
    ACTIVE_HEALTHY = "ACTIVE_HEALTHY"
    ACTIVE_UNHEALTHY = "ACTIVE_UNHEALTHY"
    PAUSING = "PAUSING"
    INACTIVE = "INACTIVE"
    PAUSE_FAILED = "PAUSE_FAILED"
    RESTORING = "RESTORING"
    RESTORE_FAILED = "RESTORE_FAILED"
    RESTARTING = "RESTARTING"
    RESIZING = "RESIZING"
    UPGRADING = "UPGRADING"
    GOING_DOWN = "GOING_DOWN"


class ConditionType(StrEnum):
    """What a condition is about."""

    ACCEPTED = "Accepted"
    READY = "Ready"
    AVAILABLE = "Available"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    UP_TO_DATE = "UpToDate"
    OPERATION_SUCCEEDED = "OperationSucceeded"
    DATABASE_READY = "DatabaseReady"
    STACK_READY = "StackReady"
    NETWORK_READY = "NetworkReady"
    DNS_READY = "DNSReady"


class Reason(StrEnum):
    """Why a condition holds; each has an entry in docs/troubleshooting.md."""

    ACCEPTED = "Accepted"
    NAMESPACE_NOT_A_HOME = "NamespaceNotAHome"
    NAMESPACE_TAKEN = "NamespaceTaken"
    REF_TAKEN = "RefTaken"
    HOST_TAKEN = "HostTaken"
    HOST_RESERVED = "HostReserved"
    RELEASE_UNKNOWN = "ReleaseUnknown"
    COMPONENT_UNAVAILABLE = "ComponentUnavailable"
    NOT_SUPPORTED = "NotSupported"
    SPEC_INVALID = "SpecInvalid"
    ANNOTATION_REFUSED = "AnnotationRefused"
    SECRET_MISSING = "SecretMissing"
    CREDENTIALS_LOST = "CredentialsLost"
    RECONCILE_PAUSED = "ReconcilePaused"
    READY = "Ready"
    PAUSED = "Paused"
    PAUSING = "Pausing"
    RESUMING = "Resuming"
    COMING_UP = "ComingUp"
    COMPONENT_NOT_READY = "ComponentNotReady"
    DATABASE_NOT_READY = "DatabaseNotReady"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    APPLY_REFUSED = "ApplyRefused"
    QUOTA_EXCEEDED = "QuotaExceeded"
    API_UNREACHABLE = "ApiServerUnreachable"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CRASH_LOOP = "CrashLoop"
    OUT_OF_MEMORY = "OutOfMemory"
    UNSCHEDULABLE = "Unschedulable"
    VOLUME_PENDING = "VolumePending"
    PROBE_FAILING = "ProbeFailing"
    CERTIFICATE_NOT_ISSUED = "CertificateNotIssued"
    DNS_ACKNOWLEDGED = "DNSAcknowledged"
    DNS_PENDING = "DNSPending"
    DNS_HOOK_REFUSED = "DNSHookRefused"
    DNS_HOOK_UNAVAILABLE = "DNSHookUnavailable"
    NO_PUBLIC_HOST = "NoPublicHost"
    NEW_RENDERING = "NewRendering"
    UP_TO_DATE = "UpToDate"
    ROLLING = "Rolling"
    RESTARTING = "Restarting"
    RESIZING = "Resizing"
    UPGRADING = "Upgrading"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETING = "Deleting"
    IDLE = "Idle"


class ComponentPhase(StrEnum):
    """How one component is."""

    PENDING = "Pending"
    STARTING = "Starting"
    READY = "Ready"
    UNHEALTHY = "Unhealthy"
    STOPPING = "Stopping"
    STOPPED = "Stopped"


class StatusModel(BaseModel):
    """Every part of a status: read tolerantly, written in camelCase."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )


class Condition(StatusModel):
    """A Kubernetes condition."""

    type: Word
    """What it is about."""
    status: Word
    """True, False or Unknown."""
    reason: Word
    """Why, as a constant."""
    message: Message = ""
    """Why, for people."""
    observed_generation: int | None = None
    """The generation of the spec that it is about."""
    last_transition_time: Time = ""
    """When the status of the condition last changed, RFC 3339 in UTC."""


class ComponentStatus(StatusModel):
    """How one component is."""

    name: Word
    """Name of the component."""
    phase: Word
    """Pending, Starting, Ready, Unhealthy, Stopping or Stopped."""
    ready: int = 0
    """Pods that are ready."""
    desired: int = 0
    """Pods that should be ready."""
    image: Location = ""
    """The image that runs."""
    reason: Word | None = None
    """Why it is not ready, as a constant."""
    message: Message | None = None
    """Why it is not ready, for people."""


class Endpoints(StatusModel):
    """Where the project is reached."""

    api: Location | None = None
    """URL of the API gateway."""
    studio: Location | None = None
    """URL of the project's own Studio."""
    database: Location | None = None
    """Host and port of the database inside the cluster."""
    pooler: Location | None = None
    """Host and port of the pooler."""


class OperationStatus(StatusModel):
    """One-shot work, under way or done."""

    id: Word
    """The id in the spec."""
    kind: Word
    """What was asked for."""
    phase: Word
    """Running, Succeeded or Failed."""
    step: Word | None = None
    """What is done of it at this moment, or was at last: SettingPassword or ReplacingPods."""
    started_at: Time | None = None
    """When it began, RFC 3339 in UTC."""
    finished_at: Time | None = None
    """When it ended, RFC 3339 in UTC."""
    message: Message | None = None
    """How it went, for people."""


class BackupStatus(StatusModel):
    """The last backup."""

    id: Word
    """Name of the backup."""
    finished_at: Time | None = None
    """When it ended, RFC 3339 in UTC."""


OPERATIONS_REMEMBERED: Final = 32
"""A wish out of history (an old manifest applied again) is known this far back."""


class ProjectStatus(StatusModel):
    """What the operator answers."""

    phase: Word | None = None
    """The state of the project, in the words of the Management API."""
    phase_since: Time | None = None
    """When the phase began, RFC 3339 in UTC."""
    ref: (
        Annotated[Word, Field(json_schema_extra=ruled(immutable("the ref of a project")))] | None
    ) = None
    """The project ref; never changes."""
    namespace: Word | None = None
    """Where the stack runs."""
    observed_generation: int | None = None
    """The generation of the spec that this status is about."""
    release: Word | None = None
    """The set of images, pinned."""
    size: Word | None = None
    """The size that runs."""
    ready: Word | None = None
    """Components ready and wanted, as in 5/6."""
    message: Message | None = None
    """The one thing worth knowing now, for people."""
    conditions: Annotated[
        list[Condition], Field(json_schema_extra={**keyed_by("type"), "maxItems": 32})
    ] = []
    """What holds, by concern."""
    components: Annotated[
        list[ComponentStatus], Field(json_schema_extra={**keyed_by("name"), "maxItems": 32})
    ] = []
    """How each component is."""
    endpoints: Endpoints | None = None
    """Where the project is reached."""
    credentials_secret: Word | None = None
    """Name of the master Secret beside the SupabaseProject."""
    operation: OperationStatus | None = None
    """One-shot work under way."""
    last_operation: OperationStatus | None = None
    """One-shot work that ended last."""
    past_operations: Annotated[
        list[Word], Field(json_schema_extra={"maxItems": OPERATIONS_REMEMBERED})
    ] = []
    """Ids of one-shot work that has ended, the latest first; none of these is begun again."""
    last_backup: BackupStatus | None = None
    """The last backup."""

    def condition(self, type_: str) -> Condition | None:
        """The condition of that type, if there is one."""
        return next((c for c in self.conditions if c.type == type_), None)


def merge_conditions(
    previous: Iterable[Condition], wanted: Sequence[Condition], *, now: str
) -> list[Condition]:
    """`wanted`, with the transition time of each condition whose status did not change kept."""
    before = {c.type: c for c in previous}
    merged = []
    for condition in wanted:
        old = before.get(condition.type)
        since = old.last_transition_time if old and old.status == condition.status else now
        merged.append(condition.model_copy(update={"last_transition_time": since or now}))
    return merged
