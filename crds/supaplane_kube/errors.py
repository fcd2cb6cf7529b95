"""What can go wrong between us and an API server, and whether waiting can help.

KubeError
├── Unreachable          no answer: connection refused, TLS, time-out           (waiting helps)
└── ApiError             the server answered with a Status
    ├── Unauthorized 401                                                         (new token)
    ├── Forbidden    403                                                         (an admin)
    ├── NotFound     404
    ├── AlreadyExists / Conflict 409                                             (read again)
    ├── Gone         410     the watch is too old                                (list again)
    ├── Invalid      400, 422                                                    (never)
    ├── TooManyRequests 429                                                      (waiting helps)
    └── ServerUnavailable 5xx                                                    (waiting helps)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class KubeError(Exception):
    """Anything that went wrong between us and the API server."""

    retryable = False


class Unreachable(KubeError):
    """The server did not answer."""

    retryable = True


class ApiError(KubeError):
    """The server answered with a Status object."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message or reason or f"HTTP {code}")
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    retry_after: float | None = None


class Unauthorized(ApiError):
    """401: the token is not valid, or no longer."""

    retryable = True


class Forbidden(ApiError):
    """403: not allowed, or refused by admission or quota."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409: the object changed meanwhile, or a field belongs to another manager."""

    retryable = True


class AlreadyExists(Conflict):
    """409 on create: an object of that name is there."""


class Gone(ApiError):
    """410: the resource version is too old to watch from."""

    retryable = True


class Invalid(ApiError):
    """400 or 422: the object is not valid; the message says which field."""


class TooManyRequests(ApiError):
    """429: slow down."""

    retryable = True


class ServerUnavailable(ApiError):
    """5xx."""

    retryable = True


_BY_CODE: Mapping[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}


def from_status(
    code: int, status: Mapping[str, Any], *, retry_after: float | None = None
) -> ApiError:
    """The error for an HTTP status code and the Status object that came with it."""
    reason = str(status.get("reason") or "")
    kind: type[ApiError] = _BY_CODE.get(code, ServerUnavailable if code >= 500 else ApiError)
    if reason == "AlreadyExists":
        kind = AlreadyExists
    elif reason == "Expired":
        kind = Gone
    elif _is_another_object(status.get("details") or {}):
        kind = Conflict
    error = kind(code, reason, str(status.get("message") or ""), status.get("details") or {})
    seconds = error.details.get("retryAfterSeconds")
    error.retry_after = retry_after or (float(seconds) if seconds else None)
    return error


def _is_another_object(details: Mapping[str, Any]) -> bool:
    """A patch that names a uid, and the object of that name has another: 422 to the server."""
    causes = details.get("causes") or ()
    return any(cause.get("field") == "metadata.uid" for cause in causes)
