"""What does a call of the DNS hook look like on the wire? Pure.

docs/dns-hook.md describes it for those who write hooks.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

import orjson

from .dns_ledger import Entry

VERSION: Final = 1
TIMESTAMP: Final = "Supaplane-Timestamp"
SIGNATURE: Final = "Supaplane-Signature"


@dataclass(frozen=True)
class Call:
    """One thing to tell the hook. The same call is always the same bytes."""

    ref: str
    namespace: str
    name: str
    host: str
    entry: Entry

    @property
    def revision(self) -> int:
        """Tells the calls of a project apart."""
        return self.entry.revision

    @property
    def body(self) -> bytes:
        """The JSON that is sent."""
        return orjson.dumps(
            {
                "version": VERSION,
                "id": f"{self.ref}/{self.host}/{self.revision}",
                "event": self.entry.event.value,
                "project": {"ref": self.ref, "namespace": self.namespace, "name": self.name},
                "host": self.host,
                "targets": list(self.entry.targets),
                "revision": self.revision,
            }
        )


def headers(body: bytes, *, key: str, now: float) -> dict[str, str]:
    """The headers of a call that is sent now, in seconds since 1970."""
    timestamp = str(int(now))
    return {
        "Content-Type": "application/json",
        TIMESTAMP: timestamp,
        SIGNATURE: f"v1={signature(body, timestamp, key=key)}",
    }


def signature(body: bytes, timestamp: str, *, key: str) -> str:
    """HMAC-SHA256 over timestamp, a dot, and the body; in hex."""
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
