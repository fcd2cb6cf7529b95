"""In which bucket, at which S3 service, does a project keep its objects?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from supaplane_contract.spec import ComponentName, StorageBackend
from supaplane_contract.status import Reason

from .context import Project
from .model import NotRenderable

PORT: Final = 9000
"""Of the bundled object store."""
NAME: Final = "storage"
"""The bucket there; the folder, where files take the place of a bucket."""
REGION: Final = "us-east-1"
"""What an S3 service takes when nobody told it where it is."""


@dataclass(frozen=True)
class Bucket:
    """A bucket, without what opens it."""

    endpoint: str
    """URL of the S3 service, no slash at the end."""
    region: str
    name: str
    path_style: bool
    """Whether the bucket is part of the path instead of the host name."""

    @property
    def scheme(self) -> str:
        return urlsplit(self.endpoint).scheme

    @property
    def port(self) -> int:
        url = urlsplit(self.endpoint)
        return url.port or (443 if url.scheme == "https" else 80)

    @property
    def source(self) -> str:
        """How every URL of an object in it begins."""
        if self.path_style:
            return f"{self.endpoint}/"
        return f"{self.scheme}://{self.name}.{self.endpoint.removeprefix(f'{self.scheme}://')}/"


def of(project: Project) -> Bucket:
    """The bucket of storage with backend objectstore or s3. Raises NotRenderable without one."""
    if project.spec.storage.backend is StorageBackend.OBJECTSTORE:
        return Bucket(project.url(ComponentName.OBJECTSTORE, PORT), REGION, NAME, path_style=True)
    s3 = project.spec.storage.s3
    if s3 is None:
        raise NotRenderable(
            Reason.SPEC_INVALID, "storage.backend s3 needs a bucket: give storage.s3"
        )
    endpoint = s3.endpoint.rstrip("/")
    try:
        if not urlsplit(endpoint).hostname or urlsplit(endpoint).port == 0:
            raise ValueError
    except ValueError:
        raise NotRenderable(
            Reason.SPEC_INVALID,
            "storage.s3.endpoint is no URL of a service: write it as https://s3.example.org",
        ) from None
    return Bucket(endpoint, s3.region, s3.bucket, s3.force_path_style)
