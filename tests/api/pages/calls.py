"""What is a call of a page, and how is one written down?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from tests.api.shapes import ANY

from supaplane_contract import Phase


class Needs(Enum):
    """What has to run for a call to be answered with success."""

    NOTHING = "the platform"
    DATABASE = "the project's postgres-meta"
    GATEWAY = "the project's gateway"
    ANALYTICS = "the project's Logflare, if it has one"
    LOOKS = "the platform; looks into the project if it can"
    REFUSED = "refused: 501"
    ABSENT = "there is none: 404"


EVERYWHERE: Mapping[str, int] = MappingProxyType({})
GOING: Mapping[str, int] = MappingProxyType({Phase.GOING_DOWN.value: 409})
"""Calls that write to the SupabaseProject, which is being deleted then."""
_HEALTHY = (Phase.ACTIVE_HEALTHY, Phase.ACTIVE_UNHEALTHY)
RUNNING: Mapping[str, int] = MappingProxyType(
    {phase.value: 409 for phase in Phase if phase not in (*_HEALTHY, Phase.INIT_FAILED)}
)
"""Restarts: what does not run, or is being changed already, is not restarted."""
SERVING: Mapping[str, int] = MappingProxyType(
    {phase.value: 409 for phase in Phase if phase not in _HEALTHY}
)
"""New secrets: they are brought to what runs."""
NO_FACTOR: Mapping[str, int] = MappingProxyType({phase.value: 403 for phase in Phase})
"""What takes a second factor, which who calls here has not."""


@dataclass(frozen=True)
class Form:
    """A body of parts."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Call:
    """One call of a page. `shape` is what the page takes out of the answer."""

    page: str
    method: str
    path: str
    needs: Needs = Needs.NOTHING
    shape: Any = ANY
    body: Any = None
    changes: bool = False
    """Whether something is different afterwards: then it is in the audit log."""
    phases: Mapping[str, int] = field(default_factory=dict)
    """Phases in which the answer is another: its status."""

    @property
    def of_a_project(self) -> bool:
        """Whether the project's phase can matter."""
        return "{ref}" in self.path

    @property
    def of_the_platform(self) -> bool:
        """Whether what changes lies in the management database alone, or, as a token, nowhere."""
        saved = ("/content", "/api-keys/temporary")
        return not self.of_a_project or any(word in self.path for word in saved)

    @property
    def pattern(self) -> str:
        """Without its query."""
        return self.path.partition("?")[0]


NOTHING, DATABASE, GATEWAY = Needs.NOTHING, Needs.DATABASE, Needs.GATEWAY
ANALYTICS, LOOKS, REFUSED, ABSENT = Needs.ANALYTICS, Needs.LOOKS, Needs.REFUSED, Needs.ABSENT

Row = tuple[str, str, Any, Needs, Any, bool, Mapping[str, int]]


def get(path: str, shape: Any = ANY, needs: Needs = NOTHING) -> Row:
    return "GET", path, shape, needs, None, False, EVERYWHERE


def head(path: str, needs: Needs = NOTHING) -> Row:
    return "HEAD", path, ANY, needs, None, False, EVERYWHERE


def ask(path: str, body: Any, shape: Any = ANY, needs: Needs = NOTHING) -> Row:
    """A POST that changes nothing."""
    return "POST", path, shape, needs, body, False, EVERYWHERE


def change(
    method: str, path: str, body: Any = None, shape: Any = ANY, needs: Needs = NOTHING
) -> Row:
    return method, path, shape, needs, body, True, EVERYWHERE


def write(
    method: str,
    path: str,
    body: Any = None,
    shape: Any = ANY,
    phases: Mapping[str, int] = GOING,
) -> Row:
    """A change of the SupabaseProject."""
    return method, path, shape, NOTHING, body, True, phases


def same(
    method: str,
    path: str,
    body: Any,
    shape: Any = ANY,
    needs: Needs = NOTHING,
    phases: Mapping[str, int] = EVERYWHERE,
) -> Row:
    """What looks like a change and says what is so already, or is refused."""
    return method, path, shape, needs, body, False, phases


def refused(*lines: str) -> list[Row]:
    """Calls that answer 501, as `POST /path`."""
    pairs = (line.split() for line in lines)
    return [(method, path, ANY, REFUSED, None, False, EVERYWHERE) for method, path in pairs]


P, R, ORG = "/platform/projects/{ref}", "/v1/projects/{ref}", "/platform/organizations/{slug}"
A, D, M, S = (f"/platform/{word}/{{ref}}" for word in ("auth", "database", "pg-meta", "storage"))
B = f"{S}/buckets/photos/objects"
PERIOD = "iso_timestamp_start=2026-11-01T00:00:00Z&iso_timestamp_end=2026-12-01T00:00:00Z"
