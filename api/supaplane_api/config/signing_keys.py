"""With which keys does auth sign the tokens of a project, and whose else does it take?

There is an ES256 pair, which signs, and the secret of the keys that are JWTs, with which tokens are
still checked. They are made anew together, with the JWT secret (rotation/); one alone cannot be.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter

from supaplane_api.deps import TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import CLUSTER, CREDENTIALS, DATABASE, SNAPSHOT, Missing, NotOffered
from supaplane_api.projects.keys import read_keys
from supaplane_api.projects.views import View
from supaplane_api.schema import Answer

from .edge import REFUSED, SHOWN, Configurer, Reader

v1 = APIRouter(prefix="/v1/projects/{ref}/config/auth", tags=["project keys"])
KEYED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS)
FIXED = (
    "A single key cannot be added, changed or taken away yet: with another JWT secret all keys that"
    " sign tokens are made anew"
)
OWN_ONLY = "Auth takes its own tokens only: other issuers cannot be added on this platform yet"


class SigningKey(Answer):
    """A key; of a secret one nothing is shown."""

    id: str
    algorithm: Literal["ES256", "HS256"]
    status: Literal["in_use", "previously_used"]
    public_jwk: dict[str, Any] | None
    created_at: str
    updated_at: str


class SigningKeys(Answer):
    """The keys of a project."""

    keys: list[SigningKey]


class Issuer(Answer):
    """Somebody else whose tokens are taken; there is none."""

    id: str
    type: str
    inserted_at: str
    updated_at: str


@v1.get("/signing-keys", openapi_extra=KEYED)
async def keys(services: TheServices, access: Reader) -> SigningKeys:
    """The keys that tokens are signed and checked with; no secret is shown."""
    view = shown(services, access)
    return SigningKeys(keys=told(view, await read_keys(services, view)))


@v1.get("/signing-keys/legacy", openapi_extra=KEYED)
async def legacy(services: TheServices, access: Reader) -> SigningKey:
    """The JWT secret's entry among them."""
    view = shown(services, access)
    found = told(view, await read_keys(services, view))
    for key in found:
        if key.algorithm == "HS256":
            return key
    raise Missing("This project has no JWT secret")


@v1.post("/signing-keys", status_code=201, openapi_extra=REFUSED)
async def add_key(services: TheServices, access: Configurer) -> SigningKey:
    """Refused: keys cannot be changed yet."""
    shown(services, access)
    raise NotOffered(FIXED)


@v1.patch("/signing-keys/{key_id}", openapi_extra=REFUSED)
async def change_key(services: TheServices, access: Configurer, key_id: str) -> SigningKey:
    """Refused: keys cannot be changed yet."""
    shown(services, access)
    raise NotOffered(FIXED)


@v1.delete("/signing-keys/{key_id}", openapi_extra=REFUSED)
async def remove_key(services: TheServices, access: Configurer, key_id: str) -> SigningKey:
    """Refused: keys cannot be changed yet."""
    shown(services, access)
    raise NotOffered(FIXED)


@v1.get("/third-party-auth", openapi_extra=SHOWN)
async def issuers(services: TheServices, access: Reader) -> list[Issuer]:
    """Others whose tokens are taken: none."""
    shown(services, access)
    return []


@v1.post("/third-party-auth", status_code=201, openapi_extra=REFUSED)
async def add_issuer(services: TheServices, access: Configurer) -> Issuer:
    """Refused: other issuers cannot be added yet."""
    shown(services, access)
    raise NotOffered(OWN_ONLY)


@v1.delete("/third-party-auth/{tpa_id}", openapi_extra=REFUSED)
async def remove_issuer(services: TheServices, access: Configurer, tpa_id: str) -> Issuer:
    """Refused: there is none to take away."""
    shown(services, access)
    raise NotOffered(OWN_ONLY)


def told(view: View, values: Mapping[str, str]) -> list[SigningKey]:
    """The public half of the pair, and that there is a secret."""
    made = view.row.created_at.isoformat()
    return [
        SigningKey(
            id=jwk.get("kid") or str(uuid.uuid5(uuid.NAMESPACE_URL, f"supaplane:{view.row.ref}")),
            algorithm=jwk["alg"],
            status="in_use" if jwk["kty"] == "EC" else "previously_used",
            public_jwk=jwk if jwk["kty"] == "EC" else None,
            created_at=made,
            updated_at=made,
        )
        for jwk in json.loads(values.get("jwt-jwks") or '{"keys":[]}')["keys"]
        if jwk.get("alg") in ("ES256", "HS256")
    ]
