"""The configuration of auth over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from supaplane_api.access import Right, may
from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import TheClient, TheServices
from supaplane_api.projects import side_secrets
from supaplane_api.projects.change import Wish
from supaplane_api.projects.keys import api_url
from supaplane_api.schema import Body
from supaplane_api.services import Services
from supaplane_contract import ProjectSpec, names

from . import auth
from .auth_schemas import Change, Config, StudioChange, StudioConfig, StudioHooks
from .edge import READ, WRITTEN, Configurer, Reader, look, wish

router = APIRouter(prefix="/auth/{ref}/config", tags=["configuration of auth"])
v1 = APIRouter(prefix="/v1/projects/{ref}/config/auth", tags=["configuration of auth"])


@router.get("", openapi_extra=READ)
async def config(services: TheServices, access: Reader) -> StudioConfig:  # type: ignore[valid-type]
    """Every setting of auth with its value; secrets as an HMAC."""
    return await _studio(services, access)


@router.patch("", openapi_extra=WRITTEN)
async def change_config(
    services: TheServices,
    client: TheClient,
    access: Configurer,
    body: StudioChange,  # type: ignore[valid-type]
) -> StudioConfig:  # type: ignore[valid-type]
    """Changes settings of auth; null takes one back."""
    await _change(services, access, client.address, body)
    return await _studio(services, access)


@router.patch("/hooks", openapi_extra=WRITTEN)
async def change_hooks(
    services: TheServices,
    client: TheClient,
    access: Configurer,
    body: StudioHooks,  # type: ignore[valid-type]
) -> StudioConfig:  # type: ignore[valid-type]
    """Changes what auth calls on its way."""
    await _change(services, access, client.address, body)
    return await _studio(services, access)


@v1.get("", openapi_extra=READ)
async def config_v1(services: TheServices, access: Reader) -> Config:  # type: ignore[valid-type]
    """Every setting of auth with its value; secrets as an HMAC."""
    return Config(**await _told(services, access))


@v1.patch("", openapi_extra=WRITTEN)
async def change_config_v1(
    services: TheServices,
    client: TheClient,
    access: Configurer,
    body: Change,  # type: ignore[valid-type]
) -> Config:  # type: ignore[valid-type]
    """Changes settings of auth; null takes one back."""
    await _change(services, access, client.address, body)
    return Config(**await _told(services, access))


async def _studio(services: Services, access: ProjectAccess) -> StudioConfig:  # type: ignore[valid-type]
    told = await _told(services, access)
    return StudioConfig(**{key.upper(): value for key, value in told.items()})


async def _told(services: Services, access: ProjectAccess) -> dict[str, Any]:
    project = await look(services, access)
    return auth.answer(
        project.spec,
        await _secrets(services, access, project.spec),
        ref=access.project.ref,
        site_url=api_url(project.view, services.settings),
        hidden=not may(access.role, Right.PROJECT_SECRETS),
    )


async def _secrets(services: Services, access: ProjectAccess, spec: ProjectSpec) -> dict[str, str]:
    """The values that the spec refers to, by setting; what is not there is left out."""
    references = auth.references(spec)
    by_name = {
        name: await side_secrets.read_any(services, access.project, name)
        for name in sorted({name for name, _ in references.values()})
    }
    return {
        setting: by_name[name][key]
        for setting, (name, key) in references.items()
        if key in by_name[name]
    }


async def _change(
    services: Services, access: ProjectAccess, address: str | None, body: Body
) -> None:
    """Writes added secrets before the spec refers to them, and removes others afterwards."""
    sent = {key.lower(): value for key, value in body.model_dump(exclude_unset=True).items()}
    project, name = access.project, names.auth_secret(access.project.cr_name)
    current = await _told(services, access)
    secrets: dict[str, str | None] = {}

    async def add() -> None:
        added = {key: value for key, value in secrets.items() if value is not None}
        if added:
            await side_secrets.write(services, project, name, dict(added))

    def wish_of(spec: ProjectSpec) -> Wish:
        plan = auth.plan(sent, spec, current, secret_name=name)
        secrets.clear()
        secrets.update(plan.secrets)
        return Wish(plan.fields, first=add, touch=any(secrets.values()))

    await wish(services, access, "auth.config.change", address, wish_of)
    if any(secrets.values()):
        await note(services, access, "auth.secrets.change", address, keys=sorted(secrets))
    await side_secrets.forget(
        services, project, name, [key for key, value in secrets.items() if value is None]
    )
