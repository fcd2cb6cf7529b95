"""The configuration of Storage: the largest file, and whether images can be resized."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from supaplane_api.deps import TheClient, TheServices
from supaplane_api.problems import Invalid
from supaplane_api.projects.change import Wish
from supaplane_api.projects.fields import Path
from supaplane_api.schema import Answer, Body
from supaplane_contract import ProjectSpec

from .edge import READ, WRITTEN, Configurer, Reader, look, wish

router = APIRouter(prefix="/projects/{ref}/config/storage", tags=["configuration of services"])
v1 = APIRouter(prefix="/v1/projects/{ref}/config/storage", tags=["configuration of services"])
LARGEST_FILE = 536_870_912_000
"""Bytes; as the Management API takes."""


class Switch(Answer):
    """Whether something is on."""

    enabled: bool


class Catalog(Switch):
    """Catalogues of Iceberg tables: not offered."""

    enabled: bool = False
    maxNamespaces: int = 0
    maxTables: int = 0
    maxCatalogs: int = 0


class Vectors(Switch):
    """Buckets of vectors: not offered."""

    enabled: bool = False
    maxBuckets: int = 0
    maxIndexes: int = 0


class Features(Answer):
    """What Storage can do here."""

    imageTransformation: Switch
    s3Protocol: Switch = Switch(enabled=True)
    icebergCatalog: Catalog = Catalog()
    vectorBuckets: Vectors = Vectors()


class Capabilities(Answer):
    """What the program itself can do."""

    list_v2: bool = True
    iceberg_catalog: bool = False


class External(Answer):
    """Which build of Storage runs: the release's."""

    upstreamTarget: Literal["main"] = "main"


class StorageConfig(Answer):
    """The configuration of Storage."""

    fileSizeLimit: int
    features: Features
    capabilities: Capabilities = Capabilities()
    external: External = External()
    migrationVersion: str = ""
    """Not known here: Storage keeps it in the database."""
    databasePoolMode: str = "session"


class SwitchChange(Body):
    """Whether something should be on; fields beside it are not counted."""

    enabled: bool


class FeaturesChange(Body):
    """What should be on."""

    imageTransformation: SwitchChange | None = None
    s3Protocol: SwitchChange | None = None
    icebergCatalog: SwitchChange | None = None
    vectorBuckets: SwitchChange | None = None


class ExternalChange(Body):
    """Which build of Storage should run."""

    upstreamTarget: Literal["main", "canary"]


class StorageChange(Body):
    """A change of Storage."""

    fileSizeLimit: Annotated[int, Field(ge=1, le=LARGEST_FILE)] | None = None
    features: FeaturesChange | None = None
    external: ExternalChange | None = None


@router.get("", openapi_extra=READ)
@v1.get("", openapi_extra=READ)
async def config(services: TheServices, access: Reader) -> StorageConfig:
    """How Storage is set up."""
    return told((await look(services, access)).spec)


@router.patch("", openapi_extra=WRITTEN)
@v1.patch("", openapi_extra=WRITTEN)
async def change_config(
    services: TheServices, client: TheClient, access: Configurer, body: StorageChange
) -> StorageConfig:
    """Changes Storage: the largest file, and whether images can be resized."""
    fields = wanted(body)
    await wish(services, access, "storage.config.change", client.address, lambda _: Wish(fields))
    return told((await look(services, access)).spec)


def told(spec: ProjectSpec) -> StorageConfig:
    """The configuration as it is told."""
    return StorageConfig(
        fileSizeLimit=spec.storage.file_size_limit,
        features=Features(imageTransformation=Switch(enabled=spec.storage.image_transformation)),
    )


def wanted(body: StorageChange) -> dict[Path, Any]:
    """What was sent, as fields of the spec. Raises Invalid for what is not offered."""
    found: dict[Path, Any] = {}
    if "fileSizeLimit" in body.model_fields_set:
        found["storage", "fileSizeLimit"] = body.fileSizeLimit
    features = body.features or FeaturesChange()
    offered = Features(imageTransformation=Switch(enabled=True))
    for name in ("s3Protocol", "icebergCatalog", "vectorBuckets"):
        switch = getattr(features, name)
        if switch and switch.enabled != getattr(offered, name).enabled:
            state = "always on" if getattr(offered, name).enabled else "not offered"
            raise Invalid(f"features.{name}: is {state} on this platform")
    if features.imageTransformation:
        found["storage", "imageTransformation"] = features.imageTransformation.enabled
    if body.external and body.external.upstreamTarget != "main":
        raise Invalid("external.upstreamTarget: only main is offered")
    return found
