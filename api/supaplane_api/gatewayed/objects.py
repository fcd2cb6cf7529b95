"""How is a file moved, signed, shown and fetched? By the project's own Storage, with its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Response
from pydantic import Field, JsonValue

from supaplane_api.access import Right
from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import ask_gateway, ask_gateway_raw, segment, shown
from supaplane_api.problems import DATABASE, SERVICE, SNAPSHOT, Unavailable
from supaplane_api.projects.keys import api_url
from supaplane_api.schema import Answer, Body
from supaplane_api.services import Services

from .proxy import OBJECTS, PROXIED, change
from .schemas import Text

router = APIRouter(prefix="/storage/{ref}/buckets/{id}/objects", tags=["storage"])
"""Served at the root and below /platform."""
FileReader = Annotated[ProjectAccess, Depends(OnProject(Right.FILES_READ))]
FileChanger = Annotated[ProjectAccess, Depends(OnProject(Right.FILES_CHANGE))]
YEAR = 366 * 86_400
PIXELS = Annotated[int, Field(ge=1, le=2500)]


class Transform(Body):
    """An image in another size."""

    width: PIXELS | None = None
    height: PIXELS | None = None
    quality: Annotated[int, Field(ge=20, le=100)] | None = None
    resize: Literal["cover", "contain", "fill"] | None = None
    format: Literal["origin"] | None = None


class LinkOptions(Body):
    """What a link does."""

    download: bool = False
    downloadName: Text | None = None
    transform: Transform | None = None


class Move(Body):
    """A file, and where it goes within the bucket."""

    from_: Annotated[Text, Field(alias="from")]
    to: Text


class Which(Body):
    """A file, and how it is to be shown."""

    path: Text
    options: LinkOptions = LinkOptions()


class Sign(Which):
    """A file to make a link to, for that many seconds."""

    expiresIn: Annotated[int, Field(ge=1, le=YEAR)]


class SignMany(Body):
    """Files to make links to, for that many seconds."""

    path: Annotated[list[Text], Field(min_length=1, max_length=500)]
    expiresIn: Annotated[int, Field(ge=1, le=YEAR)]
    options: LinkOptions = LinkOptions()


class Signed(Answer):
    """A link that anybody may follow until it ends."""

    signedUrl: str


class SignedOne(Answer):
    """A link, or why there is none."""

    path: str | None
    error: str | None
    signedUrl: str
    """Empty when there is an error."""


class Public(Answer):
    """A link that works when the bucket is public."""

    publicUrl: str


@router.post("/move", status_code=201, openapi_extra=PROXIED)
async def move(
    services: TheServices, client: TheClient, access: FileChanger, id: str, body: Move
) -> JsonValue:
    """Moves or renames a file within its bucket."""
    sent = {"bucketId": id, "sourceKey": body.from_, "destinationKey": body.to}
    return await change(services, client, access, "object.move", "POST", f"{OBJECTS}/move", sent)


@router.post("/sign", status_code=201, openapi_extra=PROXIED)
async def sign(
    services: TheServices, client: TheClient, access: FileReader, id: str, body: Sign
) -> Signed:
    """A link to a file for some time."""
    sent: dict[str, Any] = {"expiresIn": body.expiresIn}
    if body.options.transform:
        sent["transform"] = body.options.transform.model_dump(exclude_none=True)
    path = f"{OBJECTS}/sign/{segment(id)}/{_path(body.path)}"
    said = await ask_gateway(services, access, "POST", path, body=sent)
    await note(services, access, "object.sign", client.address, path=path, seconds=body.expiresIn)
    link = _link(services, access, said, body.options)
    if not link:
        raise Unavailable(SERVICE, "it signed nothing")
    return Signed(signedUrl=link)


@router.post("/sign-multi", status_code=201, openapi_extra=PROXIED)
async def sign_many(
    services: TheServices, client: TheClient, access: FileReader, id: str, body: SignMany
) -> list[SignedOne]:
    """Links to several files for some time; for a file that is not there, why not."""
    sent = {"expiresIn": body.expiresIn, "paths": body.path}
    path = f"{OBJECTS}/sign/{segment(id)}"
    said = await ask_gateway(services, access, "POST", path, body=sent)
    await note(
        services,
        access,
        "object.sign",
        client.address,
        path=path,
        files=len(body.path),
        seconds=body.expiresIn,
    )
    return [
        SignedOne(
            path=_text(one.get("path")),
            error=_text(one.get("error")),
            signedUrl=_link(services, access, one, body.options),
        )
        for one in (said if isinstance(said, list) else [])
        if isinstance(one, Mapping)
    ]


@router.post("/public-url", status_code=201, openapi_extra=may_answer(DATABASE, SNAPSHOT))
async def public_url(services: TheServices, access: FileReader, id: str, body: Which) -> Public:
    """Where anybody finds a file of a public bucket; whether this one is public is not asked."""
    options, transform = body.options, body.options.transform
    wish = transform.model_dump(exclude_none=True) if transform else {}
    query = _download(options) | {key: str(value) for key, value in wish.items()}
    way = "render/image" if wish else "object"
    base = f"{api_url(shown(services, access), services.settings)}/storage/v1/{way}/public"
    url = f"{base}/{segment(id)}/{_path(body.path)}"
    return Public(publicUrl=f"{url}?{urlencode(query)}" if query else url)


@router.post("/download", status_code=201, response_class=Response, openapi_extra=PROXIED)
async def download(services: TheServices, access: FileReader, id: str, body: Which) -> Response:
    """The file itself, up to 16 MiB; a larger one is fetched by a signed link."""
    path = f"{OBJECTS}/authenticated/{segment(id)}/{_path(body.path)}"
    reply = await ask_gateway_raw(services, access, "GET", path)
    # never the file's own type: a page out of somebody's bucket must not run at this address
    return Response(reply.body, status_code=201, media_type="application/octet-stream")


def _path(text: str) -> str:
    """The segments of a file's path, each encoded. Raises Invalid."""
    return "/".join(segment(part) for part in text.split("/"))


def _download(options: LinkOptions) -> dict[str, str]:
    return {"download": options.downloadName or ""} if options.download else {}


def _link(services: Services, access: ProjectAccess, said: Any, options: LinkOptions) -> str:
    """The whole address of what Storage answers as `/object/sign/...`; empty when it has none."""
    found = _text(said.get("signedURL")) if isinstance(said, Mapping) else None
    if not found:
        return ""
    base = f"{api_url(shown(services, access), services.settings)}/storage/v1{found}"
    more = _download(options)
    return f"{base}&{urlencode(more, quote_via=quote)}" if more else base


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
