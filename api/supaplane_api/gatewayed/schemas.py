"""What may be asked of the project's Auth and Storage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from supaplane_api.schema import Body
from supaplane_api.text import Email, Password

Text = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00]*$")]
MimeTypes = Annotated[list[Text], Field(max_length=256)]
Bytes = Annotated[int, Field(ge=0, le=2**53)]


class CreateUser(Body):
    """A new user of the project."""

    email: Email
    password: Password
    email_confirm: bool = False


class UserChange(Body):
    """A ban, as in 24h; `none` ends it."""

    ban_duration: Annotated[str, StringConstraints(pattern=r"^(none|[0-9]{1,9}[smh])$")]


class CreateBucket(Body):
    """A new bucket."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^/\x00]+$")]
    public: bool = False
    file_size_limit: Bytes | None = None
    allowed_mime_types: MimeTypes | None = None
    type: Literal["STANDARD"] = "STANDARD"
    """Buckets for analytics are not offered."""


class BucketChange(Body):
    """A changed bucket."""

    public: bool
    file_size_limit: Bytes | None = None
    allowed_mime_types: MimeTypes | None = None


class SortBy(Body):
    """An order."""

    column: Text = "name"
    order: Literal["asc", "desc"] = "asc"


class ListOptions(Body):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0
    search: Text = ""
    sortBy: SortBy = SortBy()


class ListObjects(Body):
    """A folder of a bucket."""

    path: Text
    options: ListOptions | None = None


class Paths(Body):
    """Files."""

    paths: Annotated[list[Text], Field(min_length=1, max_length=1000)]
