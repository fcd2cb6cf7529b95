"""From where may the database be reached? From the source ranges of its load balancer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, Field, StringConstraints

from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import TheClient, TheServices
from supaplane_api.inside.ask import shown
from supaplane_api.problems import Invalid, NotOffered
from supaplane_api.projects.change import Wish
from supaplane_api.schema import Answer, Body
from supaplane_api.services import Services
from supaplane_api.text import Word
from supaplane_contract import ProjectSpec

from .edge import READ, REFUSED, SHOWN, WRITTEN, Configurer, Project, Reader, look, wish

v1 = APIRouter(prefix="/v1/projects/{ref}", tags=["configuration of the network"])


def _network(version: int) -> Any:
    def check(text: str) -> str:
        if ipaddress.ip_network(text, strict=False).version != version:
            raise ValueError(f"must be a range of IPv{version} addresses")
        return text

    return check


_Text = Annotated[str, StringConstraints(max_length=43, pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]
Ranges4 = Annotated[list[Annotated[_Text, AfterValidator(_network(4))]], Field(max_length=64)]
Ranges6 = Annotated[list[Annotated[_Text, AfterValidator(_network(6))]], Field(max_length=64)]


class Ranges(Answer):
    """Source ranges that may connect; none: nobody from outside the cluster."""

    dbAllowedCidrs: list[str]
    dbAllowedCidrsV6: list[str]


class Restrictions(Answer):
    """From where the database may be reached."""

    entitlement: Literal["allowed", "disallowed"]
    """Disallowed while the database has no load balancer: there is nothing to restrict."""
    config: Ranges
    status: Literal["stored", "applied"]


class Replacement(Body):
    """All ranges anew."""

    dbAllowedCidrs: Ranges4 = Field(default_factory=list)
    dbAllowedCidrsV6: Ranges6 = Field(default_factory=list)


class RestrictionsChange(Body):
    """Ranges to add and to remove."""

    add: Replacement | None = None
    remove: Replacement | None = None


class SslWish(Body):
    """Whether connections without TLS should be refused."""

    database: bool


class SslChange(Body):
    """Whether connections without TLS should be refused."""

    requestedConfig: SslWish


class SslState(Answer):
    """Whether connections without TLS are refused: not here."""

    database: bool = False


class Ssl(Answer):
    """Whether connections without TLS are refused: not here."""

    currentConfig: SslState = SslState()
    appliedSuccessfully: bool = True


class Bans(Answer):
    """Addresses that are locked out: none ever is."""

    banned_ipv4_addresses: tuple[str, ...] = ()


class Unban(Body):
    """Addresses to let in again."""

    ipv4_addresses: Annotated[list[Word], Field(max_length=256)]
    requester_ip: bool = False
    identifier: Word | None = None


@v1.get("/network-restrictions", openapi_extra=READ)
async def restrictions(services: TheServices, access: Reader) -> Restrictions:
    """From where the database may be reached."""
    return told(await look(services, access))


@v1.post("/network-restrictions/apply", status_code=201, openapi_extra=WRITTEN)
async def replace_restrictions(
    services: TheServices, client: TheClient, access: Configurer, body: Replacement
) -> Restrictions:
    """Replaces the ranges from which the database may be reached."""
    wanted = [*body.dbAllowedCidrs, *body.dbAllowedCidrsV6]
    return await _change(services, access, client.address, lambda _: wanted)


@v1.patch("/network-restrictions", openapi_extra=WRITTEN)
async def change_restrictions(
    services: TheServices, client: TheClient, access: Configurer, body: RestrictionsChange
) -> Restrictions:
    """Adds ranges, and removes some."""
    add, remove = body.add or Replacement(), body.remove or Replacement()
    added = [*add.dbAllowedCidrs, *add.dbAllowedCidrsV6]
    removed = {*remove.dbAllowedCidrs, *remove.dbAllowedCidrsV6}

    def wanted(before: list[str]) -> list[str]:
        return [one for one in (*before, *added) if one not in removed]

    return await _change(services, access, client.address, wanted)


@v1.get("/ssl-enforcement", openapi_extra=SHOWN)
async def ssl(services: TheServices, access: Reader) -> Ssl:
    """Whether connections without TLS are refused: not by this platform."""
    shown(services, access)
    return Ssl()


@v1.put("/ssl-enforcement", openapi_extra=REFUSED)
async def change_ssl(services: TheServices, access: Configurer, body: SslChange) -> Ssl:
    """Switching it on is refused."""
    shown(services, access)
    if body.requestedConfig.database:
        raise NotOffered("The database of a project does not speak TLS on this platform yet")
    return Ssl()


@v1.post("/network-bans/retrieve", status_code=201, openapi_extra=SHOWN)
async def bans(services: TheServices, access: Configurer) -> Bans:
    """Addresses that are locked out: none ever is."""
    shown(services, access)
    return Bans()


@v1.delete("/network-bans", openapi_extra=REFUSED)
async def remove_bans(services: TheServices, access: Configurer, body: Unban) -> Bans:
    """Refused: nobody is locked out."""
    shown(services, access)
    raise NotOffered("No address is ever locked out by this platform")


async def _change(
    services: Services, access: ProjectAccess, address: str | None, wanted: Any
) -> Restrictions:
    def wish_of(spec: ProjectSpec) -> Wish:
        open_ = {"database": spec.database.external, "pooler": spec.pooler.external}
        if not open_["database"].enabled:
            raise Invalid(
                "The database has no load balancer, so nobody reaches it from outside the cluster:"
                " an administrator may set spec.database.external.enabled"
            )
        return Wish(
            {
                (component, "external", "allowedCidrs"): _unique(wanted(external.allowed_cidrs))
                for component, external in open_.items()
                if external.enabled
            }
        )

    await wish(services, access, "network.restrictions.change", address, wish_of)
    return told(await look(services, access))


def _unique(ranges: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ranges))


def told(project: Project) -> Restrictions:
    """The ranges as they are told."""
    external = project.spec.database.external
    return Restrictions(
        entitlement="allowed" if external.enabled else "disallowed",
        config=Ranges(
            dbAllowedCidrs=[one for one in external.allowed_cidrs if ":" not in one],
            dbAllowedCidrsV6=[one for one in external.allowed_cidrs if ":" in one],
        ),
        status="applied" if project.settled else "stored",
    )
