"""Which keys does a project have, and who has seen the secret ones?

Each revealing is written to the audit log before the key is answered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query

from supaplane_api.access import Right, may
from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import (
    CLUSTER,
    CREDENTIALS,
    DATABASE,
    SNAPSHOT,
    Invalid,
    Missing,
    NotOffered,
)
from supaplane_api.projects.keys import read_keys
from supaplane_api.schema import Answer
from supaplane_contract import jose

router = APIRouter(prefix="/projects/{ref}", tags=["project keys"])
v1 = APIRouter(prefix="/v1/projects/{ref}/api-keys", tags=["project keys"])
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Keeper = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_SECRETS))]
Configurer = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_CONFIGURE))]
KEYED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS)
REFUSED = may_answer(DATABASE, SNAPSHOT, not_offered=True)
LONGEST = 3600
"""Most seconds that a temporary key lives."""
_HAD = (
    ("anon", "legacy", "anon-key"),
    ("service_role", "legacy", "service-role-key"),
    ("default", "publishable", "publishable-key"),
    ("default", "secret", "secret-key"),
)
_SECRET = frozenset({"service-role-key", "secret-key"})


class Key(Answer):
    """A key; `api_key` is null for who may not see it or did not ask to."""

    id: str
    name: str
    type: Literal["legacy", "publishable", "secret"]
    api_key: str | None
    prefix: str | None
    description: str | None = None
    hash: str | None = None
    secret_jwt_template: dict[str, Any] | None = None


class Legacy(Answer):
    """Whether the keys that are JWTs work."""

    enabled: bool = True


class Temporary(Answer):
    """A key that lives for a short time."""

    api_key: str


@v1.get("", openapi_extra=KEYED)
async def keys(
    services: TheServices,
    client: TheClient,
    access: Reader,
    reveal: Annotated[bool, Query()] = False,
) -> list[Key]:
    """The project's keys; with `reveal` also the secret ones, for roles that may see them."""
    values = await read_keys(services, shown(services, access))
    told = reveal and may(access.role, Right.PROJECT_SECRETS)
    if told:
        await note(services, access, "project.keys.reveal", client.address)
    return [_key(name, kind, at, values, told) for name, kind, at in _HAD if at in values]


def _key(name: str, kind: Any, at: str, values: Mapping[str, str], told: bool) -> Key:
    secret = at in _SECRET
    opaque = kind != "legacy"
    return Key(
        id=at,
        name=name,
        type=kind,
        api_key=None if secret and not told else values[at],
        prefix=values[at][:16] if opaque else None,
    )


@v1.get("/legacy", openapi_extra=may_answer(DATABASE, SNAPSHOT))
async def legacy(services: TheServices, access: Reader) -> Legacy:
    """Whether the keys that are JWTs work: always."""
    shown(services, access)
    return Legacy()


@v1.put("/legacy", openapi_extra=REFUSED)
async def switch_legacy(
    services: TheServices, access: Configurer, enabled: Annotated[bool, Query()]
) -> Legacy:
    """Switching them off is refused: the operator cannot yet."""
    shown(services, access)
    if not enabled:
        raise NotOffered("The keys that are JWTs cannot be switched off on this platform yet")
    return Legacy()


@v1.post("", openapi_extra=REFUSED)
async def add(services: TheServices, access: Configurer) -> Key:
    """Refused: a project has one publishable and one secret key."""
    shown(services, access)
    raise NotOffered("A project has one publishable and one secret key; more cannot be made yet")


@v1.get("/{key_id}", openapi_extra=KEYED)
async def key(
    services: TheServices,
    client: TheClient,
    access: Reader,
    key_id: str,
    reveal: Annotated[bool, Query()] = False,
) -> Key:
    """One key, by the `id` in the list."""
    for one in await keys(services, client, access, reveal):
        if one.id == key_id:
            return one
    raise Missing("The project has no such key")


@v1.patch("/{key_id}", openapi_extra=REFUSED)
async def change(services: TheServices, access: Configurer, key_id: str) -> Key:
    """Refused: keys cannot be changed yet."""
    shown(services, access)
    raise NotOffered("Keys cannot be changed on this platform yet")


@v1.delete("/{key_id}", openapi_extra=REFUSED)
async def remove(services: TheServices, access: Configurer, key_id: str) -> Key:
    """Refused: keys cannot be taken back yet."""
    shown(services, access)
    raise NotOffered("Keys cannot be taken back on this platform yet")


@router.post("/api-keys/temporary", status_code=201, openapi_extra=KEYED)
async def temporary(
    services: TheServices,
    client: TheClient,
    access: Keeper,
    authorization_exp: Annotated[int, Query(ge=1, le=LONGEST)] = 300,
    claims: Annotated[str, Query(max_length=4096)] = "{}",
) -> Temporary:
    """A service key for that many seconds, with those claims of its own."""
    added = _claims(claims)
    values = await read_keys(services, shown(services, access))
    role = str(added.get("role", "service_role"))
    await note(services, access, "project.keys.temporary", client.address, role=role)
    now = int(services.outside.now().timestamp())
    whole = {**added, "role": role, "iss": "supabase", "iat": now, "exp": now + authorization_exp}
    return Temporary(api_key=jose.sign_hs256(whole, values["jwt-secret"]))


def _claims(text: str) -> dict[str, Any]:
    try:
        claims = json.loads(text)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise Invalid("claims: must be a JSON object")
    if claims.get("role", "service_role") not in ("anon", "authenticated", "service_role"):
        raise Invalid("claims: role must be anon, authenticated or service_role")
    return claims
