"""Sizes, regions, versions and health over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from supaplane_api.access import Right
from supaplane_api.caller import Caller, OrganizationAccess, ProjectAccess
from supaplane_api.deps import AnyAccount, Member, OnProject, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import DATABASE, SNAPSHOT, Missing, NotOffered, Unavailable
from supaplane_api.projects import listing
from supaplane_api.projects.views import CLOUD_PROVIDER, DEFAULT_VERSION, View, views

from . import service
from .schemas import (
    Addons,
    AllRegions,
    AvailableRegions,
    AvailableVersions,
    CardPage,
    DatabaseEntry,
    DatabaseStatus,
    Disk,
    DiskAttributes,
    DiskAutoscaling,
    Health,
    LoadBalancer,
    RecommendedRegions,
    Region,
    RunningOut,
    ServiceVersions,
    UpgradeEligibility,
    UpgradeStatus,
    Version,
    WhichVersions,
)

router = APIRouter(tags=["project catalogue"])
"""Served at the root and below /platform, before the routes with a ref in the same place."""
v1 = APIRouter(prefix="/v1/projects/{ref}", tags=["project catalogue"])
CallerHere = Annotated[Caller, Depends(AnyAccount())]
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Runner = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_RUN))]
InOrganization = Annotated[OrganizationAccess, Depends(Member(Right.ORGANIZATION_READ))]
Lister = Annotated[OrganizationAccess, Depends(Member(Right.ORGANIZATION_READ, with_projects=True))]
SHOWN = may_answer(DATABASE, SNAPSHOT)
OFFERED = Version(version=f"supabase-postgres-{DEFAULT_VERSION}", postgres_engine=DEFAULT_VERSION)


@router.get("/projects/available-regions", openapi_extra=may_answer(DATABASE))
async def available_regions(caller: CallerHere) -> AvailableRegions:
    """Where projects can run: on this cluster, whatever it is called."""
    here = Region(code="local", name="This cluster", provider=CLOUD_PROVIDER)
    return AvailableRegions(
        all=AllRegions(specific=(here,)), recommendations=RecommendedRegions(specific=(here,))
    )


@router.get("/projects-resource-warnings", openapi_extra=may_answer(DATABASE))
async def resource_warnings(caller: CallerHere) -> list[RunningOut]:
    """Projects that run out of something: none is known, for nothing is measured."""
    return []


@router.post(
    "/organizations/{slug}/available-versions",
    openapi_extra=may_answer(DATABASE),
)
async def available_versions(
    access: Annotated[OrganizationAccess, Depends(Member(Right.PROJECT_CREATE))],
    body: WhichVersions,
) -> AvailableVersions:
    """Versions of PostgreSQL that a project can be made with."""
    return AvailableVersions(available_versions=(OFFERED,))


@router.get("/organizations/{slug}/projects", openapi_extra=SHOWN)
async def organization_projects(
    services: TheServices,
    access: Lister,
    limit: Annotated[int, Query(ge=1, le=listing.MOST)] = listing.DEFAULT_LIMIT,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    sort: Annotated[listing.Sort, Query()] = "name_asc",
    search: Annotated[str, Query(max_length=256)] = "",
    statuses: Annotated[str, Query(max_length=512)] = "",
) -> CardPage:
    """The projects of one organization, in pages."""
    if not services.snapshot.synced:
        raise Unavailable(SNAPSHOT)
    number = access.organization.organization_id
    rows = tuple(row for row in access.caller.projects if row.organization_id == number)
    found = views(rows, services.snapshot, services.outside.now())
    return service.cards(
        found, limit=limit, offset=offset, sort=sort, search=search, statuses=statuses
    )


@router.get("/projects/{ref}/billing/addons", openapi_extra=SHOWN)
async def addons(services: TheServices, access: Reader) -> Addons:
    """The compute size, and the sizes that can be had."""
    return service.addons(shown(services, access))


@router.get("/projects/{ref}/databases", openapi_extra=SHOWN)
async def databases(services: TheServices, access: Reader) -> list[DatabaseEntry]:
    """The project's database; there are no replicas."""
    return [service.database(shown(services, access), services.settings)]


@router.get("/projects/{ref}/databases-statuses", openapi_extra=SHOWN)
async def databases_statuses(services: TheServices, access: Reader) -> list[DatabaseStatus]:
    """How the project's database is."""
    view = shown(services, access)
    return [DatabaseStatus(identifier=view.row.ref, status=service.database_status(view))]


@router.get("/projects/{ref}/load-balancers", openapi_extra=SHOWN)
async def load_balancers(services: TheServices, access: Reader) -> list[LoadBalancer]:
    """Load balancers over replicas: there are none."""
    shown(services, access)
    return []


@router.get("/projects/{ref}/disk", openapi_extra=SHOWN)
async def disk(services: TheServices, access: Reader) -> Disk:
    """The volume of the database."""
    view = shown(services, access)
    if view.volume_gigabytes is None:
        raise Missing("The size of the volume is not known: give spec.database.storage.size")
    return Disk(attributes=DiskAttributes(size_gb=view.volume_gigabytes))


@router.get("/projects/{ref}/disk/custom-config", openapi_extra=SHOWN)
async def disk_autoscaling(services: TheServices, access: Reader) -> DiskAutoscaling:
    """How the volume grows by itself: it does not."""
    shown(services, access)
    return DiskAutoscaling()


@router.post(
    "/projects/{ref}/disk/custom-config",
    openapi_extra=may_answer(DATABASE, SNAPSHOT, not_offered=True),
)
async def change_disk_autoscaling(services: TheServices, access: Runner) -> DiskAutoscaling:
    """Refused: volumes do not grow by themselves here."""
    shown(services, access)
    raise NotOffered("Volumes do not grow by themselves here: choose a larger disk instead")


@router.get("/projects/{ref}/service-versions", openapi_extra=SHOWN)
async def service_versions(services: TheServices, access: Reader) -> ServiceVersions:
    """Versions of services, as their images say."""
    view = shown(services, access)
    auth = view.seen.component("auth") if view.seen else None
    rest = view.seen.component("rest") if view.seen else None
    return ServiceVersions(
        supabase_postgres=_postgres(view),
        gotrue=auth.version if auth else None,
        postgrest=rest.version if rest else None,
    )


@router.get("/projects/{ref}/restore/versions", openapi_extra=SHOWN)
async def restore_versions(services: TheServices, access: Reader) -> AvailableVersions:
    """Versions that a paused project can come back with: the one that it has."""
    view = shown(services, access)
    has = Version(version=_postgres(view), postgres_engine=view.database_version)
    return AvailableVersions(available_versions=(has,))


@v1.get("/health", openapi_extra=SHOWN)
async def health(
    services: TheServices,
    access: Reader,
    which: Annotated[list[str] | None, Query(alias="services", max_length=32)] = None,
) -> list[Health]:
    """How the services are, as the operator sees them; costs no call to Kubernetes."""
    names = service.wanted_services(which or ())
    view = shown(services, access)
    return [service.health(view, name) for name in names]


@v1.get("/upgrade/eligibility", openapi_extra=SHOWN)
async def upgrade_eligibility(services: TheServices, access: Reader) -> UpgradeEligibility:
    """Whether PostgreSQL can be upgraded: not yet by this platform."""
    version = _postgres(shown(services, access))
    return UpgradeEligibility(current_app_version=version, latest_app_version=version)


@v1.get("/upgrade/status", openapi_extra=SHOWN)
async def upgrade_status(services: TheServices, access: Reader) -> UpgradeStatus:
    """How an upgrade of PostgreSQL goes: none is under way, none can be."""
    shown(services, access)
    return UpgradeStatus()


@v1.post("/upgrade", openapi_extra=may_answer(DATABASE, SNAPSHOT, not_offered=True))
async def upgrade(services: TheServices, access: Runner) -> UpgradeStatus:
    """Refused: major versions of PostgreSQL are not upgraded by this platform yet."""
    shown(services, access)
    raise NotOffered("PostgreSQL is not upgraded by this platform yet: move the data by pg_dump")


def _postgres(view: View) -> str:
    running = view.seen.component("db") if view.seen else None
    return f"supabase-postgres-{(running and running.version) or view.database_version}"
