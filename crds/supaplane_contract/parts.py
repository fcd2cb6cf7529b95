"""What do the components of a stack have in common: switch, resources, replicas, volume?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from .fields import Cpu, Flag, Memory, Model, ObjectName, Rule, StorageQuantity, Whole


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
    """One key of a Secret in the SupabaseProject's own namespace."""

    name: ObjectName
    """Name of the Secret."""
    key: Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
    """Key inside the Secret."""


class LocalObjectRef(Model):
    """An object in the SupabaseProject's own namespace."""

    name: ObjectName
    """Name of the object."""


class ResourceAmounts(Model):
    """Amounts of CPU and memory."""

    cpu: Cpu | None = None
    """CPU in cores, as in 500m or 2."""
    memory: Memory | None = None
    """Memory, as in 512Mi or 2Gi."""


def _not_above(what: str) -> Rule:
    request, limit = f"self.requests.{what}", f"self.limits.{what}"
    return Rule(
        f"!self.?requests.?{what}.hasValue() || !self.?limits.?{what}.hasValue() || "
        f"quantity(string({request})).compareTo(quantity(string({limit}))) <= 0",
        f"requests.{what} must not be above limits.{what}",
    )


class Resources(Model):
    """Overrides of what the size gives to each pod of a component."""

    RULES = (_not_above("cpu"), _not_above("memory"))

    requests: ResourceAmounts | None = None
    """What the scheduler sets aside. Absent amounts: as the size has them."""
    limits: ResourceAmounts | None = None
    """What a pod may use at most. Absent amounts: as the size has them."""


class Autoscaling(Model):
    """Horizontal scaling by CPU use."""

    RULES = (
        Rule(
            "self.minReplicas <= self.maxReplicas",
            "autoscaling.minReplicas must not be above autoscaling.maxReplicas",
        ),
    )

    min_replicas: Annotated[Whole, Field(ge=1, le=50)] = 1
    """Fewest pods."""
    max_replicas: Annotated[Whole, Field(ge=1, le=50)]
    """Most pods."""
    target_cpu_utilization: Annotated[Whole, Field(ge=10, le=100)] = 80
    """Average CPU use, in percent of what is requested, that scaling aims at."""


class Component(Model):
    """What every component can be told."""

    enabled: Flag | None = None
    """Whether the component runs. Absent: as the release has it."""
    resources: Resources | None = None
    """CPU and memory of each pod, instead of what the size gives."""
    extra_env_from: Annotated[list[LocalObjectRef], Field(max_length=8)] = []
    """Secrets, in the SupabaseProject's own namespace, whose keys become further environment
    variables of the component; of two with the same key the later one wins."""


class ScalableComponent(Component):
    """A component that can run more than once."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.replicas) || !has(self.autoscaling)",
            "replicas and autoscaling contradict each other: remove one of them",
        ),
    )

    replicas: Annotated[Whole, Field(ge=1, le=50)] | None = None
    """How many pods. Absent: as the size has it."""
    autoscaling: Autoscaling | None = None
    """Scaling by load, in place of a fixed number of replicas."""


class VolumeSpec(Model):
    """A volume that holds data."""

    RULES = (
        Rule(
            "!has(oldSelf.size) || (has(self.size)"
            " && quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0)",
            "a volume can only grow: keep the size or raise it",
            "FieldValueForbidden",
        ),
        Rule(
            "has(self.className) == has(oldSelf.className)"
            " && (!has(self.className) || self.className == oldSelf.className)",
            "the storage class of a volume cannot be set, changed or removed later: "
            "make a new project and move the data",
            "FieldValueForbidden",
        ),
    )

    size: StorageQuantity | None = None
    """Size in Mi, Gi or Ti; may only grow. Absent: as the project's size has it."""
    class_name: ObjectName | None = None
    """StorageClass; cannot be set, changed or removed later. Absent: the cluster's default."""
