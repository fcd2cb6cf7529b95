"""What does each part of one project get: its size's profile with the spec's overrides in it?

Pure arithmetic over `ProjectSpec` and the table of sizes; the renderer writes down what it says.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from . import quantities
from .sizes import (
    CONTAINER_DEFAULT,
    SIZES,
    SMALL_VOLUME,
    Amounts,
    ComponentProfile,
    SizeProfile,
    postgres_memory,
)
from .spec import (
    ComponentName,
    ProjectSpec,
    ResourceAmounts,
    ScalableComponent,
    StorageBackend,
)

_SURGE = 2
"""While pods are replaced, each may be there twice."""
_HELPERS = 4
"""Pods beside the components: bootstrap, backup, restore and hook Jobs."""


def profile(spec: ProjectSpec) -> SizeProfile:
    """The profile of the spec's size."""
    return SIZES[spec.size]


def share(spec: ProjectSpec, name: ComponentName) -> ComponentProfile:
    """What each pod of a component gets and how many there are, replicas 0 included nowhere.

    A request above the size's limit lifts the limit; a limit below the size's request lowers it.
    With autoscaling `replicas` is the most that there may be.
    """
    base, wish = profile(spec).components[name], spec.component(name).resources
    requests, limits = base.requests, base.limits
    if wish is not None:
        requests, limits = _merged(base, wish.requests, wish.limits)
    return ComponentProfile(requests, limits, replicas(spec, name))


def replicas(spec: ProjectSpec, name: ComponentName) -> int:
    """How many pods of a component there may be at most while the project runs."""
    part = spec.component(name)
    if isinstance(part, ScalableComponent):
        if part.autoscaling is not None:
            return part.autoscaling.max_replicas
        if part.replicas is not None:
            return part.replicas
    if name is ComponentName.STORAGE and spec.storage.backend is StorageBackend.FILE:
        return 1  # its volume can be mounted by one node only
    return profile(spec).components[name].replicas


def connections_per_pod(spec: ProjectSpec, name: ComponentName) -> int:
    """Size of the pool of database connections in each pod of a component, at least 2.

    All pods together stay within what the size gives the component, however many they are.
    """
    total = profile(spec).connections[name]
    if name is ComponentName.REST and spec.rest.pool_size is not None:
        return spec.rest.pool_size
    if name is ComponentName.POOLER and spec.pooler.default_pool_size is not None:
        return spec.pooler.default_pool_size
    return max(2, total // replicas(spec, name))


def postgres_parameters(spec: ProjectSpec) -> dict[str, str]:
    """PostgreSQL parameters that follow from size and memory, the spec's own on top."""
    memory = share(spec, ComponentName.DB).limits.memory
    derived = {"max_connections": str(profile(spec).max_connections), **postgres_memory(memory)}
    return derived | spec.database.parameters


def database_volume(spec: ProjectSpec) -> str:
    """Size of the database's volume."""
    return quantities.normal(spec.database.storage.size or profile(spec).database_volume)


def object_volume(spec: ProjectSpec) -> str:
    """Size of the volume for objects: the bundled store's, or storage's own with backend file."""
    file = spec.storage.backend is StorageBackend.FILE
    volume = spec.storage.volume if file else spec.objectstore.volume
    return quantities.normal(volume.size or profile(spec).object_volume)


def quota(spec: ProjectSpec) -> dict[str, str]:
    """`hard` of the project's ResourceQuota: every component at its most, twice, and helpers.

    A safety net around the namespace, not a price: it must never stop an honest roll-out.
    """
    shares = [share(spec, name) for name in ComponentName]
    volumes = (database_volume(spec), object_volume(spec), *[SMALL_VOLUME] * 4)
    pods = sum(part.replicas for part in shares) * _SURGE + _HELPERS

    def total(amount: Callable[[ComponentProfile], str]) -> Fraction:
        parts = sum(quantities.parse(amount(part)) * part.replicas for part in shares)
        return parts * _SURGE + quantities.parse(amount(CONTAINER_DEFAULT)) * _HELPERS

    return {
        "requests.cpu": quantities.decimal(total(lambda part: part.requests.cpu)),
        "requests.memory": quantities.binary(total(lambda part: part.requests.memory)),
        "limits.cpu": quantities.decimal(total(lambda part: part.limits.cpu)),
        "limits.memory": quantities.binary(total(lambda part: part.limits.memory)),
        "requests.storage": quantities.binary(sum(map(quantities.parse, volumes)) * 2),
        "persistentvolumeclaims": str(len(volumes) * 2),
        "pods": str(pods),
    }


def _merged(
    base: ComponentProfile, requests: ResourceAmounts | None, limits: ResourceAmounts | None
) -> tuple[Amounts, Amounts]:
    asked, capped = requests or ResourceAmounts(), limits or ResourceAmounts()
    cpu = _pair(asked.cpu, capped.cpu, base.requests.cpu, base.limits.cpu)
    memory = _pair(asked.memory, capped.memory, base.requests.memory, base.limits.memory)
    return Amounts(cpu[0], memory[0]), Amounts(cpu[1], memory[1])


def _pair(
    request: str | None, limit: str | None, base_request: str, base_limit: str
) -> tuple[str, str]:
    """Request and limit with the overrides in place, the one never above the other."""
    wanted, most = request or base_request, limit or base_limit
    if quantities.parse(wanted) > quantities.parse(most):
        wanted, most = (wanted, wanted) if limit is None else (most, most)
    return quantities.normal(wanted), quantities.normal(most)
