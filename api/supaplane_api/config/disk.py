"""How full is the volume of the database? And what a project has but once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from supaplane_api.deps import TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import running, shown
from supaplane_api.pgmeta import service as pgmeta
from supaplane_api.problems import (
    CLUSTER,
    CREDENTIALS,
    DATABASE,
    SERVICE,
    SNAPSHOT,
    NotOffered,
    Unavailable,
)
from supaplane_api.schema import Answer

from .edge import REFUSED, SHOWN, Configurer, Reader

router = APIRouter(prefix="/projects/{ref}/disk", tags=["project catalogue"])
v1 = APIRouter(prefix="/v1/projects/{ref}", tags=["project catalogue"])
ASKED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, SERVICE)
NO_REPLICAS = "A project has one database here: read replicas cannot be made yet"
_USED = """\
SELECT sum(pg_database_size(oid))::bigint AS used FROM pg_database
WHERE has_database_privilege(oid, 'CONNECT')"""


class DiskMetrics(Answer):
    """Bytes of the volume. Used is what the databases hold, without the write-ahead log."""

    fs_size_bytes: int
    fs_avail_bytes: int
    fs_used_bytes: int


class DiskUtil(Answer):
    """How full the volume is."""

    timestamp: str
    metrics: DiskMetrics


class ReadOnly(Answer):
    """Whether the platform made the database read-only: it never does."""

    enabled: bool = False
    override_enabled: bool = False
    override_active_until: str = ""


class Replica(Answer):
    """A copy of the database; there is none."""

    message: str


@router.get("/util", openapi_extra=ASKED)
@v1.get("/config/disk/util", openapi_extra=ASKED)
async def disk_util(services: TheServices, access: Reader) -> DiskUtil:
    """How full the volume of the database is, as the database itself says."""
    gigabytes = running(services, access).volume_gigabytes
    if gigabytes is None:
        raise Unavailable(SERVICE, "the size of the volume is not known")
    rows: Any = await pgmeta.run(services, access, "POST", "/query", body={"query": _USED})
    try:
        used = int(rows[0]["used"])
    except (KeyError, IndexError, TypeError, ValueError):
        raise Unavailable(SERVICE, "it answered something else than a size") from None
    size = gigabytes * 2**30
    return DiskUtil(
        timestamp=services.outside.now().isoformat(),
        metrics=DiskMetrics(
            fs_size_bytes=size, fs_avail_bytes=max(0, size - used), fs_used_bytes=used
        ),
    )


@v1.get("/readonly", openapi_extra=SHOWN)
async def readonly(services: TheServices, access: Reader) -> ReadOnly:
    """Whether the platform made the database read-only: it never does."""
    shown(services, access)
    return ReadOnly()


@v1.post("/readonly/temporary-disable", status_code=201, openapi_extra=REFUSED)
async def allow_writes(services: TheServices, access: Configurer) -> ReadOnly:
    """Refused: there is nothing to switch off."""
    shown(services, access)
    raise NotOffered("This platform never makes a database read-only: there is nothing to lift")


@v1.post("/read-replicas/setup", status_code=201, openapi_extra=REFUSED)
async def add_replica(services: TheServices, access: Configurer) -> Replica:
    """Refused: there are no read replicas."""
    shown(services, access)
    raise NotOffered(NO_REPLICAS)


@v1.post("/read-replicas/remove", status_code=201, openapi_extra=REFUSED)
async def remove_replica(services: TheServices, access: Configurer) -> Replica:
    """Refused: there are no read replicas."""
    shown(services, access)
    raise NotOffered(NO_REPLICAS)
