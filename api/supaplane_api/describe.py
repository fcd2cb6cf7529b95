"""What does the OpenAPI document say beyond what FastAPI sees by itself?

Which errors each operation may answer: those that follow from its rule (401, 403, 404), from its
body and parameters (400, 413), and those that the route names with `may_answer`. A fuzzing test
holds every answer to this document, and docs/reference/errors.md is generated from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from .deps import Rule
from .problems import Cause
from .schema import GoTrueMessage, Message

DESCRIPTION = """\
Makes and shows Supabase projects on Kubernetes. Sign in at `/auth/token`, send the access token as
`Authorization: Bearer <token>`. Paths below `/platform` are those of today's Studio; the same ones
without it are those of older versions. Every error is `{"message": "..."}`.
"""
CAUSES = "x-supaplane-causes"
_EXTRA = "x-supaplane-answers"
_CONVERTOR = re.compile(r":\w+}")
"""In `{rest:path}`; the document says `{rest}`."""
_TEXT = {
    400: "The request makes no sense, or asks for what cannot be done",
    401: "No valid token",
    403: "A member without the right, or switched off on this platform",
    404: "Not there, or not for this caller",
    409: "Taken, or owned by somebody else",
    413: "The body is too large",
    429: "Too many attempts; see Retry-After",
    501: "Known, and not offered by this platform",
    503: "Waiting may help; see Retry-After",
}


def may_answer(
    *causes: Cause,
    limited: bool = False,
    conflicts: bool = False,
    refuses: bool = False,
    not_found: bool = False,
    not_offered: bool = False,
) -> dict[str, Any]:
    """The `openapi_extra` of a route: causes of 503, and whether it answers 429, 409, 403, 404, 501
    for reasons of its own."""
    flags = {429: limited, 409: conflicts, 403: refuses, 404: not_found, 501: not_offered}
    statuses = [status for status, on in flags.items() if on]
    return {CAUSES: [cause.name for cause in causes], _EXTRA: statuses}


@dataclass(frozen=True)
class Operation:
    """A route as it is served."""

    method: str
    path: str
    dependant: Dependant

    @property
    def rules(self) -> list[Rule]:
        """Who may call it. Exactly one, or a test fails."""
        calls: list[object] = [dependant.call for dependant in _all(self.dependant)]
        return [call for call in calls if isinstance(call, Rule)]


def operations(app: FastAPI) -> Iterator[Operation]:
    """All routes of ours, with their prefixes."""
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        if dependant is None:
            continue
        for method in sorted(context.methods or ()):
            path = _CONVERTOR.sub("}", str(context.path))
            yield Operation(method, path, dependant)


def install(app: FastAPI) -> None:
    """Makes `app.openapi()` the whole document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def complete(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document with every error that can be answered."""
    document = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for model in (Message, GoTrueMessage):
        schemas[model.__name__] = model.model_json_schema()
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    document["components"]["securitySchemes"] = {"bearer": bearer}
    for operation in operations(app):
        entry = document["paths"].get(operation.path, {}).get(operation.method.lower())
        if entry is not None:
            _add_errors(entry, operation)
    return document


def _add_errors(entry: dict[str, Any], operation: Operation) -> None:
    responses = entry["responses"]
    responses.pop("422", None)
    statuses = set(entry.pop(_EXTRA, ()))
    rule = next(iter(operation.rules), None)
    if rule is not None and not rule.public:
        entry["security"] = [{"bearer": []}]
        statuses |= {401, 403}  # 403: before the code of a second factor
    if rule is not None and rule.right is not None:
        statuses.add(404)
    if "requestBody" in entry:
        statuses |= {400, 413}
    if any(_is_checked(parameter) for parameter in entry.get("parameters", ())):
        statuses.add(400)
    if entry.get(CAUSES):
        statuses.add(503)
    for status in sorted(statuses):
        responses.setdefault(str(status), _response(status, operation.path))


def _is_checked(parameter: dict[str, Any]) -> bool:
    """Whether a request can be wrong in it; a ref or slug of another shape is just not there."""
    return parameter["in"] == "query" or (
        parameter["in"] == "path" and parameter["name"] not in ("ref", "slug")
    )


def _response(status: int, path: str) -> dict[str, Any]:
    model = GoTrueMessage if path.startswith("/auth/") else Message
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"description": _TEXT[status], "content": {"application/json": {"schema": schema}}}


def _all(dependant: Dependant) -> Iterator[Dependant]:
    for child in dependant.dependencies:
        yield child
        yield from _all(child)
