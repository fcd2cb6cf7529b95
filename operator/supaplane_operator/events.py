"""What does `kubectl describe` tell? One Event for each new phase."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Final

from supaplane_contract import names
from supaplane_contract.status import Phase, ProjectStatus
from supaplane_kube import Kube, KubeError
from supaplane_kube.port import Manifest
from supaplane_kube.resources import EVENTS

from .phases import FAILED
from .subject import Subject
from .times import stamp

MOST_UNTOLD: Final = 1000
WARNINGS: Final = FAILED | {Phase.ACTIVE_UNHEALTHY}


class Herald:
    """Makes Events in the background: nobody waits for them, and one that cannot be made, or for
    which there is no room, is let go."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._untold: asyncio.Queue[Manifest] = asyncio.Queue(MOST_UNTOLD)

    def tell(self, body: Manifest) -> None:
        """The Event is made soon."""
        with contextlib.suppress(asyncio.QueueFull):
            self._untold.put_nowait(body)

    async def run(self) -> None:
        """Makes Events until cancelled."""
        while True:
            body = await self._untold.get()
            namespace = body["metadata"]["namespace"]
            with contextlib.suppress(KubeError):
                await self._kube.create(
                    EVENTS, namespace, body, manager=names.FIELD_MANAGER_OPERATOR
                )


def event(subject: Subject, status: ProjectStatus, now: datetime) -> Manifest:
    """The Event about the phase that a SupabaseProject has now."""
    meta, phase = subject.manifest["metadata"], status.phase or ""
    name = f"{meta['name']}.{meta.get('resourceVersion', '')}.{phase.lower().replace('_', '-')}"
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"name": name, "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
            "resourceVersion": meta.get("resourceVersion", ""),
        },
        "reason": phase.title().replace("_", ""),
        "message": (status.message or "")[:1024],
        "type": "Warning" if phase in WARNINGS else "Normal",
        "source": {"component": names.FIELD_MANAGER_OPERATOR},
        "reportingComponent": names.FIELD_MANAGER_OPERATOR,
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "count": 1,
    }
