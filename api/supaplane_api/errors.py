"""How does a problem become an answer? `{"message"}` everywhere, GoTrue's body below /auth.

Studio shows nothing but `message` (or `msg`), so FastAPI's own `{"detail"}` never leaves here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from supaplane_kube import errors as kube_errors

from .logs import request_id
from .problems import CLUSTER, Invalid, Problem, TooLarge, Unavailable

log = logging.getLogger(__name__)
_PHRASES = {
    404: "There is no such path",
    405: "This path does not take this method",
    413: "The body is larger than this platform takes",
}


def install(app: FastAPI) -> None:
    """Gives every kind of error its one answer."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return answer(request.url.path, error)

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> Response:
        return answer(request.url.path, Invalid(first_mistake(error.errors())))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        message = _PHRASES.get(error.status_code, str(error.detail))
        problem = Problem(message, status=error.status_code, code="bad_request")
        problem.headers.update(error.headers or {})
        return answer(request.url.path, problem)

    @app.exception_handler(kube_errors.KubeError)
    async def cluster(request: Request, error: kube_errors.KubeError) -> Response:
        log.warning("kubernetes: %s", error)
        return answer(request.url.path, Unavailable(CLUSTER))


def answer(path: str, problem: Problem) -> Response:
    """The response that says what went wrong."""
    body: dict[str, Any] = problem.details | {"message": problem.message}
    if path == "/auth" or path.startswith("/auth/"):
        body |= {"code": problem.status, "error_code": problem.code, "msg": problem.message}
    return Response(
        orjson.dumps(body),
        status_code=problem.status,
        headers=problem.headers,
        media_type="application/json",
    )


def unexpected(path: str) -> Response:
    """For what nobody foresaw: says nothing of it but the id under which the log does."""
    message = f"Something went wrong on our side; the log tells more of request {request_id.get()}"
    return answer(path, Problem(message))


def too_large(path: str, limit: int) -> Response:
    """The body is larger than `limit` bytes."""
    return answer(path, TooLarge(f"{_PHRASES[413]}: at most {limit} bytes"))


def first_mistake(errors: Sequence[Mapping[str, Any]]) -> str:
    """The first mistake, as `field: what is wrong`. Never holds what was sent."""
    for error in errors:
        where = ".".join(str(part) for part in error.get("loc", ()) if part != "body")
        text = str(error.get("msg", "is not valid")).removeprefix("Value error, ")
        if error.get("type") == "json_invalid":
            return "The body is not valid JSON"
        printable = "".join(c for c in where if c.isprintable())[:100]
        return f"{printable}: {text}" if printable else f"The body: {text}"
    return "The request is not valid"
