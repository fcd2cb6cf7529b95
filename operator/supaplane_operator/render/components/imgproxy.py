"""How does imgproxy run, which makes images smaller for storage?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from supaplane_contract import quantities, shares
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import bucket, files, objects
from supaplane_operator.render.context import Project
from supaplane_operator.render.part import Part, Pod
from supaplane_operator.render.workload import RESTRICTED

PORT: Final = 5001
USER: Final = 999
"""`imgproxy` in the image."""


def pod(project: Project) -> Pod:
    health = ("/health", "http")
    mounts = files.mounts(project, read_only=True)
    return Pod(
        container={
            "securityContext": RESTRICTED,
            "startupProbe": objects.http_probe(
                *health, periodSeconds=2, timeoutSeconds=3, failureThreshold=60
            ),
            "readinessProbe": objects.http_probe(*health, periodSeconds=5, timeoutSeconds=3),
            "livenessProbe": objects.http_probe(
                *health, periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
            **({"volumeMounts": mounts} if mounts else {}),
        },
        env=_environment(project),
        spec={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
                **files.security(project),
            },
            **files.pod(project),
        },
    )


def _environment(project: Project) -> Mapping[str, str]:
    local = {"IMGPROXY_LOCAL_FILESYSTEM_ROOT": "/"} if files.kept(project) else {}
    return {
        # whoever reached it could otherwise have it fetch from anywhere
        "IMGPROXY_ALLOWED_SOURCES": _source(project),
        "IMGPROXY_AUTO_WEBP": "true",
        "IMGPROXY_BIND": f":{PORT}",
        "IMGPROXY_MAX_SRC_RESOLUTION": "16.8",
        "IMGPROXY_USE_ETAG": "true",
        # by default as many as the node has cores, twice
        "IMGPROXY_WORKERS": str(_workers(project)),
        **local,
    }


def _source(project: Project) -> str:
    """How all begins that storage lets it fetch: a file's path, or a signed URL."""
    return "local://" if files.kept(project) else bucket.of(project).source


def _workers(project: Project) -> int:
    limit = shares.share(project.spec, ComponentName.IMGPROXY).limits.cpu
    return 2 * max(1, math.ceil(quantities.parse(limit)))


def inputs(project: Project) -> Mapping[str, Any]:
    return {"source": _source(project)}


PART = Part(
    name=ComponentName.IMGPROXY,
    pod=pod,
    ports={"http": PORT},
    calls=frozenset({ComponentName.OBJECTSTORE}),
    inputs=inputs,
    bucket=True,
)
