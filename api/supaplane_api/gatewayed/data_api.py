"""What does the project's own data API say of itself? PostgREST's document, GraphQL, and types."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import JsonValue, StringConstraints

from supaplane_api.access import Right
from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.inside.ask import ask_gateway, ask_gateway_raw, ask_raw, read_json
from supaplane_api.pgmeta import connection
from supaplane_api.pgmeta.service import call_as
from supaplane_api.problems import SERVICE, Unavailable
from supaplane_api.schema import Answer, Body

from .proxy import PROXIED

router = APIRouter(prefix="/projects/{ref}/api", tags=["database"])
"""Served at the root and below /platform."""
v1 = APIRouter(prefix="/v1/projects/{ref}", tags=["database"])
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Asker = Annotated[ProjectAccess, Depends(OnProject(Right.SQL_RUN))]
Changer = Annotated[ProjectAccess, Depends(OnProject(Right.SCHEMA_CHANGE))]


class GraphQL(Body):
    """A GraphQL request."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]
    variables: dict[str, Any] | None = None
    operationName: str | None = None


class Types(Answer):
    """TypeScript that describes the database."""

    types: str


@router.get("/rest", openapi_extra=PROXIED)
async def rest(services: TheServices, access: Reader) -> JsonValue:
    """PostgREST's own description of the exposed schemas."""
    answer: JsonValue = await ask_gateway(services, access, "GET", "/rest/v1/")
    return answer


@router.head("/rest", openapi_extra=PROXIED, response_class=Response)
async def rest_is_there(services: TheServices, access: Reader) -> Response:
    """Whether PostgREST answers."""
    await ask_gateway_raw(services, access, "GET", "/rest/v1/")
    return Response(status_code=200)


@router.post("/graphql", openapi_extra=PROXIED)
async def graphql(
    services: TheServices,
    client: TheClient,
    access: Changer,
    body: GraphQL,
    authorization: Annotated[
        str, Header(alias="x-graphql-authorization", max_length=8192, pattern=r"^[\x21-\x7e ]*$")
    ] = "",
) -> JsonValue:
    """Runs GraphQL with the service key, or as whoever the project's own token names."""
    await note(services, access, "graphql.run", client.address, characters=len(body.query))
    reply = await ask_gateway_raw(
        services,
        access,
        "POST",
        "/graphql/v1",
        headers={"Content-Type": "application/json"}
        | ({"Authorization": authorization} if authorization else {}),
        body=body.model_dump(exclude_unset=True),
    )
    answer: JsonValue = read_json(reply)
    return answer


@v1.get("/types/typescript", openapi_extra=PROXIED)
async def typescript(
    services: TheServices,
    access: Asker,
    included_schemas: Annotated[str, Query(max_length=4096)] = "public",
) -> Types:
    """TypeScript types of those schemas, separated by commas."""
    call = await call_as(
        services,
        access,
        connection.READER,
        "GET",
        "/generators/typescript",
        query=[("included_schemas", included_schemas)],
    )
    reply = await ask_raw(services, call)
    try:
        return Types(types=reply.body.decode())
    except UnicodeDecodeError:
        raise Unavailable(SERVICE, "it answered with something that is no text") from None
