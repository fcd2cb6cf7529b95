"""What objects does a project consist of?"""

from __future__ import annotations

from dataclasses import replace

from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Endpoints

from . import external_dns, ingress, network, workload
from .components import PARTS
from .context import DATABASE_PORT, POOLER_PORT, Project
from .model import Manifest, Rendered, RenderedComponent, RenderInput
from .namespace import shared
from .part import Part
from .selection import enabled


def project(input: RenderInput) -> Rendered:
    """Every object of a project, in the order to apply them.

    Raises NotRenderable when the release or the platform cannot give what the spec asks for.
    """
    whole = _with_routes(Project(input, enabled(input, PARTS), input.credentials))
    manifests: list[Manifest] = [*shared(whole), *network.policies(whole, PARTS)]
    components: list[RenderedComponent] = []
    for name, part in PARTS.items():
        if whole.has(name):
            objects, watched = workload.render(whole, part, _as_seen_by(whole, part))
            manifests += objects
            components.append(watched)
    manifests += ingress.routes(whole)
    told = (external_dns.annotated(m, whole.ref, whole.platform) for m in manifests)
    return Rendered(tuple(told), tuple(components), _endpoints(whole))


def _with_routes(whole: Project) -> Project:
    """The project with what its components want of the gateway."""
    rows = [
        (name, port, route)
        for name, part in PARTS.items()
        if whole.has(name)
        for route in part.routes(whole)
        for port in [part.ports["http"]]
    ]
    return replace(whole, routes=tuple(rows))


def _as_seen_by(whole: Project, part: Part) -> Project:
    """The project with no other credentials than the component's own."""
    have = whole.credentials
    keys = part.credentials + part.live_credentials + part.optional_credentials
    own = {key: have[key] for key in keys if key in have}
    return replace(whole, credentials=own)


def _endpoints(whole: Project) -> Endpoints:
    open_ = whole.has(ComponentName.GATEWAY)
    studio = open_ and whole.has(ComponentName.STUDIO)
    pooled = whole.has(ComponentName.POOLER)
    return Endpoints(
        api=whole.public_url if open_ else None,
        studio=whole.studio_url if studio else None,
        database=f"{whole.host(ComponentName.DB)}:{DATABASE_PORT}",
        pooler=f"{whole.host(ComponentName.POOLER)}:{POOLER_PORT}" if pooled else None,
    )
