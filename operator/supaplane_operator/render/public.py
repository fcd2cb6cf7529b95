"""Under which of the platform's names is an object reached from outside?

Names below the platform's own domain only: a project may ask for any other host as a custom domain,
but whose name that is, its owner shows by pointing it here.
"""

from __future__ import annotations

from supaplane_contract import names
from supaplane_contract.spec import ComponentName

from .model import Manifest, Platform


def public_names(manifest: Manifest, ref: str, platform: Platform) -> tuple[str, ...]:
    """The names that lead to this object; none for an object that is reached inside only."""
    base = platform.domain_base
    return tuple(
        host for host in _hosts(manifest, ref, base) if host == base or host.endswith(f".{base}")
    )


def _hosts(manifest: Manifest, ref: str, base: str) -> tuple[str, ...]:
    kind, spec = manifest["kind"], manifest.get("spec") or {}
    if kind == "Ingress":
        return tuple(rule["host"] for rule in spec["rules"])
    if kind == "HTTPRoute":
        return tuple(spec["hostnames"])
    if kind == "Service" and spec.get("type") == "LoadBalancer":
        component = manifest["metadata"]["labels"][names.LABEL_COMPONENT]
        host = _OF_LOAD_BALANCERS.get(component)
        return (host(ref, base),) if host else ()
    return ()


_OF_LOAD_BALANCERS = {
    ComponentName.DB.value: names.database_host,
    ComponentName.POOLER.value: names.pooler_host,
}
