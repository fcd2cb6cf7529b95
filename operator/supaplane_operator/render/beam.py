"""What do Realtime, Supavisor and Logflare have in common? They are programs of the Erlang VM."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from .model import Manifest

USER: Final = 65534
"""`nobody`, whom two of the images give their files to and the third lets read them."""
OPEN_FILES: Final = 65536
"""Sockets and files of one program. The VM makes a table as long as the node's own limit, which on
some nodes is a thousand million."""
_LOOPBACK: Final = "127.0.0.1"

POD: Final[Manifest] = {
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}
"""Fields of the pod."""

ENVIRONMENT: Final[Mapping[str, str]] = {
    # whoever reaches the port over which VMs talk to each other can run code: there is one of each
    "ERL_AFLAGS": "-proto_dist inet_tcp -kernel inet_dist_use_interface {127,0,0,1}",
    "ERL_EPMD_ADDRESS": _LOOPBACK,
    "HOME": "/tmp",
    "RELEASE_TMP": "/tmp",
}
"""Variables of every such program."""


def cookie(secret: str, program: str) -> str:
    """What VMs prove to each other that they belong together; images come with a public one."""
    key = secret.encode()
    return hmac.new(key, f"erlang cookie {program}".encode(), hashlib.sha256).hexdigest()


def probes(health: Mapping[str, Any], *, start_seconds: int) -> Manifest:
    """Probes of a program that takes its time to start. `health`: a probe without its timing."""
    return {
        "startupProbe": {
            **health,
            "periodSeconds": 3,
            "timeoutSeconds": 5,
            "failureThreshold": start_seconds // 3,
        },
        "readinessProbe": {**health, "periodSeconds": 10, "timeoutSeconds": 5},
        "livenessProbe": {
            **health,
            "periodSeconds": 15,
            "timeoutSeconds": 10,
            "failureThreshold": 4,
        },
    }
