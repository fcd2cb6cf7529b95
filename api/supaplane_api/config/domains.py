"""A host of the project's own, outside the platform's domain. Names below that are given by it."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import StringConstraints

from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import CLUSTER, DATABASE, SNAPSHOT, Invalid, Missing, NotOffered
from supaplane_api.projects.change import Wish
from supaplane_api.schema import Answer, Body, Empty
from supaplane_api.services import Services
from supaplane_api.settings import Settings
from supaplane_api.text import Word
from supaplane_contract import ProjectSpec, names

from .edge import REFUSED, SHOWN, WRITTEN, Configurer, Project, Reader, look, wish

v1 = APIRouter(prefix="/v1/projects/{ref}", tags=["configuration of the network"])
FOUND = may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True)
NONE = "There is no custom hostname configuration for this project"
NO_VANITY = "Names below the platform's domain are made from the ref, and cannot be chosen"
Hostname = Annotated[
    str, StringConstraints(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
]


class HostnameWish(Body):
    """The host that the project should have."""

    custom_hostname: Hostname


class Certificate(Answer):
    """Its certificate, which the platform's issuer makes; there is nothing to prove here."""

    status: Literal["active"] = "active"
    validation_records: tuple[dict[str, str], ...] = ()


class Ownership(Answer):
    """What proves whose it is: a name of DNS that leads to the platform."""

    type: Literal["cname"] = "cname"
    name: str
    value: str


class HostnameResult(Answer):
    """A host and where it has to lead."""

    id: str
    hostname: str
    ssl: Certificate = Certificate()
    ownership_verification: Ownership
    custom_origin_server: str
    status: Literal["active", "pending"]


class HostnameData(Answer):
    """A host, in the envelope that clients expect."""

    success: bool = True
    errors: tuple[Any, ...] = ()
    messages: tuple[Any, ...] = ()
    result: HostnameResult


class CustomHostname(Answer):
    """The project's own host."""

    status: Literal["4_origin_setup_completed", "5_services_reconfigured"]
    custom_hostname: str
    data: HostnameData


class Vanity(Answer):
    """Whether the project has a chosen name below the platform's domain: never."""

    status: Literal["not-used"] = "not-used"


class VanityWish(Body):
    """A name to choose."""

    vanity_subdomain: Word


@v1.get("/custom-hostname", openapi_extra=FOUND)
async def hostname(services: TheServices, access: Reader) -> CustomHostname:
    """The project's own host; 404 when there is none."""
    return told(await look(services, access), services.settings)


@v1.post("/custom-hostname/initialize", status_code=201, openapi_extra=WRITTEN)
async def choose_hostname(
    services: TheServices, client: TheClient, access: Configurer, body: HostnameWish
) -> CustomHostname:
    """Gives the project a host of its own, in the place of the one that it had."""
    refuse_ours(body.custom_hostname, services.settings)
    await _change(services, access, client.address, body.custom_hostname)
    return told(await look(services, access), services.settings)


@v1.post("/custom-hostname/reverify", status_code=201, openapi_extra=FOUND)
async def look_again(services: TheServices, access: Configurer) -> CustomHostname:
    """How far the host is: nothing has to be proved here."""
    return told(await look(services, access), services.settings)


@v1.post("/custom-hostname/activate", status_code=201, openapi_extra=FOUND)
async def activate_hostname(services: TheServices, access: Configurer) -> CustomHostname:
    """How far the host is: it counts from the beginning."""
    return told(await look(services, access), services.settings)


@v1.delete("/custom-hostname", openapi_extra=WRITTEN)
async def remove_hostname(services: TheServices, client: TheClient, access: Configurer) -> Empty:
    """Takes the project's own hosts away."""
    await _change(services, access, client.address, None)
    return Empty()


@v1.get("/vanity-subdomain", openapi_extra=SHOWN)
async def vanity(services: TheServices, access: Reader) -> Vanity:
    """Whether the project has a chosen name below the platform's domain: never."""
    shown(services, access)
    return Vanity()


@v1.post("/vanity-subdomain/check-availability", status_code=201, openapi_extra=REFUSED)
async def check_vanity(services: TheServices, access: Configurer, body: VanityWish) -> Vanity:
    """Refused: such names cannot be chosen."""
    shown(services, access)
    raise NotOffered(NO_VANITY)


@v1.post("/vanity-subdomain/activate", status_code=201, openapi_extra=REFUSED)
async def activate_vanity(services: TheServices, access: Configurer, body: VanityWish) -> Vanity:
    """Refused: such names cannot be chosen."""
    shown(services, access)
    raise NotOffered(NO_VANITY)


@v1.delete("/vanity-subdomain", openapi_extra=REFUSED)
async def remove_vanity(services: TheServices, access: Configurer) -> Vanity:
    """Refused: there is none to take away."""
    shown(services, access)
    raise NotOffered(NO_VANITY)


async def _change(
    services: Services, access: ProjectAccess, address: str | None, host: str | None
) -> None:
    def wish_of(spec: ProjectSpec) -> Wish:
        if host is not None and host == spec.host:
            raise Invalid("custom_hostname: the project is served there anyway")
        return Wish({("customDomains",): [host] if host else []})

    await wish(services, access, "domains.change", address, wish_of)


def refuse_ours(host: str, settings: Settings) -> None:
    """Raises Invalid for a host that is the platform's to give."""
    base = settings.domain_base
    ours = {base, urlsplit(settings.domain_studio_url or "").hostname}
    if host in ours or host.endswith(f".{base}"):
        raise Invalid("custom_hostname: this name is the platform's; choose one of your own domain")


def told(project: Project, settings: Settings) -> CustomHostname:
    """The first of the project's own hosts. Raises Missing when it has none."""
    if not project.spec.custom_domains:
        raise Missing(NONE)
    host = project.spec.custom_domains[0]
    ref = project.view.row.ref
    origin = project.spec.host or names.api_host(ref, settings.domain_base)
    return CustomHostname(
        status="5_services_reconfigured" if project.settled else "4_origin_setup_completed",
        custom_hostname=host,
        data=HostnameData(
            result=HostnameResult(
                id=ref,
                hostname=host,
                ownership_verification=Ownership(name=host, value=origin),
                custom_origin_server=origin,
                status="active" if project.settled else "pending",
            )
        ),
    )
