"""The refusals of the table over HTTP. Each has the rule that it would have if it were served."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends

from supaplane_api.access import Right
from supaplane_api.deps import AnyAccount, Member, OnProject
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE, NotOffered
from supaplane_api.schema import Empty

from .table import PLATFORM, READ, V1, Absent


def rule_for(method: str, path: str) -> OnProject | Member | AnyAccount:
    """Who may be told that it is not offered: who might do it if it were."""
    reads = method in READ
    if "{ref}" in path:
        return OnProject(Right.PROJECT_READ if reads else Right.PROJECT_CONFIGURE)
    if "{slug}" in path:
        return Member(Right.ORGANIZATION_READ if reads else Right.ORGANIZATION_UPDATE)
    return AnyAccount()


def router_of(prefix: str, table: tuple[Absent, ...]) -> APIRouter:
    """Routes that refuse what the table names."""
    router = APIRouter(prefix=prefix, tags=["not offered"])
    for absent in table:
        path = re.sub(r"/\*$", "/{rest:path}", absent.path)
        for method in absent.methods:
            router.add_api_route(
                path,
                _refuse(absent.reason),
                methods=[method],
                name=f"not_offered_{method.lower()}",
                description=f"Refused: {absent.reason[0].lower()}{absent.reason[1:]}.",
                dependencies=[Depends(rule_for(method, path))],
                openapi_extra=_described(path),
            )
    return router


def _refuse(reason: str) -> Callable[[], Awaitable[Empty]]:
    async def refuse() -> Empty:
        raise NotOffered(reason)

    return refuse


def _described(path: str) -> dict[str, Any]:
    names = [name for name in re.findall(r"{(\w+)", path) if name not in ("ref", "slug")]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]
    return may_answer(DATABASE, not_offered=True, not_found="rest" in names) | {
        "parameters": parameters
    }


platform = router_of("/platform", PLATFORM)
v1 = router_of("/v1", V1)
