"""What objects does a project consist of?"""

from __future__ import annotations

from supaplane_contract import names
from supaplane_contract.status import Endpoints

from .model import Rendered, RenderInput
from .urls import api_host, public_url, service_host, studio_host


def project(input: RenderInput) -> Rendered:
    """Every object of a project, in the order to apply them.

    Raises NotRenderable when the release or the platform cannot give what the spec asks for.
    """
    return Rendered(manifests=(), components=(), endpoints=_endpoints(input))


def namespace_labels(ref: str) -> dict[str, str]:
    """Labels of the project namespace."""
    return {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_PART_OF: names.PART_OF,
        names.LABEL_REF: ref,
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/enforce-version": "v1.31",
    }


def _endpoints(input: RenderInput) -> Endpoints:
    spec, platform = input.spec, input.platform
    namespace = names.project_namespace(input.ref)
    return Endpoints(
        api=public_url(spec, platform, api_host(spec, input.ref, platform)),
        studio=public_url(spec, platform, studio_host(input.ref, platform)),
        database=f"{service_host('db', namespace, platform)}:5432",
    )
