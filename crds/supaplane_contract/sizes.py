"""What does each size give: CPU, memory, replicas, volumes and database connections?

The words and the database's cores, memory, connections and pooler clients are those of the
Supabase platform (its compute add-ons). The other components are sized from what self-hosters
measured: six services idle at 0.7 GiB; BEAM programs take a few hundred MiB each; an edge function
150 MiB; Envoy far less than Kong. Nothing here may change for an existing release without
restarting pods, so a figure is changed together with a new release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from . import quantities
from .spec import ComponentName as C
from .spec import Size


@dataclass(frozen=True)
class Amounts:
    """CPU and memory as Kubernetes quantities in normal form."""

    cpu: str
    memory: str


@dataclass(frozen=True)
class ComponentProfile:
    """What each pod of a component gets, and how many pods there are."""

    requests: Amounts
    limits: Amounts
    replicas: int = 1


@dataclass(frozen=True)
class SizeProfile:
    """Everything that follows from a size, before a spec overrides parts of it."""

    size: Size
    cores: int
    """CPU cores that the database may use."""
    components: Mapping[C, ComponentProfile]
    database_volume: str
    object_volume: str
    """For the bundled object store, or for files when storage keeps them itself."""
    max_connections: int
    connections: Mapping[C, int]
    """Database connections that all pods of a component may hold together."""
    pooler_clients: int
    """Most clients of the pooler."""

    @property
    def shared_buffers(self) -> str:
        """PostgreSQL's own cache, a quarter of the memory, in its units."""
        return postgres_memory(self.components[C.DB].limits.memory)["shared_buffers"]


SMALL_VOLUME: Final = "1Gi"
"""For what is small whatever the size: /etc/postgresql-custom, snippets, a cache of modules."""
CONTAINER_DEFAULT: Final = ComponentProfile(Amounts("10m", "32Mi"), Amounts("500m", "256Mi"))
"""For containers that say nothing, as a LimitRange gives it: short-lived helpers and Jobs."""
SUPERUSER_RESERVED: Final = 3
"""Connections that PostgreSQL keeps for superusers (superuser_reserved_connections)."""

_MIB: Final = 1024 * 1024


def postgres_memory(limit: str) -> dict[str, str]:
    """PostgreSQL's memory parameters for a memory limit, in its own units (`128MB` = 128 MiB).

    A quarter for shared buffers and three quarters as the planner's guess of all caches, as the
    PostgreSQL manual advises; a sixteenth, at most 2 GiB, for maintenance.
    """
    memory = int(quantities.parse(limit)) // _MIB
    return {
        "shared_buffers": f"{max(16, memory // 4)}MB",
        "effective_cache_size": f"{max(16, memory * 3 // 4)}MB",
        "maintenance_work_mem": f"{min(2048, max(16, memory // 16))}MB",
    }


# requests and limits as (cpu, memory): steps that the components beside the database climb
_DEV: Final = Amounts("1m", "16Mi")
_Row = tuple[str, str, str, str]
_STEPS: Final[tuple[Mapping[C, _Row], ...]] = (
    {
        C.AUTH: ("10m", "64Mi", "500m", "256Mi"),
        C.REST: ("10m", "48Mi", "500m", "256Mi"),
        C.REALTIME: ("50m", "256Mi", "1", "640Mi"),
        C.STORAGE: ("20m", "160Mi", "500m", "512Mi"),
        C.IMGPROXY: ("10m", "64Mi", "1", "512Mi"),
        C.META: ("10m", "128Mi", "500m", "320Mi"),
        C.FUNCTIONS: ("20m", "128Mi", "1", "768Mi"),
        C.STUDIO: ("20m", "320Mi", "1", "768Mi"),
        C.GATEWAY: ("20m", "64Mi", "1", "384Mi"),
        C.POOLER: ("50m", "256Mi", "1", "640Mi"),
        C.ANALYTICS: ("50m", "384Mi", "1", "1Gi"),
        C.OBJECTSTORE: ("20m", "128Mi", "1", "768Mi"),
    },
    {
        C.AUTH: ("50m", "96Mi", "1", "384Mi"),
        C.REST: ("50m", "96Mi", "1", "512Mi"),
        C.REALTIME: ("100m", "384Mi", "2", "1Gi"),
        C.STORAGE: ("50m", "256Mi", "1", "768Mi"),
        C.IMGPROXY: ("50m", "128Mi", "2", "1Gi"),
        C.META: ("20m", "128Mi", "500m", "384Mi"),
        C.FUNCTIONS: ("100m", "256Mi", "2", "1536Mi"),
        C.STUDIO: ("20m", "320Mi", "1", "768Mi"),
        C.GATEWAY: ("100m", "96Mi", "2", "512Mi"),
        C.POOLER: ("100m", "384Mi", "2", "1Gi"),
        C.ANALYTICS: ("100m", "512Mi", "2", "1536Mi"),
        C.OBJECTSTORE: ("100m", "256Mi", "2", "1536Mi"),
    },
    {
        C.AUTH: ("200m", "192Mi", "2", "768Mi"),
        C.REST: ("250m", "256Mi", "2", "1Gi"),
        C.REALTIME: ("500m", "768Mi", "4", "2Gi"),
        C.STORAGE: ("200m", "384Mi", "2", "1Gi"),
        C.IMGPROXY: ("200m", "256Mi", "4", "2Gi"),
        C.META: ("20m", "128Mi", "1", "512Mi"),
        C.FUNCTIONS: ("500m", "512Mi", "4", "3Gi"),
        C.STUDIO: ("20m", "320Mi", "1", "768Mi"),
        C.GATEWAY: ("250m", "192Mi", "4", "1Gi"),
        C.POOLER: ("500m", "768Mi", "4", "2Gi"),
        C.ANALYTICS: ("250m", "1Gi", "4", "3Gi"),
        C.OBJECTSTORE: ("250m", "512Mi", "4", "3Gi"),
    },
)

# connections of each component, all its pods together
_ORDER: Final = (C.REST, C.AUTH, C.REALTIME, C.STORAGE, C.META, C.POOLER, C.ANALYTICS)
_CONNECTIONS: Final[Mapping[int, tuple[int, ...]]] = {
    60: (8, 6, 8, 5, 2, 12, 3),
    90: (15, 10, 10, 8, 2, 17, 5),
    120: (20, 12, 12, 10, 3, 28, 6),
    160: (28, 16, 16, 14, 4, 40, 8),
    240: (44, 24, 20, 20, 4, 65, 10),
    380: (70, 40, 30, 30, 6, 118, 14),
    480: (90, 50, 36, 40, 8, 150, 16),
    490: (92, 52, 36, 40, 8, 156, 16),
    500: (94, 54, 36, 40, 8, 160, 18),
}
# more than one pod, from xlarge on and from 4xlarge on
_X: Final = {C.GATEWAY: 2, C.REST: 2, C.AUTH: 2}
_XX: Final = {
    C.GATEWAY: 3,
    C.REST: 3,
    C.AUTH: 2,
    C.STORAGE: 2,
    C.IMGPROXY: 2,
    C.FUNCTIONS: 2,
}


def _row(  # one row of the table below
    size: Size,
    cores: int,
    memory: str,
    request: Amounts,
    volumes: tuple[str, str],
    connections: int,
    clients: int,
    step: int,
    many: Mapping[C, int] | None = None,
) -> SizeProfile:
    others = {
        name: ComponentProfile(
            _DEV if size is Size.DEV else Amounts(row[0], row[1]),
            Amounts(row[2], row[3]),
            (many or {}).get(name, 1),
        )
        for name, row in _STEPS[step].items()
    }
    database = ComponentProfile(request, Amounts(str(cores), memory))
    return SizeProfile(
        size=size,
        cores=cores,
        components=MappingProxyType({C.DB: database, **others}),
        database_volume=volumes[0],
        object_volume=volumes[1],
        max_connections=connections,
        connections=MappingProxyType(dict(zip(_ORDER, _CONNECTIONS[connections], strict=True))),
        pooler_clients=clients,
    )


_A = Amounts
# fmt: off
_TABLE: Final = (
    #    size            cores memory  database requests   database, objects conn. clients step
    _row(Size.DEV,        2, "1Gi",   _DEV,                ("1Gi", "1Gi"),      60,   200, 0),
    _row(Size.NANO,       1, "512Mi", _A("50m", "192Mi"),  ("8Gi", "8Gi"),      60,   200, 0),
    _row(Size.MICRO,      2, "1Gi",   _A("100m", "512Mi"), ("8Gi", "8Gi"),      60,   200, 0),
    _row(Size.SMALL,      2, "2Gi",   _A("250m", "1Gi"),   ("16Gi", "16Gi"),    90,   400, 0),
    _row(Size.MEDIUM,     2, "4Gi",   _A("500m", "2Gi"),   ("32Gi", "32Gi"),   120,   600, 1),
    _row(Size.LARGE,      2, "8Gi",   _A("1", "8Gi"),      ("64Gi", "64Gi"),   160,   800, 1),
    _row(Size.XLARGE,     4, "16Gi",  _A("2", "16Gi"),     ("128Gi", "128Gi"), 240,  1000, 1, _X),
    _row(Size.XLARGE_2,   8, "32Gi",  _A("4", "32Gi"),     ("256Gi", "256Gi"), 380,  1500, 2, _X),
    _row(Size.XLARGE_4,  16, "64Gi",  _A("8", "64Gi"),     ("512Gi", "512Gi"), 480,  3000, 2, _XX),
    _row(Size.XLARGE_8,  32, "128Gi", _A("16", "128Gi"),   ("1Ti", "1Ti"),     490,  6000, 2, _XX),
    _row(Size.XLARGE_12, 48, "192Gi", _A("24", "192Gi"),   ("1536Gi", "2Ti"),  500,  9000, 2, _XX),
    _row(Size.XLARGE_16, 64, "256Gi", _A("32", "256Gi"),   ("2Ti", "4Ti"),     500, 12000, 2, _XX),
)
# fmt: on

SIZES: Final[Mapping[Size, SizeProfile]] = MappingProxyType({p.size: p for p in _TABLE})
