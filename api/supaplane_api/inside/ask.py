"""What does a service of a project say to a member? The use-case below every proxied route.

Only services of a project that should run are asked, and what they answer is told as it is, or as
a refusal in our own words; where nothing answers, that is told and no empty page is made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from supaplane_api.caller import ProjectAccess
from supaplane_api.problems import SERVICE, SNAPSHOT, Invalid, Missing, Problem, Unavailable
from supaplane_api.projects.keys import read_keys
from supaplane_api.projects.views import View, view
from supaplane_api.services import Services
from supaplane_contract import Phase

from .port import Call, NotReached, Part, Reply, TooMuch

STOPPED = frozenset({Phase.INACTIVE, Phase.PAUSING, Phase.GOING_DOWN, Phase.INIT_FAILED})
"""Phases in which no service of the project should run."""


def shown(services: Services, access: ProjectAccess) -> View:
    """The project as it is. Raises Missing, Unavailable."""
    if not services.snapshot.synced:
        raise Unavailable(SNAPSHOT)
    found = view(access.project, services.snapshot, services.outside.now())
    if found is None:
        raise Missing("There is no such project")
    return found


def running(services: Services, access: ProjectAccess) -> View:
    """The same, when its services should run. Raises Unavailable when not."""
    found = shown(services, access)
    if found.status in STOPPED:
        raise Unavailable(SERVICE, f"the project is {found.status}")
    return found


def segment(text: str) -> str:
    """One segment of a path, as it was given: it can neither end nor climb. Raises Invalid."""
    if text in ("", ".", "..") or not text.isprintable():
        raise Invalid("The path names nothing that can be asked for")
    return quote(text, safe="")


def encoded(body: Any) -> bytes | None:
    """The body to send on; None for None. Raises Invalid for what no service could read."""
    if body is None:
        return None
    try:
        return orjson.dumps(body)
    except TypeError:
        raise Invalid(
            "The body holds a number of more than 64 bits, or text that is not Unicode"
        ) from None


_LONGEST_DETAIL = 16_384
"""Characters."""


async def ask_raw(services: Services, call: Call) -> Reply:
    """The answer as it came, unless it is a refusal. Raises Problem."""
    try:
        reply = await services.inside.send(call)
    except NotReached:
        raise Unavailable(SERVICE) from None
    except TooMuch:
        raise Invalid(
            f"The answer is larger than {call.most_bytes // 2**20} MiB: ask for less, as with LIMIT"
        ) from None
    if reply.status >= 300:
        raise refusal(reply.status, read_json(reply))
    return reply


async def ask(services: Services, call: Call) -> Any:
    """The answer's JSON; {} when it has none. Raises Problem."""
    return read_json(await ask_raw(services, call))


def read_json(reply: Reply) -> Any:
    """What the body says; {} when it is empty. Raises Unavailable for what is no JSON."""
    try:
        return orjson.loads(reply.body) if reply.body else {}
    except orjson.JSONDecodeError:
        raise Unavailable(SERVICE, "it answered with something that is no JSON") from None


def refusal(status: int, said: Any) -> Problem:
    """What the service refused, as one of our own answers. Its 401 is about our key, not theirs."""
    text = ""
    if isinstance(said, Mapping):
        words = (said.get(key) for key in ("message", "msg", "error_description", "error"))
        text = next((word for word in words if isinstance(word, str) and word), "")
    if status == 404:
        return Missing(text or "There is no such thing in the project")
    if status in (401, 403) or status >= 500 or status < 400:
        return Unavailable(SERVICE, f"it answered {status}")
    return Invalid(
        text or f"The project's service refuses this with status {status}", details=_details(said)
    )


def _details(said: Any) -> dict[str, str]:
    """Where in the SQL the mistake is, in postgres-meta's words, which Studio's editor reads."""
    if not isinstance(said, Mapping):
        return {}
    return {
        key: text[:_LONGEST_DETAIL]
        for key in ("error", "formattedError")
        if isinstance(text := said.get(key), str) and text
    }


async def ask_gateway(
    services: Services,
    access: ProjectAccess,
    method: str,
    path: str,
    *,
    query: Sequence[tuple[str, str]] = (),
    body: Any = None,
) -> Any:
    """What a service behind the project's gateway says to the service key. Raises Problem."""
    return read_json(await ask_gateway_raw(services, access, method, path, query=query, body=body))


async def ask_gateway_raw(
    services: Services,
    access: ProjectAccess,
    method: str,
    path: str,
    *,
    query: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> Reply:
    """The same as it came; `headers` are sent beside those of the service key."""
    found = running(services, access)
    key = (await read_keys(services, found))["service-role-key"]
    return await ask_raw(
        services,
        Call(
            ref=access.project.ref,
            part=Part.GATEWAY,
            method=method,
            path=path,
            query=query,
            headers={"apikey": key, "Authorization": f"Bearer {key}", **(headers or {})},
            body=encoded(body),
        ),
    )
