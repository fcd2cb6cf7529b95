"""The demo's story over REST: an account, a sign-in, an organization, a project, its status."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .rest import ApiRefused, Rest

EMAIL = "demo@supaplane.localhost"
ORGANIZATION = "Demo"
PROJECT = "First project"
POLL_SECONDS = 0.15

Components = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Account:
    """Who signs in to the demo."""

    email: str
    password: str


class ProjectFailed(Exception):
    """The project did not become ACTIVE_HEALTHY; the message says why."""


def new_password() -> str:
    """A password that passes every strength rule."""
    return f"{secrets.token_urlsafe(18)}-aA1"


async def sign_in(rest: Rest, account: Account) -> None:
    """Signs in, with a new account if there is none yet."""
    credentials = {"email": account.email, "password": account.password}
    try:
        await rest.call("POST", "/platform/signup", credentials)
    except ApiRefused as error:
        if error.status not in (400, 409, 422):
            raise
    session = await rest.call("POST", "/auth/token?grant_type=password", credentials)
    rest.token = session["access_token"]


async def organization(rest: Rest) -> str:
    """Slug of the demo's organization, made if there is none."""
    mine = await rest.call("GET", "/platform/organizations")
    for known in mine:
        if known["name"] == ORGANIZATION:
            return str(known["slug"])
    made = await rest.call(
        "POST", "/platform/organizations", {"name": ORGANIZATION, "tier": "tier_free"}
    )
    return str(made["slug"])


async def project(rest: Rest, slug: str, size: str) -> dict[str, Any]:
    """Makes the first project; the answer holds its ref and its keys."""
    answer: dict[str, Any] = await rest.call(
        "POST",
        "/platform/projects",
        {
            "name": PROJECT,
            "organization_slug": slug,
            "db_pass": new_password(),
            "db_region": "local",
            "desired_instance_size": size,
        },
    )
    return answer


async def existing_project(rest: Rest, slug: str) -> str | None:
    """Ref of the demo's project, if an earlier run made it."""
    for known in await rest.call("GET", "/platform/projects"):
        if known["name"] == PROJECT and known["organization_slug"] == slug:
            return str(known["ref"])
    return None


async def wait_active(
    rest: Rest,
    ref: str,
    *,
    details: Callable[[str], Awaitable[tuple[Components, str]]],
    show: Callable[[str, Components], None],
    deadline_seconds: float,
) -> None:
    """Waits until the project is ACTIVE_HEALTHY. Raises ProjectFailed with the reason."""
    end = time.monotonic() + deadline_seconds
    while True:
        phase = (await rest.call("GET", f"/projects/{ref}/status"))["status"]
        components, message = await details(ref)
        show(phase, components)
        if phase == "ACTIVE_HEALTHY":
            return
        if phase == "INACTIVE":
            raise ProjectFailed(f"project {ref} is paused: set spec.desiredState to Running")
        if time.monotonic() > end:
            raise ProjectFailed(f"project {ref} is still {phase}: {message or 'no reason given'}")
        await asyncio.sleep(POLL_SECONDS)
