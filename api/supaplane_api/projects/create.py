"""Makes a project: row reserved, master Secret, SupabaseProject, row live. In this order, always.

Killed between two steps, it leaves a row that the sweeper finishes (the Secret is there, so that
the person's password is safe) or forgets (it is not). The ref is random, so nothing that another
caller made can be in the way.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from supaplane_api import audit
from supaplane_api.access import Right, require
from supaplane_api.caller import Caller, Membership, ProjectRow, demand_factor
from supaplane_api.problems import CLUSTER, Invalid, Unavailable
from supaplane_api.services import Services
from supaplane_contract import (
    from_secret_data,
    manifest,
    master_secret,
    mint,
    names,
    password_key,
    spec_to_manifest,
)
from supaplane_contract.spec import ProjectSpec
from supaplane_kube import errors as kube_errors
from supaplane_kube.resources import SECRETS

from . import repository, strength, wishes
from .schemas import CreateProject
from .snapshot import PROJECTS

log = logging.getLogger(__name__)
DEADLINE_SECONDS = 30.0
"""For the steps at the API server: well below what the sweeper waits before it takes over."""
TRIES = 5
DEFINITE = (
    kube_errors.Invalid,
    kube_errors.Forbidden,
    kube_errors.NotFound,
    kube_errors.Unauthorized,
)
"""Answers after which nothing was made, and nothing will be."""
PASSWORD = password_key("postgres")


@dataclass(frozen=True)
class Created:
    """A new project and the keys that the answer carries."""

    row: ProjectRow
    anon_key: str
    service_key: str


async def create(
    services: Services, caller: Caller, wish: CreateProject, address: str | None
) -> Created:
    """A new project. Raises Invalid, Missing, NotAllowed, Unavailable; then nothing was made, or
    the sweeper finishes it, as the message says."""
    organization = organization_of(caller, wish)
    require(organization.role if organization else None, Right.PROJECT_CREATE, what="organization")
    assert organization is not None
    demand_factor(caller, organization)
    wishes.refuse_the_impossible(wish)
    await _check_password(services, caller, wish)
    row, spec = await _reserve(services, caller, organization, wish, address)
    await services.outside.checkpoint("reserved")
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            keys = await _make_secret(services, row, wish.db_pass)
            await services.outside.checkpoint("secret-made")
            uid = await make_resource(services, row.cr_namespace, row.cr_name, spec)
    except DEFINITE as error:
        await _try_to_undo(services, row)
        raise _refused(error, row.cr_namespace) from error
    except (kube_errors.KubeError, TimeoutError) as error:
        log.warning("project %s is left to the sweeper: %r", row.ref, error)
        detail = f"project {row.ref} is finished or undone within two minutes, look at the list"
        raise Unavailable(CLUSTER, detail) from error
    await services.outside.checkpoint("resource-made")
    now = services.outside.now()
    async with services.database.connection() as connection:
        await repository.make_live(connection, row.id, cr_uid=uid, now=now)
    return Created(row, keys["anon-key"], keys["service-role-key"])


def organization_of(caller: Caller, wish: CreateProject) -> Membership | None:
    """The organization that the body names, by slug or number, if the caller is a member."""
    for given in (wish.organization_slug, wish.organization_id, wish.org_id):
        if given is None or given == "":
            continue
        if isinstance(given, int):
            return caller.membership(id=given)
        by_number = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
        return caller.membership(slug=given) or caller.membership(id=by_number)
    raise Invalid("organization_slug: say which organization the project belongs to")


async def _check_password(services: Services, caller: Caller, wish: CreateProject) -> None:
    if wish.db_pass == wish.name:
        raise Invalid("db_pass: must not be the name of the project")
    await strength.demand(services, "db_pass", wish.db_pass, (wish.name, caller.email))


async def _reserve(
    services: Services,
    caller: Caller,
    organization: Membership,
    wish: CreateProject,
    address: str | None,
) -> tuple[ProjectRow, ProjectSpec]:
    now = services.outside.now()
    namespace = services.settings.home_namespaces[0]
    async with services.database.transaction() as connection:
        for _ in range(TRIES):
            ref = names.letters(services.outside.random_bytes(32))
            spec = wishes.spec_of(
                wish, ref=ref, organization=organization.slug, settings=services.settings
            )
            requested = spec_to_manifest(spec)
            number = await repository.reserve(
                connection,
                ref=ref,
                organization_id=organization.organization_id,
                cr_namespace=namespace,
                requested=requested,
                created_by=caller.account_id,
                now=now,
            )
            if number is not None:
                break
        else:
            raise AssertionError("twenty random letters were taken five times")
        await audit.record(
            connection,
            "project.create",
            actor=audit.Actor(caller.account_id, caller.email, address),
            now=now,
            organization_id=organization.organization_id,
            project_ref=ref,
            details={"name": wish.name},
        )
    row = ProjectRow(
        id=number,
        ref=ref,
        organization_id=organization.organization_id,
        organization_slug=organization.slug,
        cr_namespace=namespace,
        cr_name=ref,
        cr_uid=None,
        state="reserved",
        requested=requested,
        created_at=now,
        live_at=None,
    )
    return row, spec


async def _make_secret(services: Services, row: ProjectRow, db_pass: str) -> dict[str, str]:
    """The whole master Secret, with the person's password; its plain values."""
    outside = services.outside
    chosen = {PASSWORD: db_pass}
    values = {**chosen, **mint(chosen, random_bytes=outside.random_bytes, now=outside.now())}
    body = master_secret(
        cr_name=row.cr_name, namespace=row.cr_namespace, ref=row.ref, values=values
    )
    try:
        await services.kube.create(SECRETS, row.cr_namespace, body, manager=names.FIELD_MANAGER_API)
    except kube_errors.AlreadyExists:
        # Our own request whose answer was lost, or the operator minted for somebody else's CR of
        # this name: what lies there is what counts.
        found = await services.kube.get(SECRETS, row.cr_namespace, body["metadata"]["name"])
        if found is None:
            raise
        return from_secret_data(found)
    return values


async def make_resource(services: Services, namespace: str, name: str, spec: ProjectSpec) -> str:
    """The uid of the SupabaseProject, made unless it is there. Raises KubeError."""
    body = manifest(name=name, namespace=namespace, spec=spec)
    try:
        made = await services.kube.create(
            PROJECTS, namespace, body, manager=names.FIELD_MANAGER_API
        )
    except kube_errors.AlreadyExists:
        found = await services.kube.get(PROJECTS, namespace, name)
        if found is None:
            raise
        made = found
    return str(made["metadata"]["uid"])


async def undo(services: Services, number: int, namespace: str, name: str, ref: str) -> None:
    """Takes back a project of which no SupabaseProject was made: its Secret, then its row.

    Only a Secret that carries this ref goes; whatever fails here, the sweeper does again.
    """
    secret_name = names.credentials_secret(name)
    secret = await services.kube.get(SECRETS, namespace, secret_name)
    labels = (secret or {}).get("metadata", {}).get("labels") or {}
    if secret is not None and labels.get(names.LABEL_REF) == ref:
        uid = secret["metadata"]["uid"]
        await services.kube.delete(SECRETS, namespace, secret_name, uid=uid)
    async with services.database.connection() as connection:
        await repository.unreserve(connection, number)


async def _try_to_undo(services: Services, row: ProjectRow) -> None:
    try:
        await undo(services, row.id, row.cr_namespace, row.cr_name, row.ref)
    except (kube_errors.KubeError, Unavailable) as error:
        log.warning("project %s is left to the sweeper to undo: %s", row.ref, error)


def _refused(error: kube_errors.ApiError, namespace: str) -> Exception:
    """What the API server did not take, told as it told us."""
    if isinstance(error, kube_errors.Invalid):
        return Invalid(f"Kubernetes refuses the project: {error.message[:500]}")
    if isinstance(error, kube_errors.NotFound):
        cure = f"is the CRD installed, and is there a namespace {namespace}?"
        return Unavailable(CLUSTER, f"{error.message[:300]}; {cure}")
    return Unavailable(CLUSTER, f"it refuses the request: {error.message[:300]}")
