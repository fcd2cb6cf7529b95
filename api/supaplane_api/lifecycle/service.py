"""How is a change in a project's life wished for? Each is one field of its SupabaseProject.

The operator does the work and tells in the status how it goes; nothing is promised here that it
does not do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from supaplane_api import audit
from supaplane_api.access import Right, may
from supaplane_api.audit_notes import note
from supaplane_api.caller import Membership, ProjectAccess
from supaplane_api.problems import Clash, Invalid, Missing, NotOffered
from supaplane_api.projects import change, repository
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_api.projects.views import View
from supaplane_api.rotation import progress
from supaplane_api.services import Services
from supaplane_contract import ComponentName, DesiredState, Phase, Size

from .schemas import DiskWish, Remark, TransferPreview

SERVICES: Mapping[str, ComponentName] = {
    "adminapi": ComponentName.META,
    "api-gateway": ComponentName.GATEWAY,
    "envoy": ComponentName.GATEWAY,
    "functions": ComponentName.FUNCTIONS,
    "gotrue": ComponentName.AUTH,
    "kong": ComponentName.GATEWAY,
    "pgbouncer": ComponentName.POOLER,
    "pgsodium": ComponentName.DB,
    "postgresql": ComponentName.DB,
    "postgrest": ComponentName.REST,
    "realtime": ComponentName.REALTIME,
    "storage": ComponentName.STORAGE,
}
"""Studio's names of services, and the component that is each."""
ELSEWHERE = frozenset({"walg", "autoshutdown"})
"""Services of the Supabase platform that do not exist here."""
RESTARTABLE = frozenset({Phase.ACTIVE_HEALTHY, Phase.ACTIVE_UNHEALTHY, Phase.INIT_FAILED})
COMPUTE = "ci_"


async def run(
    services: Services, access: ProjectAccess, state: DesiredState, address: str | None
) -> None:
    """Pauses or restores. Raises Clash, Invalid, Missing, KubeError."""
    action = "project.pause" if state is DesiredState.PAUSED else "project.restore"
    await _wish(services, access, "desiredState", state.value, action, {}, address)


async def restart(
    services: Services, access: ProjectAccess, view: View, names: Sequence[str], address: str | None
) -> None:
    """Restarts those services of Studio's naming, or all. Raises Clash, Invalid, NotOffered."""
    if view.status not in RESTARTABLE:
        raise Clash(f"The project is {view.status}: it can be restarted once it is running")
    components = sorted({_component(name).value for name in names})
    absent = set(components) - set(view.seen.components if view.seen else ())
    if absent:
        raise Invalid(f"services: this project does not run {', '.join(sorted(absent))}")
    operation = {
        "id": f"api-{services.outside.random_bytes(10).hex()}",
        "kind": "restart",
        # null takes away what the operation before was told
        "parameters": progress.parameters(components=",".join(components)) if components else None,
    }
    await _refuse_while_rotating(services, access)
    details = {"components": components}
    await _wish(services, access, "operation", operation, "project.restart", details, address)


async def _refuse_while_rotating(services: Services, access: ProjectAccess) -> None:
    """Raises Clash while secrets are replaced: a wish that has not begun would be lost."""
    latest = progress.latest(await change.read(services, access.project))
    if latest is not None and progress.is_unfinished(latest) and latest.kind != "restart":
        raise Clash(f"{latest.kind} is under way: try again when it has ended")


def _component(name: str) -> ComponentName:
    if name in ELSEWHERE:
        raise NotOffered(f"services: there is no {name} on this platform")
    if name not in SERVICES:
        raise Invalid(f"services: known are {', '.join(sorted(SERVICES))}")
    return SERVICES[name]


def own_database(access: ProjectAccess, identifier: str | None) -> None:
    """Raises Invalid for another database than the project's own: there are no replicas."""
    if identifier and identifier != access.project.ref:
        raise Invalid("database_identifier: must be the project's ref; there are no read replicas")


async def resize_compute(
    services: Services, access: ProjectAccess, kind: str, variant: str, address: str | None
) -> None:
    """Another compute size, as in `ci_micro`. Raises Invalid, NotOffered, Clash."""
    if kind != "compute_instance":
        raise NotOffered(f"addon_type: {kind} is not offered by this platform")
    offered = [size.value for size in Size if size is not Size.DEV]
    size = variant.removeprefix(COMPUTE)
    if not variant.startswith(COMPUTE) or size not in offered:
        known = ", ".join(f"{COMPUTE}{one}" for one in offered)
        raise Invalid(f"addon_variant: offered are {known}")
    await _wish(services, access, "size", size, "project.resize", {"size": size}, address)


def only_larger(wish: DiskWish) -> None:
    """Raises NotOffered when more than the size is to be changed."""
    for field in ("iops", "throughput_mbps", "throughput_mibps"):
        if getattr(wish, field):
            raise NotOffered(f"{field}: is decided by the StorageClass, not by this platform")


async def grow_disk(
    services: Services, access: ProjectAccess, view: View, gigabytes: int, address: str | None
) -> None:
    """A larger volume. Raises Invalid, Clash, Missing, KubeError."""
    now = view.volume_gigabytes
    if now is not None and gigabytes < now:
        raise Invalid(f"The volume has {now} GB and can only grow")
    if now == gigabytes:
        return
    size, details = f"{gigabytes}Gi", {"volume_size_gb": gigabytes}
    await _wish(
        services, access, "database.storage.size", size, "project.disk.grow", details, address
    )


async def delete(services: Services, access: ProjectAccess, address: str | None) -> None:
    """Deletes the SupabaseProject; its own `deletion.policy` says what becomes of the data.

    Raises Clash when it is protected, Missing, KubeError.
    """
    project = access.project
    live = await services.kube.get(PROJECTS, project.cr_namespace, project.cr_name)
    if live is None or project.cr_uid not in (None, live["metadata"]["uid"]):
        raise Missing("The project is not made yet, or gone already")
    if ((live.get("spec") or {}).get("deletion") or {}).get("protection"):
        raise Clash(
            "The project is protected against deletion: set spec.deletion.protection of its"
            " SupabaseProject to false first"
        )
    await services.kube.delete(
        PROJECTS, project.cr_namespace, project.cr_name, uid=live["metadata"]["uid"]
    )
    await note(services, access, "project.delete", address)


def preview(access: ProjectAccess, target_slug: str) -> TransferPreview:
    """Whether the caller may give the project to that organization."""
    target = access.caller.membership(slug=target_slug)
    errors = _hindrances(access, target)
    return TransferPreview(
        valid=not errors,
        errors=errors,
        target_subscription_plan="free" if target else None,
        has_access_to_target_organization=target is not None,
    )


async def transfer(
    services: Services, access: ProjectAccess, target_slug: str, address: str | None
) -> None:
    """Gives the project away. Raises Invalid, Clash, Missing, KubeError.

    Stopped after the first step, the sweeper does the second: the resource says whose it is.
    """
    for hindrance in _hindrances(access, access.caller.membership(slug=target_slug)):
        raise Invalid(hindrance.message)
    await change.change(services, access.project, "organization", target_slug)
    async with services.database.transaction() as connection:
        taker = await repository.move(connection, access.project.id, organization=target_slug)
        for organization in (access.organization.organization_id, taker):
            if organization is not None:
                await audit.record(
                    connection,
                    "project.transfer",
                    actor=_actor(access, address),
                    now=services.outside.now(),
                    organization_id=organization,
                    project_ref=access.project.ref,
                    details={"from": access.organization.slug, "to": target_slug},
                )


def _hindrances(access: ProjectAccess, target: Membership | None) -> list[Remark]:
    if target is None:
        return [Remark(key="no_access", message="You are not a member of that organization")]
    if access.caller.is_kept_out(target):
        message = f"{target.name} demands a second factor of its members: sign in with one"
        return [Remark(key="no_factor", message=message)]
    if target.organization_id == access.organization.organization_id:
        return [Remark(key="same", message="The project belongs to that organization already")]
    if not may(target.role, Right.PROJECT_CREATE):
        message = f"As {target.role.value} of that organization you may not add projects to it"
        return [Remark(key="no_right", message=message)]
    return []


async def _wish(
    services: Services,
    access: ProjectAccess,
    field: str,
    value: Any,
    action: str,
    details: Mapping[str, Any],
    address: str | None,
) -> None:
    await change.change(services, access.project, field, value)
    await note(services, access, action, address, **details)


def _actor(access: ProjectAccess, address: str | None) -> audit.Actor:
    return audit.Actor(access.caller.account_id, access.caller.email, address)
