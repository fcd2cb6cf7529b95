"""The chart's log shipper brings the lines of a project to that project's own analytics.

The shipper and the analytics are stand-ins; files, rights, policies and addresses are real.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .installed import LOGS, Installed
from .platform import Platform, Project

PLACE = "supaplane-logs"


@pytest.fixture(scope="module")
def platform(installed: Installed) -> Platform:
    """With logs."""
    installed.install(**LOGS)
    return installed


def received(platform: Platform, project: Project) -> list[dict[str, str]]:
    """What its analytics were sent."""
    address = platform.address(project.namespace, "analytics", 4000)
    found = platform.request(address, "GET", "/standin/received").json
    return list(found or [])


def test_the_shipper_is_ready_on_the_node(platform: Platform) -> None:
    (wanted,) = platform.items(PLACE, "daemonsets", "apis/apps/v1")
    status = wanted["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"]) == (1, 1)


def test_a_request_is_in_the_logs_of_its_own_project_and_of_no_other(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    spec = {**small, "analytics": {"enabled": True}}
    for name in ("heard", "apart"):
        apply(name, spec)
    heard, apart = (platform.until_phase(name, "ACTIVE_HEALTHY") for name in ("heard", "apart"))

    def requests(of: Project) -> set[str]:
        """The projects whose requests are in the logs of this one."""
        lines = [
            e["message"] for e in received(platform, of) if e["source"] == "cloudflare.logs.prod"
        ]
        return {
            p.name for p in (heard, apart) if any(f"/auth/v1/{p.ref} " in line for line in lines)
        }

    def both_are_there() -> bool:
        for project in (heard, apart):
            platform.ask(project, f"/auth/v1/{project.ref}", project.anon)
        return bool(requests(heard) and requests(apart))

    platform.until(both_are_there, "a request stands in the logs")
    assert (requests(heard), requests(apart)) == ({"heard"}, {"apart"})
