"""Under which hosts and URLs is a project reached?"""

from __future__ import annotations

from supaplane_contract import names
from supaplane_contract.spec import ProjectSpec

from .model import Platform


def public_hosts(spec: ProjectSpec, ref: str, platform: Platform) -> tuple[str, ...]:
    """Every public host that a project answers under, the API's own first."""
    hosts = (api_host(spec, ref, platform), studio_host(ref, platform), *spec.custom_domains)
    return tuple(dict.fromkeys(hosts))


def api_host(spec: ProjectSpec, ref: str, platform: Platform) -> str:
    """The host in the project's public URL."""
    return spec.host or names.api_host(ref, platform.domain_base)


def studio_host(ref: str, platform: Platform) -> str:
    """The host of the project's own Studio."""
    return names.studio_host(ref, platform.domain_base)


def public_url(spec: ProjectSpec, platform: Platform, host: str) -> str:
    """Scheme, host and, if it is not the scheme's own, port; no slash at the end."""
    tls = spec.ingress.tls
    scheme = platform.url_scheme if tls is None else ("https" if tls.enabled else "http")
    port = platform.url_port if scheme == platform.url_scheme else None
    return f"{scheme}://{host}" if port is None else f"{scheme}://{host}:{port}"


def service_host(service: str, namespace: str, platform: Platform) -> str:
    """Full name of a Service, so that no search list is walked; no dot at the end."""
    return f"{service}.{namespace}.svc.{platform.cluster_domain}"


def own_hosts(ref: str, platform: Platform) -> frozenset[str]:
    """The hosts below the platform's domain that belong to this project."""
    base = platform.domain_base
    return frozenset(
        {
            names.api_host(ref, base),
            names.studio_host(ref, base),
            names.database_host(ref, base),
            names.pooler_host(ref, base),
        }
    )
