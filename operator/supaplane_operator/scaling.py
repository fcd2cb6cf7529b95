"""How many pods does a workload keep that an autoscaler is to take over? Pure.

A rendering without `replicas` gives the field up, and the API server then falls back to one pod.
So the live number is sent for as long as nobody else has taken the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supaplane_contract import names
from supaplane_kube.port import Manifest


def with_live_replicas(rendered: Manifest, live: Mapping[str, Any]) -> Manifest:
    """The workload as rendered; without `replicas` of its own, with those that run, at least one.

    Only while the field is ours alone: what an autoscaler has set is left to it.
    """
    spec = rendered.get("spec") or {}
    if "replicas" in spec or not _ours_alone(live):
        return rendered
    count = (live.get("spec") or {}).get("replicas", 1)
    return {**rendered, "spec": {**spec, "replicas": max(1, int(count))}}


def _ours_alone(live: Mapping[str, Any]) -> bool:
    owners = {
        entry.get("manager")
        for entry in (live.get("metadata") or {}).get("managedFields") or ()
        if "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
    }
    return owners == {names.FIELD_MANAGER_OPERATOR}
