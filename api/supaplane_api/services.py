"""What do the routes work with? Everything that is made once per process, in one value."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from supaplane_kube import Kube

from .auth.limits import Limits
from .auth.one_time import Codes
from .auth.passwords import Passwords
from .auth.tokens import AccessTokens, RefreshTokens
from .auth.totp import Vault
from .database import Database
from .inside.port import Inside, Nowhere
from .mail.post import Post
from .metrics import Metrics
from .project_rows import ProjectRows
from .projects.snapshot import Snapshot
from .settings import Settings


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


async def no_checkpoint(_step: str) -> None:
    """Nothing happens between two steps."""


@dataclass(frozen=True)
class Outside:
    """What comes from outside the program, so that tests can give another."""

    now: Callable[[], datetime] = utc_now
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    jitter: Callable[[], float] = random.random
    checkpoint: Callable[[str], Awaitable[None]] = no_checkpoint
    """Awaited between two steps of making a project; tests stop the process there."""


@dataclass(frozen=True)
class Services:
    """Everything that routes and background work share."""

    settings: Settings
    database: Database
    kube: Kube
    snapshot: Snapshot
    passwords: Passwords
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    vault: Vault
    codes: Codes
    limits: Limits
    metrics: Metrics
    inside: Inside = field(default_factory=Nowhere)
    """The way to the services of projects."""
    outside: Outside = field(default_factory=Outside)
    project_rows: ProjectRows = field(default_factory=ProjectRows)
    post: Post | None = None
    """The way out for mail; None: this platform sends none."""
    mail_due: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was put into the outbox."""
