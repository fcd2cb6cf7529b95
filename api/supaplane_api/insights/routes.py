"""Logs, charts and figures over HTTP, in the shapes that Studio's reports read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import StringConstraints

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import CLUSTER, CREDENTIALS, DATABASE, SERVICE, SNAPSHOT
from supaplane_api.schema import Answer, Body, Empty

from . import logflare

router = APIRouter(prefix="/projects/{ref}", tags=["logs"])
"""Served at the root and below /platform."""
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
SEARCHED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, SERVICE, not_offered=True)
SHOWN = may_answer(DATABASE, SNAPSHOT)
MOST_ATTRIBUTES = 64
Sql = Annotated[str, StringConstraints(max_length=100_000)]
Word = Annotated[str, StringConstraints(max_length=256)]


class Found(Answer):
    """Rows, and what is wrong with the question."""

    result: list[dict[str, Any]]
    error: str | dict[str, Any] | None = None


class Search(Body):
    """What to look for in the logs."""

    sql: Sql | None = None
    lql: Sql | None = None
    iso_timestamp_start: Word | None = None
    iso_timestamp_end: Word | None = None


class Axis(Answer):
    """How one figure is drawn; nothing was measured."""

    yAxisLimit: int = 0
    format: str = ""
    total: int = 0
    totalAverage: int = 0


class Figures(Answer):
    """Points of one figure: none, for the platform keeps none."""

    data: tuple[Empty, ...] = ()
    yAxisLimit: int = 0
    format: str = ""
    total: int = 0
    totalAverage: int = 0
    series: dict[str, Axis]
    """By figure, where several were asked for."""


class LogDrain(Answer):
    """Where logs are sent as well; there are none."""

    id: int


@router.get("/analytics/endpoints/{name}", openapi_extra=SEARCHED)
async def endpoint(services: TheServices, access: Reader, request: Request, name: Word) -> Found:
    """A chart or a search of the logs: the rows are none when the project keeps no logs."""
    query = [(k, v) for k, v in request.query_params.multi_items() if k != "project"]
    sent = [(k, v) for k, v in query if len(k) + len(v) < 100_000]
    return Found.model_validate(await logflare.search(services, access, name, sent))


@router.post(
    "/analytics/endpoints/logs.all",
    status_code=201,
    openapi_extra=SEARCHED,
)
async def search(services: TheServices, access: Reader, body: Search) -> Found:
    """A search of the logs."""
    sent = list(body.model_dump(exclude_none=True).items())
    return Found.model_validate(await logflare.search(services, access, "logs.all", sent))


@router.get("/analytics/log-drains", openapi_extra=SHOWN)
async def log_drains(services: TheServices, access: Reader) -> list[LogDrain]:
    """Where logs are sent as well: nowhere."""
    shown(services, access)
    return []


@router.get("/infra-monitoring", openapi_extra=SHOWN)
async def infrastructure(
    services: TheServices,
    access: Reader,
    attributes: Annotated[list[Word] | None, Query(max_length=MOST_ATTRIBUTES)] = None,
    attribute: Word | None = None,
) -> Figures:
    """CPU, memory and disk over time: no points, the platform keeps none (see its /metrics)."""
    shown(services, access)
    names = [name for text in attributes or () for name in text.split(",") if name]
    return Figures(series={name: Axis() for name in names[:MOST_ATTRIBUTES]})


@router.get("/daily-stats", openapi_extra=SHOWN)
async def daily_statistics(
    services: TheServices, access: Reader, attribute: Word | None = None
) -> Figures:
    """Requests and traffic day by day: no points, the platform keeps none."""
    shown(services, access)
    return Figures(series={})
