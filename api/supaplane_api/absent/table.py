"""Which calls are known and not served, and why? Each answers 501 with that reason.

A path that ends in `/*` stands for everything below it. A call that the platform learns to serve is
taken out of here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

READ: Final = ("GET",)
WRITE: Final = ("DELETE", "PATCH", "POST", "PUT")
ALL: Final = READ + WRITE


@dataclass(frozen=True)
class Absent:
    """Calls that are refused."""

    path: str
    methods: tuple[str, ...]
    reason: str


_BACKUPS = "Backups are not made by this platform yet: use pg_dump, or snapshots of the volume"
_CLONES = "Projects cannot be copied by this platform yet: move the data by pg_dump"
_BILLING = "There is no billing on this platform: everything it can do is free"
_GITHUB = "GitHub cannot be connected to this platform"
_VERCEL = "Vercel cannot be connected to this platform"
_MARKET = "Marketplaces cannot be connected to this platform"
_OAUTH = "OAuth applications cannot be registered on this platform: use access tokens"
_APPS = "Applications cannot be installed on this platform: use access tokens"
_SSO = "Single sign-on is not offered by this platform"
_FEEDBACK = "This platform has nobody who reads feedback: ask whoever runs it"
_DRAINS = "Logs cannot be sent elsewhere by this platform yet"
_BUCKETS = "This platform offers ordinary buckets only"
_REPLICATION = "Replication pipelines are not offered by this platform"
_BRANCHES = "Branches are not offered by this platform"
_JIT = "Database access for a limited time is not offered by this platform"
_DOCUMENTS = "This platform has no such document"
_SCOPED = "Access tokens of limited rights are not offered: make an ordinary one"
_CHECKS = "postgres-meta cannot check SQL without running it"
_LINTS = "Findings cannot be hidden on this platform"

_NEW = ("POST",)
_STORAGE = "/storage/{ref}"
_DATABASE = "/database/{ref}"
_ORGANIZATION = "/organizations/{slug}"
_PROJECT = "/projects/{ref}"

PLATFORM: Final[tuple[Absent, ...]] = (
    Absent(f"{_DATABASE}/backups/download", _NEW, _BACKUPS),
    Absent(f"{_DATABASE}/backups/enable-physical-backups", _NEW, _BACKUPS),
    Absent(f"{_DATABASE}/backups/pitr", _NEW, _BACKUPS),
    Absent(f"{_DATABASE}/backups/restore", _NEW, _BACKUPS),
    Absent(f"{_DATABASE}/backups/restore-physical", _NEW, _BACKUPS),
    Absent(f"{_DATABASE}/clone", ("GET", "POST"), _CLONES),
    Absent("/auth/{ref}/validate/spam", _NEW, "Mails are not judged by this platform"),
    Absent("/pg-meta/{ref}/query/validate", _NEW, _CHECKS),
    Absent("/cli/login", _NEW, "Make an access token on the account page and give it to the CLI"),
    Absent("/cloud-marketplace/*", READ, _MARKET),
    Absent("/feedback/*", ("PATCH", "POST"), _FEEDBACK),
    Absent("/integrations/github/authorization", ("DELETE", "POST"), _GITHUB),
    Absent("/integrations/github/connections", _NEW, _GITHUB),
    Absent("/integrations/github/connections/{id}", ("DELETE", "PATCH"), _GITHUB),
    Absent("/integrations/github/repositories/*", READ, _GITHUB),
    Absent("/integrations/vercel", _NEW, _VERCEL),
    Absent("/integrations/vercel/*", ALL, _VERCEL),
    Absent("/oauth/authorizations/{id}", READ, _OAUTH),
    Absent("/organizations/cloud-marketplace", _NEW, _MARKET),
    Absent("/organizations/confirm-subscription", _NEW, _BILLING),
    Absent(f"{_ORGANIZATION}/apps", ("GET", "POST"), _APPS),
    Absent(f"{_ORGANIZATION}/apps/*", ALL, _APPS),
    Absent(f"{_ORGANIZATION}/billing/credits/*", _NEW, _BILLING),
    Absent(f"{_ORGANIZATION}/billing/invoices/{{id}}", READ, _BILLING),
    Absent(f"{_ORGANIZATION}/billing/invoices/{{id}}/*", READ, _BILLING),
    Absent(f"{_ORGANIZATION}/billing/subscription", ("PUT",), _BILLING),
    Absent(f"{_ORGANIZATION}/billing/subscription/*", _NEW, _BILLING),
    Absent(f"{_ORGANIZATION}/billing/upgrade-request", _NEW, _BILLING),
    Absent(f"{_ORGANIZATION}/cloud-marketplace/*", ("GET", "PUT"), _MARKET),
    Absent(f"{_ORGANIZATION}/customer", ("PUT",), _BILLING),
    Absent(f"{_ORGANIZATION}/documents/*", ("GET", "POST"), _DOCUMENTS),
    Absent(f"{_ORGANIZATION}/oauth/*", ALL, _OAUTH),
    Absent(f"{_ORGANIZATION}/payments", ("DELETE",), _BILLING),
    Absent(f"{_ORGANIZATION}/payments/*", ("POST", "PUT"), _BILLING),
    Absent(f"{_ORGANIZATION}/sso", ("DELETE", "GET", "POST", "PUT"), _SSO),
    Absent(f"{_ORGANIZATION}/tax-ids", ("DELETE", "PUT"), _BILLING),
    Absent("/profile/scoped-access-tokens", _NEW, _SCOPED),
    Absent(f"{_PROJECT}/analytics/log-drains", _NEW, _DRAINS),
    Absent(f"{_PROJECT}/analytics/log-drains/{{token}}", ("DELETE", "PUT"), _DRAINS),
    Absent(f"{_PROJECT}/notifications/advisor/exceptions", ("DELETE", "POST"), _LINTS),
    Absent(f"{_PROJECT}/privatelink/*", ALL, "Private links are not offered by this platform"),
    Absent(f"{_PROJECT}/resources/{{id}}", ("GET", "PATCH"), "There are no such resources here"),
    Absent("/replication/{ref}/*", ALL, _REPLICATION),
    Absent(f"{_STORAGE}/analytics-buckets", ("GET", "POST"), _BUCKETS),
    Absent(f"{_STORAGE}/analytics-buckets/*", ALL, _BUCKETS),
    Absent(f"{_STORAGE}/archive", _NEW, "Files are not packed into archives by this platform"),
    Absent(f"{_STORAGE}/credentials", _NEW, "A project has one S3 key; more cannot be made yet"),
    Absent(f"{_STORAGE}/credentials/{{id}}", ("DELETE",), "The project's S3 key cannot be removed"),
    Absent(f"{_STORAGE}/vector-buckets", ("GET", "POST"), _BUCKETS),
    Absent(f"{_STORAGE}/vector-buckets/*", ALL, _BUCKETS),
    Absent("/stripe/projects/*", ALL, _BILLING),
    Absent("/stripe/setup-intent", _NEW, _BILLING),
    Absent("/vercel/*", READ, _VERCEL),
)
"""Served below /platform."""

V1: Final[tuple[Absent, ...]] = (
    Absent("/branches/*", ALL, _BRANCHES),
    Absent("/organizations/{slug}/project-claim/{token}", ("GET", "POST"), "Nothing to claim here"),
    Absent(f"{_PROJECT}/actions/*", READ, _BRANCHES),
    Absent(f"{_PROJECT}/branches", _NEW, _BRANCHES),
    Absent(
        f"{_PROJECT}/config/auth/signing-keys/legacy", _NEW, "A project has its signing key already"
    ),
    Absent(f"{_PROJECT}/database/jit", ("PUT",), _JIT),
    Absent(f"{_PROJECT}/database/jit/*", ("DELETE", "GET"), _JIT),
    Absent(
        f"{_PROJECT}/database/migrations",
        ("PUT",),
        "Run migrations with the CLI or in the SQL editor",
    ),
    Absent(f"{_PROJECT}/jit-access", ("GET", "PUT"), _JIT),
)
"""Served below /v1."""
