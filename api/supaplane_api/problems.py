"""What can go wrong for a caller, each with its HTTP status and a message that names the cure.

Problem
├── Invalid          400   the request makes no sense, or asks for what cannot be done
├── Unauthenticated  401   no valid token
├── NotAllowed       403   a member without the right
├── Missing          404   not there, or not for this caller
├── Clash            409   somebody else's field, or a name that is taken
├── TooLarge         413   the body
├── TooMany          429   slow down
├── NotOffered       501   a known request that this platform does not serve
└── Unavailable      503   waiting may help

Pure: how a problem becomes an answer is in `errors.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class Problem(Exception):
    """Something that the caller is told. `code` is a machine-readable word for GoTrue's clients.

    `details` are told beside the message, by their names.
    """

    status = 500
    code = "unexpected_failure"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.headers = dict(headers or {})
        self.details = dict(details or {})


class Invalid(Problem):
    """The request makes no sense, or asks for what cannot be done."""

    status = 400
    code = "validation_failed"


class Unauthenticated(Problem):
    """No token, or one that is not valid any more."""

    status = 401
    code = "bad_jwt"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"WWW-Authenticate": "Bearer"})


class NotAllowed(Problem):
    """A member without the right."""

    status = 403
    code = "not_admin"


class Missing(Problem):
    """Not there, or not for this caller: the two are not told apart."""

    status = 404
    code = "not_found"


class Clash(Problem):
    """Taken, or owned by somebody else."""

    status = 409
    code = "conflict"


class TooLarge(Problem):
    """The body is larger than allowed."""

    status = 413
    code = "request_too_large"


class TooMany(Problem):
    """Too many requests; `seconds` until the next one may succeed."""

    status = 429
    code = "over_request_rate_limit"

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message, headers={"Retry-After": str(max(1, round(seconds)))})


class NotOffered(Problem):
    """A known request that this platform does not serve."""

    status = 501
    code = "not_implemented"


@dataclass(frozen=True)
class Cause:
    """Why an operation may answer 503; listed in docs/reference/errors.md."""

    name: str
    message: str
    cure: str
    retry_after_seconds: int


DATABASE = Cause(
    "database",
    "The management database does not answer",
    "Wait; if it lasts, look at the database and at /readyz of the API.",
    5,
)
CLUSTER = Cause(
    "cluster",
    "Kubernetes cannot be asked at this moment",
    "Wait; if it lasts, look at its API server, and at this program's log and /readyz.",
    5,
)
SNAPSHOT = Cause(
    "snapshot",
    "The state of the projects has not been read from Kubernetes yet",
    "Wait a few seconds: the API has just started, or cannot list SupabaseProjects.",
    2,
)
BUSY = Cause(
    "busy",
    "Too many passwords are being checked at this moment",
    "Send the request again after the time in Retry-After.",
    1,
)
CREDENTIALS = Cause(
    "credentials",
    "The credentials of this project do not exist yet",
    "Wait until the operator has made them: see the project's status.",
    2,
)
SERVICE = Cause(
    "service",
    "The project's own service that this needs does not answer",
    "See the project's status; a paused project has to be restored first.",
    5,
)
MAIL = Cause(
    "mail",
    "Too many mails wait to be sent",
    "Wait; if it lasts, look at this program's log: the mail server may be away.",
    60,
)
CAUSES = (DATABASE, CLUSTER, SNAPSHOT, BUSY, CREDENTIALS, SERVICE, MAIL)


class Unavailable(Problem):
    """Waiting may help."""

    status = 503
    code = "unavailable"

    def __init__(self, cause: Cause, detail: str = "") -> None:
        message = f"{cause.message}{': ' + detail if detail else ''}. {cause.cure}"
        super().__init__(message, headers={"Retry-After": str(cause.retry_after_seconds)})
        self.cause = cause
