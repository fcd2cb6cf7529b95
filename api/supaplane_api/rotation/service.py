"""How is a new secret asked for? As an operation of the project's SupabaseProject.

The value never stands in there: it is put into a Secret beside it, under the operation's id, which
the operator removes when it has taken the value over.
"""

from __future__ import annotations

from typing import Any

from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.problems import Clash, Invalid
from supaplane_api.projects import change, side_secrets, strength
from supaplane_api.services import Services
from supaplane_contract import Phase, ProjectStatus, read_status
from supaplane_contract.rotation import complaint_about_jwt_secret, complaint_about_password
from supaplane_contract.spec import OperationKind

from .progress import PREFIX, is_known, is_unfinished, latest, parameters, secret_name
from .schemas import NewJwtSecret

SERVING = frozenset({Phase.ACTIVE_HEALTHY.value, Phase.ACTIVE_UNHEALTHY.value})
FIELD = ("operation",)


async def change_jwt_secret(
    services: Services, access: ProjectAccess, wish: NewJwtSecret, address: str | None
) -> None:
    """Asks for another JWT secret. Raises Clash, Invalid, Missing, TooMany, KubeError."""
    complaint = complaint_about_jwt_secret(wish.jwt_secret)
    if complaint:
        raise Invalid(f"jwt_secret: {complaint}")
    id_, kind = f"{PREFIX}{wish.change_tracking_id}", OperationKind.ROTATE_JWT_SECRET
    await _begin(services, access, kind, id_, wish.jwt_secret)
    await note(services, access, "project.jwt-secret.rotate", address, operation=id_)


async def change_database_password(
    services: Services, access: ProjectAccess, password: str, address: str | None
) -> None:
    """Asks for another password of the role postgres. Raises Clash, Invalid, Missing, TooMany,
    Unavailable, KubeError."""
    complaint = complaint_about_password(password)
    if complaint:
        raise Invalid(f"password: {complaint}")
    await strength.demand(services, "password", password, (access.caller.email,))
    id_ = f"api-{services.outside.random_bytes(10).hex()}"
    await _begin(services, access, OperationKind.ROTATE_DATABASE_PASSWORD, id_, password)
    await note(services, access, "project.database-password.reset", address, operation=id_)


async def _begin(
    services: Services, access: ProjectAccess, kind: OperationKind, id_: str, value: str
) -> None:
    project, name = access.project, secret_name(access.project.cr_name)
    services.limits.rotate.take(project.ref)
    live = await change.read(services, project)
    refuse_if_busy(live, id_)
    seen: Any = (live.get("spec") or {}).get("operation")
    operation = {
        "id": id_,
        "kind": kind.value,
        "parameters": parameters(secretName=name, secretKey=id_),
    }

    def wish_of(spec: change.Spec) -> change.Wish:
        if spec.get("operation") != seen:
            raise Clash("Other work was asked for at this moment: try again when it has ended")
        return change.Wish({FIELD: operation}, first=bring)

    async def bring() -> None:
        await side_secrets.write(services, project, name, {id_: value})

    try:
        await change.rewrite(services, project, wish_of)
    except Exception:
        await side_secrets.forget(services, project, name, [id_])
        raise


def refuse_if_busy(live: dict[str, Any], id_: str) -> None:
    """Raises Clash when a SupabaseProject cannot begin an operation of that id now."""
    status: ProjectStatus = read_status(live.get("status") or {})
    operation = latest(live)
    if is_known(live, id_):
        raise Clash("This change was asked for already: take another change_tracking_id")
    if operation is not None and is_unfinished(operation):
        raise Clash(f"{operation.kind} is under way: try again when it has ended")
    if status.phase not in SERVING:
        raise Clash(f"The project is {status.phase or Phase.COMING_UP.value}: it must be running")
