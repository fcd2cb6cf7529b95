"""What does the platform itself ask a project's database? Always as the role that only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from supaplane_api.caller import ProjectAccess
from supaplane_api.inside.ask import ask
from supaplane_api.problems import SERVICE, Unavailable
from supaplane_api.services import Services

from . import connection, service

SECONDS = 15
"""How long a question may take: a page waits for it."""


async def rows(
    services: Services, access: ProjectAccess, sql: str, parameters: Sequence[Any] = ()
) -> list[Mapping[str, Any]]:
    """The rows of a SELECT of ours; `$1` and so on stand for the parameters. Raises Problem."""
    body: dict[str, Any] = {"query": sql}
    if parameters:
        body["parameters"] = list(parameters)
    call = await service.call_as(
        services, access, connection.READER, "POST", "/query", body=body, seconds=SECONDS
    )
    answer = await ask(services, call)
    if not isinstance(answer, list) or not all(isinstance(row, Mapping) for row in answer):
        raise Unavailable(SERVICE, "it answered with something that is no table")
    return answer
