"""How is a project reached, and with which keys? Settings and API pages; pure but for one read.

The keys are read from the master Secret at each request: they are never kept in this process, nor
in the database. Who may not see secret keys is not given the service key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from supaplane_api.access import Right, Role, may
from supaplane_api.problems import CREDENTIALS, Unavailable
from supaplane_api.services import Services
from supaplane_api.settings import Settings
from supaplane_contract import from_secret_data, names
from supaplane_kube.resources import SECRETS

from .schemas import (
    ApiInfo,
    ApiKey,
    AppConfig,
    AutoApiService,
    JustRef,
    ProjectSettings,
    Service,
    SettingsProject,
)
from .views import CLOUD_PROVIDER, View

DEFAULT_SCHEMAS = ("public", "graphql_public")
POSTGRES_PORT = 5432
TOLD_BY_SETTINGS = ("jwt-secret", "service-role-key")
"""The secret keys among the settings."""


async def read_keys(services: Services, view: View) -> dict[str, str]:
    """The values of the master Secret. Raises KubeError, Unavailable while there is none."""
    name = names.credentials_secret(view.row.cr_name)
    secret = await services.kube.get(SECRETS, view.row.cr_namespace, name)
    values = {} if secret is None else from_secret_data(secret)
    if not {"anon-key", "service-role-key", "jwt-secret"} <= values.keys():
        raise Unavailable(CREDENTIALS)
    return values


def api_url(view: View, settings: Settings) -> str:
    """Where the API is reached: as the operator says, or as the platform names it."""
    said = view.seen.endpoint_api if view.seen else None
    return (said or settings.project_url(view.row.ref)).rstrip("/")


def database_address(view: View, settings: Settings) -> tuple[str, int]:
    """Host and port of the database: as the operator says, or the name reserved for it."""
    said = (view.seen.endpoint_database if view.seen else None) or ""
    host, _, port = said.rpartition(":")
    if host and port.isascii() and port.isdigit() and int(port) < 65536:
        return host, int(port)
    return names.database_host(view.row.ref, settings.domain_base), POSTGRES_PORT


def settings_answer(
    view: View, values: Mapping[str, str], role: Role, settings: Settings
) -> ProjectSettings:
    """Settings and keys, as much as that role may see."""
    host, port = database_address(view, settings)
    jwt_secret = values["jwt-secret"] if may(role, Right.PROJECT_SECRETS) else None
    shared: dict[str, Any] = {
        "ref": view.row.ref,
        "name": view.name,
        "status": view.status,
        "cloud_provider": CLOUD_PROVIDER,
        "region": view.region,
        "inserted_at": view.row.created_at.isoformat(),
        "db_dns_name": host,
        "db_host": host,
        "db_name": "postgres",
        "db_port": port,
        "db_user": "postgres",
        "db_ip_addr_config": "ipv6",
        "ssl_enforced": False,
        "jwt_secret": jwt_secret,
    }
    config, keys = _app_config(view, settings), api_keys(values, role)
    return ProjectSettings(
        **shared,
        app_config=config,
        service_api_keys=keys,
        project=SettingsProject(id=view.row.id, **shared),
        services=[Service(app_config=config, service_api_keys=keys)],
    )


def api_answer(view: View, values: Mapping[str, str], role: Role, settings: Settings) -> ApiInfo:
    """How the data API is called, as much as that role may see."""
    url, keys = urlsplit(api_url(view, settings)), api_keys(values, role)
    service = next((key.api_key for key in keys if key.tags == "service_role"), None)
    return ApiInfo(
        autoApiService=AutoApiService(
            app_config=_app_config(view, settings),
            protocol=url.scheme,
            endpoint=url.netloc,
            restUrl=f"{api_url(view, settings)}/rest/v1/",
            project=JustRef(ref=view.row.ref),
            defaultApiKey=values["anon-key"],
            serviceApiKey=service,
            service_api_keys=keys,
        )
    )


def api_keys(values: Mapping[str, str], role: Role) -> list[ApiKey]:
    """The anon key, and the service key for those who may see it."""
    keys = [ApiKey(api_key=values["anon-key"], name="anon key", tags="anon")]
    if may(role, Right.PROJECT_SECRETS):
        service = values["service-role-key"]
        keys.append(ApiKey(api_key=service, name="service_role key", tags="service_role"))
    return keys


def _app_config(view: View, settings: Settings) -> AppConfig:
    host = urlsplit(api_url(view, settings)).netloc
    return AppConfig(
        db_schema=schemas_of(view),
        endpoint=host,
        storage_endpoint=host,
        realtime_enabled=view.seen is not None and "realtime" in view.seen.components,
    )


def schemas_of(view: View) -> str:
    """Exposed schemas, separated by commas; Studio shows an empty text as switched off."""
    if view.seen is not None and not view.seen.rest_enabled:
        return ""
    said = view.seen.rest_schemas if view.seen else ()
    return ",".join(said or DEFAULT_SCHEMAS)
