"""How Studio and the management API ask for new secrets, and read how that goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from supaplane_api.schema import Answer, Body
from supaplane_api.text import Password

TrackingId = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9][-a-zA-Z0-9._]*$", min_length=1, max_length=60)
]


class NewJwtSecret(Body):
    """Another JWT secret."""

    jwt_secret: Password
    change_tracking_id: TrackingId
    """By which the status names this change; Studio makes a UUID. Works once."""


class NewPassword(Body):
    """Another password of the database role postgres. Must be hard to guess."""

    password: Password


class Begun(Answer):
    """The operation was written; what becomes of it is told elsewhere."""

    message: str


class Progress(Answer):
    """How a change of the JWT secret goes, in Studio's numbers."""

    change_tracking_id: str
    status: Literal[0, 1, 2]
    """0: under way, 1: done, 2: failed."""
    progress: Literal[0, 2, 5]
    """0: written, 2: every service is told and its pods are replaced, 5: done."""
    error: Literal[1, 2] | None = None
    """1: nothing was changed, 2: the secret is another one but not every service came back."""


class NestedProgress(Progress):
    """The same twice, for Studio of 2024 reads `meta`."""

    meta: Progress


class SecretsUpdateStatus(Answer):
    """How the last change of the JWT secret goes; null: none was asked for, or other work came
    after it. Two names for two generations."""

    jwtSecretUpdateStatus: Annotated[NestedProgress | None, Field()] = None
    update_status: Progress | None = None
