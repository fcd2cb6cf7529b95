"""The configuration of the data API (PostgREST): exposed schemas, search path, rows, pool."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from supaplane_api.access import Right, may
from supaplane_api.audit_notes import note_page_with_keys
from supaplane_api.deps import TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import CLUSTER, CREDENTIALS, DATABASE, SNAPSHOT
from supaplane_api.projects.change import Wish
from supaplane_api.projects.fields import Path
from supaplane_api.projects.keys import read_keys
from supaplane_api.schema import Answer, Body
from supaplane_contract import ProjectSpec

from .edge import WRITTEN, Configurer, Reader, look, wish

router = APIRouter(prefix="/projects/{ref}/config/postgrest", tags=["configuration of services"])
v1 = APIRouter(prefix="/v1/projects/{ref}/postgrest", tags=["configuration of services"])
KEYED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, conflicts=True)
Names = Annotated[str, StringConstraints(max_length=4096, pattern=r"^[ -~]*$")]


class Rest(Answer):
    """The configuration of the data API. Without a schema it is switched off."""

    db_schema: str
    db_extra_search_path: str
    max_rows: int
    db_pool: int | None
    """Connections of each pod; null: as the size has it."""


class WholeRest(Rest):
    """The same, with what clients of the data API need."""

    db_anon_role: str = "anon"
    role_claim_key: str = ".role"
    jwt_secret: str
    """Empty for who may not see secrets."""


class RestChange(Body):
    """A change of the data API; an empty db_schema switches it off."""

    db_schema: Names | None = None
    db_extra_search_path: Names | None = None
    max_rows: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    db_pool: Annotated[int, Field(ge=1, le=1000)] | None = None


@router.get("", openapi_extra=KEYED)
@v1.get("", openapi_extra=KEYED)
async def config(services: TheServices, client: TheClient, access: Reader) -> WholeRest:
    """How the data API is set up; who sees the JWT secret is written down."""
    project = await look(services, access)
    secret = ""
    if may(access.role, Right.PROJECT_SECRETS):
        secret = (await read_keys(services, project.view))["jwt-secret"]
        await note_page_with_keys(services, access, client.address, "jwt-secret")
    return WholeRest(**told(project.spec), jwt_secret=secret)


@router.patch("", openapi_extra=WRITTEN)
@v1.patch("", openapi_extra=WRITTEN)
async def change_config(
    services: TheServices, client: TheClient, access: Configurer, body: RestChange
) -> Rest:
    """Changes the data API."""
    sent = body.model_dump(exclude_unset=True)
    await wish(services, access, "rest.config.change", client.address, lambda _: Wish(fields(sent)))
    return Rest(**told((await look(services, access)).spec))


def told(spec: ProjectSpec) -> dict[str, Any]:
    """The configuration as it is told."""
    rest = spec.rest
    return {
        "db_schema": "" if rest.enabled is False else ",".join(rest.schemas),
        "db_extra_search_path": ",".join(rest.extra_search_path),
        "max_rows": rest.max_rows,
        "db_pool": rest.pool_size,
    }


def fields(sent: dict[str, Any]) -> dict[Path, Any]:
    """What was sent, as fields of the spec; null: as if never set."""
    found: dict[Path, Any] = {}
    if "db_schema" in sent:
        schemas = _names(sent["db_schema"])
        found["rest", "enabled"] = None if schemas or sent["db_schema"] is None else False
        if schemas or sent["db_schema"] is None:
            found["rest", "schemas"] = schemas
    if "db_extra_search_path" in sent:
        found["rest", "extraSearchPath"] = _names(sent["db_extra_search_path"])
    if "max_rows" in sent:
        found["rest", "maxRows"] = sent["max_rows"]
    if "db_pool" in sent:
        found["rest", "poolSize"] = sent["db_pool"]
    return found


def _names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    return list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))
