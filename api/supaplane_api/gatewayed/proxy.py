"""How is a project's Auth or Storage asked for a member? To read, or to change and be audited."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import TheClient
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import ask_gateway
from supaplane_api.problems import CLUSTER, CREDENTIALS, DATABASE, SERVICE, SNAPSHOT
from supaplane_api.services import Services

PROXIED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, SERVICE)
USERS = "/auth/v1/admin/users"
BUCKETS = "/storage/v1/bucket"
OBJECTS = "/storage/v1/object"


async def read(
    services: Services, access: ProjectAccess, method: str, path: str, body: Any = None
) -> JsonValue:
    """What the service answers. Raises Problem."""
    answer: JsonValue = await ask_gateway(services, access, method, path, body=body)
    return answer


async def change(
    services: Services,
    client: TheClient,
    access: ProjectAccess,
    action: str,
    method: str,
    path: str,
    body: Any,
) -> JsonValue:
    """Asks, and writes into the audit log what was done; the body may hold a password."""
    answer: JsonValue = await ask_gateway(services, access, method, path, body=body)
    await note(services, access, action, client.address, path=path)
    return answer
