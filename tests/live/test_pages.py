"""What Studio's pages ask about a project is answered out of its real database."""

from __future__ import annotations

import re

import pytest
from tests.api.pages import CALLS, Call, Needs
from tests.api.shapes import ANY, missing

from .platform import Platform, Project, Reply

ANSWERED = {Needs.NOTHING: "success", Needs.DATABASE: "success", Needs.LOOKS: "success",
            Needs.REFUSED: 501, Needs.ABSENT: 404}  # fmt: skip
USERS = "/auth/{ref}/users"
INSIDE = [
    call
    for call in CALLS
    if "{ref}" in call.path and not call.changes and call.needs in ANSWERED
    if USERS not in call.path and set(re.findall(r"{(\w+)}", call.path)) <= {"ref", "slug", "user"}
]
"""Not those of Auth and Storage: on this node they are stand-ins, which make no tables. Nor of what
a project would have to be filled with first."""
UNKNOWN = "00000000-0000-4000-8000-000000000001"


def asked(platform: Platform, project: Project, call: Call) -> Reply:
    slug = platform.rest("GET", "/platform/organizations").json[0]["slug"]
    path = call.path.replace("{ref}", project.ref).replace("{slug}", slug)
    return platform.rest(call.method, path.replace("{user}", UNKNOWN), call.body)


def complaints(call: Call, reply: Reply) -> list[str]:
    name, wanted = f"{call.method} {call.path}", ANSWERED[call.needs]
    if wanted != "success":
        return [] if reply.status == wanted else [f"{name} -> {reply.status}, not {wanted}"]
    if reply.status >= 300:
        return [f"{name} -> {reply.status} {reply.body[:120]!r}"]
    if call.shape is ANY or call.method == "HEAD":
        return []
    return list(missing(call.shape, reply.json, name))


@pytest.mark.parametrize("page", sorted({call.page for call in INSIDE}))
def test_a_page_is_answered_by_a_project_that_runs(
    platform: Platform, shop: Project, page: str
) -> None:
    calls = [c for c in INSIDE if c.page == page]
    found = [line for c in calls for line in complaints(c, asked(platform, shop, c))]
    assert found == []


def test_lints_find_what_is_wrong_in_a_real_database(platform: Platform, shop: Project) -> None:
    made = platform.query(shop.ref, "create table public.unguarded (id int)")
    assert made.status == 200
    lints = platform.rest("GET", f"/platform/projects/{shop.ref}/run-lints").json
    found = {x["name"] for x in lints if x.get("metadata", {}).get("name") == "unguarded"}
    assert {"rls_disabled_in_public", "no_primary_key"} <= found
