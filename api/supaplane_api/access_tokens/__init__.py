"""Access tokens that people make for programs: what do they look like, and what is kept of them?

Only the SHA-256 of a token is stored. It is random enough that no slower hash is needed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

_SHAPE = re.compile(r"sbp_[0-9a-f]{40}")
BYTES = 20
_SHOWN = 4


def is_one(text: str) -> bool:
    """Whether this has the shape of an access token (and is no session's JWT)."""
    return _SHAPE.fullmatch(text) is not None


def mint(random_bytes: Callable[[int], bytes]) -> str:
    """A new token, in the shape that the official command line takes."""
    return f"sbp_{random_bytes(BYTES).hex()}"


def stored(token: str) -> bytes:
    """What the database keeps."""
    return hashlib.sha256(token.encode()).digest()


def alias(token: str) -> str:
    """By which its owner knows it again in a list."""
    return f"{token[: 4 + _SHOWN]}...{token[-_SHOWN:]}"
