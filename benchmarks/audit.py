"""Reads the API server's audit log: who wrote what, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Write:
    """One write request that the API server answered."""

    agent: str
    user: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    received: datetime
    answered: datetime


def writes(log: Path, *, offset: int = 0) -> Iterator[Write]:
    """The writes logged after the byte `offset`, in order."""
    with log.open("rb") as file:
        file.seek(offset)
        for line in file:
            entry = json.loads(line)
            if entry["verb"] not in WRITES or entry["stage"] != "ResponseComplete":
                continue
            about = entry.get("objectRef", {})
            yield Write(
                agent=entry.get("userAgent", ""),
                user=entry["user"].get("username", ""),
                verb=entry["verb"],
                resource=about.get("resource", ""),
                subresource=about.get("subresource", ""),
                namespace=about.get("namespace", ""),
                name=about.get("name", ""),
                code=entry.get("responseStatus", {}).get("code", 0),
                received=datetime.fromisoformat(entry["requestReceivedTimestamp"]),
                answered=datetime.fromisoformat(entry["stageTimestamp"]),
            )
