"""postgres-meta over HTTP, on the paths under which Studio expects it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, JsonValue, StringConstraints

from supaplane_api.access import Right
from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import segment
from supaplane_api.problems import CLUSTER, CREDENTIALS, DATABASE, SERVICE, SNAPSHOT, Invalid
from supaplane_api.schema import Body

from . import connection, service

router = APIRouter(tags=["database"])
"""Served at the root and below /platform."""
Asker = Annotated[ProjectAccess, Depends(OnProject(Right.SQL_RUN))]
Changer = Annotated[ProjectAccess, Depends(OnProject(Right.SCHEMA_CHANGE))]
PROXIED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, SERVICE)
Noun = Literal[
    "column-privileges",
    "columns",
    "extensions",
    "foreign-tables",
    "functions",
    "materialized-views",
    "policies",
    "publications",
    "roles",
    "schemas",
    "tables",
    "triggers",
    "types",
    "views",
]
"""What postgres-meta lists. A path of anything else does not reach it."""
Id = Annotated[str, Query(min_length=1, max_length=128)]


class SqlQuery(Body):
    """SQL to run."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]
    parameters: Annotated[list[Any], Field(max_length=1000)] | None = None
    disable_statement_timeout: bool | None = None
    """Lets statements run for ten minutes instead of one."""


@router.post("/pg-meta/{ref}/query", openapi_extra=PROXIED)
async def run_query(
    services: TheServices,
    client: TheClient,
    access: Asker,
    body: SqlQuery,
    key: Annotated[str, Query(max_length=1024)] = "",
) -> JsonValue:
    """Runs SQL: the rows of the last statement. `key` is the client's note and decides nothing.

    Read-only members run it as a role of the database that reads only.
    """
    await note(
        services,
        access,
        "sql.run",
        client.address,
        database_role=connection.database_role(access.role),
        command=service.first_word(body.query),
        characters=len(body.query),
    )
    sent: dict[str, Any] = {"query": body.query}
    if body.parameters is not None:
        sent["parameters"] = body.parameters
    long = body.disable_statement_timeout is True
    answer: JsonValue = await service.run(services, access, "POST", "/query", body=sent, long=long)
    return answer


@router.post("/pg-meta/{ref}/query/format", openapi_extra=PROXIED)
async def format_query(services: TheServices, access: Asker, body: SqlQuery) -> str:
    """The SQL laid out; nothing runs."""
    return await service.formatted(services, access, body.query)


@router.get("/pg-meta/{ref}/{noun}", openapi_extra=PROXIED)
async def listed(services: TheServices, access: Asker, request: Request, noun: Noun) -> JsonValue:
    """What there is of one kind, filtered as postgres-meta filters."""
    query = [(k, v) for k, v in request.query_params.multi_items() if len(k) + len(v) < 4096]
    answer: JsonValue = await service.run(services, access, "GET", f"/{noun}", query=query)
    return answer


@router.post("/pg-meta/{ref}/{noun}", openapi_extra=PROXIED)
async def made(
    services: TheServices, client: TheClient, access: Changer, noun: Noun, body: dict[str, Any]
) -> JsonValue:
    """Makes one."""
    return await _change(services, client, access, "POST", noun, "", body)


@router.patch("/pg-meta/{ref}/{noun}", openapi_extra=PROXIED)
async def altered(
    services: TheServices,
    client: TheClient,
    access: Changer,
    noun: Noun,
    id: Id,
    body: dict[str, Any],
) -> JsonValue:
    """Changes the one with that id."""
    return await _change(services, client, access, "PATCH", noun, id, body)


@router.delete("/pg-meta/{ref}/{noun}", openapi_extra=PROXIED)
async def dropped(
    services: TheServices,
    client: TheClient,
    access: Changer,
    noun: Noun,
    id: Id,
    cascade: Literal["true", "false"] = "false",
) -> JsonValue:
    """Drops the one with that id; with `cascade` also what hangs on it."""
    return await _change(services, client, access, "DELETE", noun, id, None, [("cascade", cascade)])


async def _change(
    services: TheServices,
    client: TheClient,
    access: ProjectAccess,
    method: str,
    noun: str,
    id: str,
    body: dict[str, Any] | None,
    query: list[tuple[str, str]] | None = None,
) -> JsonValue:
    if method != "POST" and not id:
        raise Invalid("id: say which one")
    path = f"/{noun}/{segment(id)}" if id else f"/{noun}"
    await note(services, access, "sql.change", client.address, kind=noun, method=method, id=id)
    answer: JsonValue = await service.run(
        services, access, method, path, query=query or (), body=body
    )
    return answer
