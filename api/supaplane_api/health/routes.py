"""Whether this process is well: alive, ready, and its numbers."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Response

from supaplane_api.deps import Anyone, TheServices
from supaplane_api.schema import Answer

router = APIRouter(tags=["health"], dependencies=[Depends(Anyone())])
READY_SECONDS = 3.0


class Alive(Answer):
    """The process answers."""

    status: str = "ok"


class Ready(Answer):
    """Whether this replica can serve, and if not, what is missing."""

    ready: bool
    database: bool
    """The management database answers."""
    snapshot: bool
    """The SupabaseProjects were listed."""


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers; says nothing about what it depends on."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Ready, "description": "Something is missing"}})
async def readyz(services: TheServices, response: Response) -> Ready:
    """Whether the database answers and the projects are known; 503 while not."""
    try:
        async with asyncio.timeout(READY_SECONDS), services.database.connection() as connection:
            await connection.execute("SELECT 1")
        database = True
    except Exception:
        database = False
    snapshot = services.snapshot.synced
    response.status_code = 200 if database and snapshot else 503
    return Ready(ready=database and snapshot, database=database, snapshot=snapshot)


@router.get("/metrics", response_class=Response)
async def metrics(services: TheServices) -> Response:
    """Prometheus' text form. Holds counts only, no names."""
    return Response(services.metrics.text(), media_type="text/plain; version=0.0.4")
