"""Which pages may call us from a browser? Those of Studio, with credentials; no others."""

from __future__ import annotations

from fastapi import FastAPI, Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware

from supaplane_api import errors
from supaplane_api.problems import Invalid

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HEADERS = (
    "Accept",
    "Accept-Language",
    "Authorization",
    "Baggage",
    "Content-Type",
    "Sentry-Trace",
    "Version",
    "X-Client-Info",
    "X-Connection-Encrypted",
    "X-Pg-Application-Name",
    "X-Request-Id",
    "X-Supabase-Api-Version",
)
EXPOSED = ("Content-Range", "Retry-After", "X-Request-Id")


class _Cors(CORSMiddleware):
    """Refuses in the words of the rest of this API."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        refusal = errors.answer("", Invalid("Browsers may call from DOMAIN_STUDIO_URL only"))
        refusal.headers["Vary"] = "Origin"
        return refusal


def install(app: FastAPI, origin: str | None) -> None:
    """Answers preflight requests and names the origin; without one, browsers elsewhere are refused.

    With credentials browsers take no `*`, so everything is listed.
    """
    app.add_middleware(
        _Cors,
        allow_origins=[origin] if origin else [],
        allow_credentials=True,
        allow_methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=EXPOSED,
        max_age=600,
    )
