"""Which fields of a SupabaseProject may be set over REST? One table; all others are kubectl's.

Never among them: images, annotations and classes of the ingress, hosts below the platform's own
domain, and names of Secrets that this program did not make itself.
"""

from __future__ import annotations

Path = tuple[str, ...]

WRITABLE: tuple[str, ...] = (
    "auth.additionalRedirectUrls",
    "auth.autoConfirmEmail",
    "auth.disableSignup",
    "auth.enableAnonymousSignIns",
    "auth.enableEmailSignup",
    "auth.enablePhoneSignup",
    "auth.jwtExpirySeconds",
    "auth.secretRefs.*",
    "auth.settings.*",
    "auth.siteUrl",
    "auth.smtp",
    "customDomains",
    "database.external.allowedCidrs",
    "database.parameters.*",
    "database.storage.size",
    "desiredState",
    "displayName",
    "functions.extraEnvFrom",
    "functions.sources",
    "operation",
    "organization",
    "pooler.defaultPoolSize",
    "pooler.external.allowedCidrs",
    "pooler.maxClientConnections",
    "pooler.poolMode",
    "realtime.enabled",
    "realtime.maxConcurrentUsers",
    "realtime.maxEventsPerSecond",
    "rest.enabled",
    "rest.extraSearchPath",
    "rest.maxRows",
    "rest.poolSize",
    "rest.schemas",
    "size",
    "storage.fileSizeLimit",
    "storage.imageTransformation",
)
"""Paths; a star stands for one name of any kind."""
_PATHS = tuple(tuple(path.split(".")) for path in WRITABLE)


def is_writable(path: Path) -> bool:
    """Whether the table has the field."""
    return any(
        len(path) == len(known)
        and all(step in ("*", given) for step, given in zip(known, path, strict=True))
        for known in _PATHS
    )
