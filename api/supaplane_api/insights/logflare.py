"""What does a project's Logflare answer? The use-case below every log and chart.

A project without Analytics has no logs to search: its pages are told "nothing", which is true. One
that has it and does not answer is told as that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from supaplane_api.caller import ProjectAccess
from supaplane_api.inside.ask import ask, running, segment, shown
from supaplane_api.inside.port import Call, Part
from supaplane_api.problems import (
    CREDENTIALS,
    SERVICE,
    Invalid,
    Missing,
    NotOffered,
    Unavailable,
)
from supaplane_api.projects.keys import read_keys
from supaplane_api.services import Services
from supaplane_contract import ComponentName

TOKEN = "logflare-private-access-token"
LONGEST = 60.0
"""Seconds that a search may take."""


async def search(
    services: Services, access: ProjectAccess, name: str, query: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """The answer of the endpoint of that name, as `result` and `error`. Raises Problem."""
    view = shown(services, access)
    if view.seen is None or ComponentName.ANALYTICS.value not in view.seen.components:
        return {"result": []}
    token = (await read_keys(services, running(services, access))).get(TOKEN)
    if not token:
        raise Unavailable(CREDENTIALS)
    call = Call(
        ref=access.project.ref,
        part=Part.ANALYTICS,
        method="GET",
        path=f"/api/endpoints/query/{segment(name)}",
        query=[("project", "default"), *query],
        headers={"x-api-key": token},
        seconds=LONGEST,
    )
    try:
        answer = await ask(services, call)
    except Missing:
        raise NotOffered(f"The Logflare of this project has no endpoint {name}") from None
    except Invalid as refused:
        return {
            "result": [],
            "error": refused.message,
        }  # of the SQL: the page shows it beside its text
    if not isinstance(answer, Mapping):
        raise Unavailable(SERVICE, "it answered with something that is no result")
    rows, error = answer.get("result"), answer.get("error")
    return {
        "result": [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [],
        "error": error if isinstance(error, (str, dict)) else None,
    }
