"""Which flags are set, and what becomes of telemetry? None, and nothing; but each call is answered.

Studio waits for the flags before it shows some pages.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends

from supaplane_api.caller import Caller
from supaplane_api.deps import AnyAccount
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE
from supaplane_api.schema import Empty

router = APIRouter(prefix="/telemetry", tags=["platform"])
"""Served at the root and below /platform."""
CallerHere = Annotated[Caller, Depends(AnyAccount())]
ANSWERS = may_answer(DATABASE)
Event = Literal["activity", "event", "identify", "page", "page-leave", "pageview", "reset"]


@router.get("/feature-flags", openapi_extra=ANSWERS)
async def feature_flags(caller: CallerHere) -> Empty:
    """Feature flags: none are set."""
    return Empty()


@router.post("/feature-flags/track", status_code=201, openapi_extra=ANSWERS)
async def track_feature_flag(caller: CallerHere) -> Empty:
    """What a flag did to somebody: not kept."""
    return Empty()


@router.post("/groups/{what}", status_code=201, openapi_extra=ANSWERS)
async def telemetry_group(caller: CallerHere, what: Literal["identify", "reset"]) -> Empty:
    """Who belongs together: not kept."""
    return Empty()


@router.post("/{event}", status_code=201, openapi_extra=ANSWERS)
async def telemetry(caller: CallerHere, event: Event) -> Empty:
    """What somebody did: not kept."""
    return Empty()
