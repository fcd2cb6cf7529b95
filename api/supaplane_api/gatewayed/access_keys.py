"""With which key do S3 clients reach a project's files, and is there an archive of them?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import CLUSTER, CREDENTIALS, DATABASE, SNAPSHOT
from supaplane_api.projects.keys import read_keys
from supaplane_api.schema import Answer

router = APIRouter(prefix="/storage/{ref}", tags=["storage"])
"""Served at the root and below /platform."""
FileReader = Annotated[ProjectAccess, Depends(OnProject(Right.FILES_READ))]
S3_KEY = "s3-access-key-id"


class S3Key(Answer):
    """A key for S3 clients, without its secret."""

    id: str
    description: str
    created_at: str


class S3Keys(Answer):
    """The project's key for S3 clients."""

    data: list[S3Key]


class Archive(Answer):
    """All files packed together; no such archive is made."""

    archive_empty: bool = True
    file_url: str = ""
    fileUrl: str = ""


@router.get("/credentials", openapi_extra=may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS))
async def s3_keys(services: TheServices, access: FileReader) -> S3Keys:
    """The project's key for S3 clients; its secret is in the credentials Secret only."""
    view = shown(services, access)
    id = (await read_keys(services, view)).get(S3_KEY)
    made = view.row.created_at.isoformat()
    words = "Made with the project; the secret is in its credentials Secret"
    return S3Keys(data=[S3Key(id=id, description=words, created_at=made)] if id else [])


@router.get("/archive", openapi_extra=may_answer(DATABASE, SNAPSHOT))
async def archive(services: TheServices, access: FileReader) -> Archive:
    """All files packed together: no such archive is made."""
    shown(services, access)
    return Archive()
