"""Functions and their variables over HTTP, as the official CLI, Studio and MCP clients call."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.config.edge import look
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.errors import first_mistake
from supaplane_api.inside.ask import shown
from supaplane_api.problems import CLUSTER, DATABASE, SNAPSHOT, Clash, Invalid
from supaplane_api.schema import Empty

from . import service, variables
from .arrange import ENTRY, IMPORT_MAP, Arranged, arrange, within_limits
from .schemas import (
    BulkFunction,
    CreateFunction,
    Function,
    FunctionChange,
    Functions,
    Metadata,
    Slug,
    Variable,
    VariableWish,
)
from .service import About, Deployed

v1 = APIRouter(prefix="/v1/projects/{ref}", tags=["edge functions"])
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Deployer = Annotated[ProjectAccess, Depends(OnProject(Right.FUNCTIONS_CHANGE))]
Keeper = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_SECRETS))]
Configurer = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_CONFIGURE))]
READ = may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True)
ONE = may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True, not_found=True)
MOST_FILES = 200
FOLDER = "file:///home/deno/functions"
_METADATA: dict[str, Any] = {"type": "string", "description": "JSON: entrypoint_path, name, …"}
_FILES: dict[str, Any] = {"type": "array", "items": {"type": "string", "format": "binary"}}
_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["metadata", "file"],
                    "properties": {"metadata": _METADATA, "file": _FILES},
                }
            }
        },
    }
}


@v1.get("/functions", openapi_extra=READ)
async def functions(services: TheServices, access: Reader) -> list[Function]:
    """The functions of the project."""
    spec = (await look(services, access)).spec
    return [_told(one) for one in await service.everything(services, access, spec)]


@v1.post("/functions", status_code=201, openapi_extra=ONE)
async def create(
    services: TheServices, client: TheClient, access: Deployer, body: CreateFunction
) -> Function:
    """Makes a function of one file."""
    spec = (await look(services, access)).spec
    if any(source.name == body.slug for source in spec.functions.sources):
        raise Clash("There is a function of this name: change that one")
    arranged = Arranged({ENTRY: body.body}, {})
    within_limits("the function", arranged.own)
    await service.deploy(
        services,
        access,
        client.address,
        body.slug,
        arranged,
        name=body.name,
        verify_jwt=body.verify_jwt,
        import_map=None,
        wait=False,
    )
    return await _one(services, access, body.slug)


@v1.put("/functions", openapi_extra=ONE)
async def put_into_use(
    services: TheServices,
    client: TheClient,
    access: Deployer,
    body: Annotated[list[BulkFunction], Field(min_length=1, max_length=64)],
) -> Functions:
    """Puts functions that were sent with `bundleOnly` into use."""
    wanted = {one.slug: one.verify_jwt for one in body}
    await service.put_into_use(services, access, client.address, wanted)
    return Functions(functions=[await _one(services, access, slug) for slug in wanted])


@v1.post("/functions/deploy", status_code=201, openapi_extra={**ONE, **_UPLOAD})
async def deploy(
    services: TheServices,
    client: TheClient,
    access: Deployer,
    request: Request,
    slug: Annotated[Slug | None, Query()] = None,
    bundle_only: Annotated[bool, Query(alias="bundleOnly")] = False,
) -> Function:
    """Makes or replaces a function out of files: parts `metadata` (JSON) and `file`."""
    shown(services, access)
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FILES) as form:
        metadata = await _metadata(form)
        sent = {
            part.filename or "": await part.read()
            for part in form.getlist("file")
            if isinstance(part, UploadFile)
        }
    name = slug or metadata.name or ""
    if not name:
        raise Invalid("slug: name the function")
    arranged = arrange(
        sent, entrypoint=metadata.entrypoint_path, import_map=metadata.import_map_path
    )
    about = await service.deploy(
        services,
        access,
        client.address,
        name,
        arranged,
        name=metadata.name,
        verify_jwt=metadata.verify_jwt,
        import_map=_last(metadata.import_map_path),
        wait=bundle_only,
    )
    if bundle_only:
        return _function(name, about, about.verify_jwt is not False)
    return await _one(services, access, name)


@v1.get("/functions/{function_slug}", openapi_extra=READ)
async def function(services: TheServices, access: Reader, function_slug: str) -> Function:
    """One function."""
    return await _one(services, access, function_slug)


@v1.patch("/functions/{function_slug}", openapi_extra=ONE)
async def change(
    services: TheServices,
    client: TheClient,
    access: Deployer,
    function_slug: str,
    body: FunctionChange,
) -> Function:
    """Changes a function: its name, its one file, whether tokens are checked."""
    await service.alter(
        services, access, client.address, function_slug, body.name, body.verify_jwt, body.body
    )
    return await _one(services, access, function_slug)


@v1.delete("/functions/{function_slug}", openapi_extra=ONE)
async def delete(
    services: TheServices, client: TheClient, access: Deployer, function_slug: str
) -> Empty:
    """Takes a function away."""
    await service.delete(services, access, client.address, function_slug)
    return Empty()


@v1.get(
    "/functions/{function_slug}/body",
    openapi_extra=READ,
    response_class=Response,
    responses={200: {"content": {"multipart/form-data": {"schema": {"type": "string"}}}}},
)
async def body(services: TheServices, access: Reader, function_slug: str) -> Response:
    """The files of a function, one part each."""
    spec = (await look(services, access)).spec
    deployed = await service.one(services, access, spec, function_slug)
    found = await service.files(services, access, deployed)
    boundary = services.outside.random_bytes(16).hex()
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file}"\r\n'
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        for file, text in sorted(found.items())
    )
    return Response(
        f"{parts}--{boundary}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )


@v1.get("/secrets", openapi_extra=READ)
async def secrets(services: TheServices, access: Keeper) -> list[Variable]:
    """The variables that functions were given, each with the SHA-256 of its value."""
    shown(services, access)
    found = await variables.digests(services, access)
    return [Variable(name=name, value=digest) for name, digest in found.items()]


@v1.post("/secrets", status_code=201, response_class=Response, openapi_extra=ONE)
async def set_secrets(
    services: TheServices,
    client: TheClient,
    access: Configurer,
    body: Annotated[list[VariableWish], Field(min_length=1, max_length=100)],
) -> Response:
    """Sets variables that functions see; their pods are replaced."""
    values = {one.name: one.value for one in body}
    await variables.put(services, access, client.address, values)
    return Response(status_code=201)


@v1.delete("/secrets", openapi_extra=ONE)
async def remove_secrets(
    services: TheServices,
    client: TheClient,
    access: Configurer,
    body: Annotated[list[str], Field(min_length=1, max_length=100)],
) -> Empty:
    """Takes variables away; the pods of functions are replaced."""
    await variables.remove(services, access, client.address, body)
    return Empty()


async def _metadata(form: FormData) -> Metadata:
    """The part `metadata`, which some clients send as a file."""
    part = form.get("metadata")
    text = await part.read() if isinstance(part, UploadFile) else part
    try:
        said = json.loads(text or b"{}")
    except ValueError:
        raise Invalid("metadata: must be JSON") from None
    try:
        return Metadata.model_validate(said)
    except ValidationError as error:
        raise Invalid(f"metadata.{first_mistake(error.errors())}") from None


async def _one(services: TheServices, access: ProjectAccess, slug: str) -> Function:
    spec = (await look(services, access)).spec
    return _told(await service.one(services, access, spec, slug))


def _told(deployed: Deployed) -> Function:
    return _function(deployed.source.name, deployed.about, deployed.verify_jwt)


def _function(slug: str, about: About, verify_jwt: bool) -> Function:
    has_map = about.import_map is not None
    return Function(
        id=slug,
        slug=slug,
        name=about.name,
        version=about.version,
        created_at=about.created_at,
        updated_at=about.updated_at,
        verify_jwt=verify_jwt,
        import_map=has_map,
        entrypoint_path=f"{FOLDER}/{slug}/{ENTRY}",
        import_map_path=f"{FOLDER}/{slug}/{about.import_map or IMPORT_MAP}" if has_map else None,
    )


def _last(path: str | None) -> str | None:
    return path.rpartition("/")[2] if path else None
