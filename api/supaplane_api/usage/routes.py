"""Usage over HTTP. Sizes are looked up, all else is not metered and not told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from supaplane_api.access import Right
from supaplane_api.caller import OrganizationAccess
from supaplane_api.deps import Member, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import CLUSTER, DATABASE, SNAPSHOT, Unavailable
from supaplane_api.schema import Answer

from . import measure
from .measure import Measured

router = APIRouter(prefix="/organizations/{slug}", tags=["organizations"])
"""Served at the root and below /platform."""
Reader = Annotated[OrganizationAccess, Depends(Member(Right.USAGE_READ))]
Lister = Annotated[OrganizationAccess, Depends(Member(Right.USAGE_READ, with_projects=True))]
MEASURED = may_answer(DATABASE, SNAPSHOT, CLUSTER)


class Allocation(Answer):
    """What one project has of it, in bytes."""

    name: str
    ref: str
    usage: int


class Metric(Answer):
    """How much of one thing is used; nothing costs anything here."""

    metric: Literal["DATABASE_SIZE", "STORAGE_SIZE"]
    usage: int
    """In bytes, of all projects that answered."""
    usage_original: int
    cost: int = 0
    available_in_plan: bool = True
    unlimited: bool = True
    capped: bool = False
    pricing_strategy: Literal["NONE"] = "NONE"
    pricing_free_units: int = 0
    project_allocations: list[Allocation]
    unit_price_desc: str = ""


class Usage(Answer):
    """What is used, as far as it could be looked up."""

    usage_billing_enabled: bool = False
    usages: list[Metric]
    not_measured: list[str]
    """Refs of projects whose database did not answer: paused, or in trouble."""


class Day(Answer):
    """What was used on a day; no such history is kept."""

    date: str


class DailyUsage(Answer):
    """What was used day by day: no such history is kept."""

    usages: tuple[Day, ...] = ()


@router.get("/usage", openapi_extra=MEASURED)
async def usage(
    services: TheServices,
    access: Lister,
    project_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Usage:
    """Sizes of databases and files, of all projects or of one."""
    if not services.snapshot.synced:
        raise Unavailable(SNAPSHOT)
    found = await measure.organization(services, access, project_ref)
    metrics = [
        _metric("DATABASE_SIZE", found, lambda one: one.database),
        _metric("STORAGE_SIZE", found, lambda one: one.files),
    ]
    return Usage(
        usages=[metric for metric in metrics if metric.project_allocations],
        not_measured=sorted(one.ref for one in found if one.database is None),
    )


@router.get("/usage/daily", openapi_extra=may_answer(DATABASE))
@router.get("/daily-stats", openapi_extra=may_answer(DATABASE))  # Studio of 2025
async def daily_usage(access: Reader) -> DailyUsage:
    """What was used day by day: no such history is kept."""
    return DailyUsage()


def _metric(
    name: Literal["DATABASE_SIZE", "STORAGE_SIZE"],
    found: Sequence[Measured],
    of: Callable[[Measured], int | None],
) -> Metric:
    parts = [
        Allocation(name=one.name, ref=one.ref, usage=size)
        for one in found
        if (size := of(one)) is not None
    ]
    total = sum(part.usage for part in parts)
    return Metric(metric=name, usage=total, usage_original=total, project_allocations=parts)
