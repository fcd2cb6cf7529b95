"""The services of a project in memory: they answer what pages ask, in words of the real ones."""

from __future__ import annotations

import re
from typing import Any

import orjson

from supaplane_api.inside import Call, NotReached, Part, Reply

USER = "00000000-0000-4000-8000-000000000000"
BUCKET = {
    "id": "photos",
    "name": "photos",
    "owner": "",
    "public": True,
    "created_at": "2026-11-22T12:00:00Z",
    "updated_at": "2026-11-22T12:00:00Z",
    "file_size_limit": None,
    "allowed_mime_types": None,
}
FILE = {
    "id": USER,
    "name": "a.png",
    "metadata": {"size": 3},
    "created_at": "2026-11-22T12:00:00Z",
    "updated_at": "2026-11-22T12:00:00Z",
    "last_accessed_at": "2026-11-22T12:00:00Z",
}
LINK = "/object/sign/photos/a.png?token=t"
QUERIES = (
    ("auth.users", [{"total": 1, "users": [{"id": USER, "email": "a@example.org"}]}]),
    ("AS used", [{"used": "8000000"}]),
    ("pg_database_size", [{"bytes": "8000000"}]),
    ("storage.objects", [{"bytes": "300"}]),
    ("supabase_functions.hooks", [{"enabled": True}]),
    (
        "rls_disabled_in_public",
        [
            {
                "lint": "no_primary_key",
                "schema": "public",
                "name": "t",
                "kind": "table",
                "more": "",
            }
        ],
    ),
)
"""Words of a statement, and its rows."""
GATEWAY = (
    ("GET", r"/storage/v1/bucket", [BUCKET]),
    ("GET", r"/storage/v1/bucket/[^/]+", BUCKET),
    ("POST", r"/storage/v1/object/list/[^/]+", [FILE]),
    (
        "POST",
        r"/storage/v1/object/sign/[^/]+",
        [{"path": "a.png", "error": None, "signedURL": LINK}],
    ),
    ("POST", r"/storage/v1/object/sign/[^/]+/.+", {"signedURL": LINK}),
    ("POST", r"/auth/v1/admin/users", {"id": USER, "email": "a@example.org"}),
    ("PUT", r"/auth/v1/admin/users/[^/]+", {"id": USER, "email": "a@example.org"}),
    ("GET", r"/auth/v1/admin/users/[^/]+/factors", [{"id": USER}]),
    ("GET", r"/rest/v1/", {"swagger": "2.0", "paths": {}}),
    ("POST", r"/graphql/v1", {"data": {}}),
)


class Stack:
    """A way into a project whose services all answer, or, when `silent`, none."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.silent = False

    async def send(self, call: Call) -> Reply:
        self.calls.append(call)
        if self.silent:
            raise NotReached("silent")
        if call.path == "/generators/typescript":
            return Reply(200, b"export type Database = {}")
        return Reply(200, orjson.dumps(_answer(call)))

    async def close(self) -> None:
        """There is nothing to end."""


def _answer(call: Call) -> Any:
    if call.part is Part.ANALYTICS:
        return {"result": [{"count": 3}]}
    if call.part is Part.META and call.path == "/query":
        sql = orjson.loads(call.body or b"{}")["query"]
        return next((rows for word, rows in QUERIES if word in sql), [])
    if call.part is Part.META:
        return []
    for method, path, answer in GATEWAY:
        if call.method == method and re.fullmatch(path, call.path):
            return answer
    return {}
