"""What does `kubectl describe` tell? One Event for each new phase, and what went wrong for good."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Final

from supaplane_contract import names
from supaplane_contract.status import Phase, ProjectStatus, Reason
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
    phase = status.phase or ""
    kind = "Warning" if phase in WARNINGS else "Normal"
    reason = phase.title().replace("_", "")
    return _event(subject, phase.lower().replace("_", "-"), reason, status.message or "", kind, now)


def warning(subject: Subject, reason: Reason, message: str, now: datetime) -> Manifest:
    """The Event about something that a person has to see to."""
    return _event(subject, reason.lower(), reason.value, message, "Warning", now)


def _event(
    subject: Subject, word: str, reason: str, message: str, kind: str, now: datetime
) -> Manifest:
    meta = subject.manifest["metadata"]
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {
            "name": f"{meta['name']}.{meta.get('resourceVersion', '')}.{word}",
            "namespace": meta["namespace"],
        },
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
            "resourceVersion": meta.get("resourceVersion", ""),
        },
        "reason": reason,
        "message": message[:1024],
        "type": kind,
        "source": {"component": names.FIELD_MANAGER_OPERATOR},
        "reportingComponent": names.FIELD_MANAGER_OPERATOR,
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "count": 1,
    }
