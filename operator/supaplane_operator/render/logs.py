"""Are a project's logs collected, and with which token do they come into its analytics?

The platform's log shipper reads the logs of every project and must not need every project's
Secret. It shares one key with the operator instead; each project's token follows from key and ref,
and nothing about the key or another's token follows from a token.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from supaplane_contract.spec import ComponentName, ProjectSpec
from supaplane_operator.releases import Release

from .context import Project
from .model import Platform
from .selection import wanted

PUBLIC_TOKEN: Final = "logflare-public-access-token"
PRIVATE_TOKEN: Final = "logflare-private-access-token"


def collected(spec: ProjectSpec, release: Release, platform: Platform) -> bool:
    """Whether there is a log shipper, and something in the project that takes what it brings."""
    return platform.log_namespace is not None and wanted(spec, release, ComponentName.ANALYTICS)


def ingest_token(project: Project) -> str:
    """The token for writing: of the shipper's making where there is one, else the minted one."""
    key = project.platform.log_key
    return project.credential(PUBLIC_TOKEN) if key is None else token(key, project.ref)


def token(key: str, ref: str) -> str:
    """What the shipper's configuration computes too: HMAC-SHA-256 in lower-case hex."""
    return hmac.new(key.encode(), ref.encode(), hashlib.sha256).hexdigest()
