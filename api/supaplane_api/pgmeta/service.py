"""What does a caller ask of the project's postgres-meta, as whom, and who is told of it?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from supaplane_api.caller import ProjectAccess
from supaplane_api.inside.ask import ask, ask_raw, encoded, running
from supaplane_api.inside.port import Call, Part
from supaplane_api.problems import CREDENTIALS, Unavailable
from supaplane_api.projects.keys import read_keys
from supaplane_api.services import Services

from . import connection

STATEMENT_SECONDS = 60
LONG_STATEMENT_SECONDS = 600
"""With `disable_statement_timeout`: no statement runs for ever through this program."""
SPARE_SECONDS = 2
"""How much later than the database postgres-meta gives a statement up: its own way to do so, after
55 s unless it is told, lets the statement run on."""
MOST_BYTES = 16 * 1024 * 1024
_WORD = re.compile(r"^(?:\s|--[^\n]*\n|/\*.*?\*/)*([a-zA-Z]{1,16})", re.DOTALL)


async def run(
    services: Services,
    access: ProjectAccess,
    method: str,
    path: str,
    *,
    query: Sequence[tuple[str, str]] = (),
    body: Any = None,
    long: bool = False,
) -> Any:
    """What postgres-meta answers. Raises Problem."""
    user = connection.database_role(access.role)
    seconds = LONG_STATEMENT_SECONDS if long else STATEMENT_SECONDS
    call = await call_as(
        services, access, user, method, path, query=query, body=body, seconds=seconds
    )
    return await ask(services, call)


async def formatted(services: Services, access: ProjectAccess, sql: str) -> str:
    """The same SQL, laid out; postgres-meta answers it as plain text. Raises Problem."""
    user, body = connection.database_role(access.role), {"query": sql}
    call = await call_as(services, access, user, "POST", "/query/format", body=body)
    reply = await ask_raw(services, call)
    return reply.body.decode("utf-8", "replace")


async def call_as(
    services: Services,
    access: ProjectAccess,
    user: str,
    method: str,
    path: str,
    *,
    query: Sequence[tuple[str, str]] = (),
    body: Any = None,
    seconds: int = STATEMENT_SECONDS,
) -> Call:
    """A request to postgres-meta that works as that role of the database. Raises Problem.

    `seconds` is how long a statement may take.
    """
    found = running(services, access)
    values = await read_keys(services, found)
    password, passphrase = (
        connection.password_of(values, user),
        values.get(connection.CRYPTO_KEY),
    )
    if not password or not passphrase:
        raise Unavailable(CREDENTIALS)
    url = connection.connection_url(access.project.ref, user, password, seconds=seconds)
    header = connection.encrypted(url, passphrase, random_bytes=services.outside.random_bytes)
    if path == "/query":
        query = [*query, ("queryTimeoutSecs", str(seconds + SPARE_SECONDS))]
    return Call(
        ref=access.project.ref,
        part=Part.META,
        method=method,
        path=path,
        query=query,
        headers={connection.HEADER: header, "x-pg-application-name": "supaplane"},
        body=encoded(body),
        seconds=seconds + 2.0 * SPARE_SECONDS,
        most_bytes=MOST_BYTES,
    )


def first_word(sql: str) -> str:
    """The command that a text begins with, in upper case; empty when there is none to see."""
    found = _WORD.match(sql)
    return found[1].upper() if found else ""
