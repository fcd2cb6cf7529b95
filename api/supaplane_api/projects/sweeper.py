"""Brings rows and SupabaseProjects together again, whatever was interrupted or done elsewhere.

* reserved for more than a minute: with its Secret it is finished, without it is forgotten;
* live, and its SupabaseProject is gone: gone, and never made again;
* a SupabaseProject without a row: a row, under the organization that it names, if that exists;
* a SupabaseProject that names another organization than its row: the row follows.

It runs at every stir in the snapshot and every few seconds. All replicas run it, since each step
does nothing the second time. One project that cannot be mended does not hold up the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta

import psycopg

from supaplane_api import audit
from supaplane_api.problems import Unavailable
from supaplane_api.services import Services
from supaplane_contract import SpecUnreadable, names, read_spec
from supaplane_kube import errors as kube_errors
from supaplane_kube.resources import SECRETS

from . import create, repository
from .repository import Entry
from .snapshot import PROJECTS, Seen

log = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=60)
TURN_SECONDS = 15.0
GATHER_SECONDS = 0.2
"""Stirs that come within this time are answered by one turn."""


class Sweeper:
    """The loop. `stir` wakes it."""

    def __init__(self, services: Services, stirred: asyncio.Event) -> None:
        self._services = services
        self._stirred = stirred

    async def run(self) -> None:
        """Turns until cancelled."""
        await self._services.snapshot.wait_synced()
        while True:
            self._stirred.clear()
            try:
                await sweep(self._services)
            except (Unavailable, kube_errors.KubeError, psycopg.Error) as error:
                self._services.metrics.sweep_failures.inc()
                log.warning("the sweeper's turn failed: %s", error)
            await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(TURN_SECONDS * (0.75 + self._services.outside.jitter() / 2)):
                await self._stirred.wait()
        except TimeoutError:
            return
        await asyncio.sleep(GATHER_SECONDS)


async def sweep(services: Services) -> None:
    """One turn. The snapshot must hold complete lists."""
    async with services.database.connection() as connection:
        rows = await repository.entries(connection)
    # Read before the snapshot is: what is missing in it then is looked up before it counts as gone.
    seen = {one.key: one for one in services.snapshot.all()}
    known = {(row.cr_namespace, row.cr_name) for row in rows}
    for row in rows:
        await _each(
            services, row.ref, mend(services, row, seen.get((row.cr_namespace, row.cr_name)))
        )
    for key, one in seen.items():
        if key not in known:
            await _each(services, one.name, adopt(services, one))


async def mend(services: Services, row: Entry, seen: Seen | None) -> None:
    """Does what this row needs."""
    if row.state == "reserved":
        if seen is not None or services.outside.now() - row.created_at > PATIENCE:
            await settle(services, row, seen)
    elif seen is None:
        await _gone(services, row)
    elif seen.uid != row.cr_uid:  # made anew under its old name
        await _gone(services, row)
        await adopt(services, seen)
    elif seen.organization is not None and seen.organization != row.organization_slug:
        await _move(services, row, seen.organization)


async def settle(services: Services, row: Entry, seen: Seen | None) -> None:
    """Finishes a reserved project, or forgets it."""
    uid = seen.uid if seen else None
    if uid is None:
        secret_name = names.credentials_secret(row.cr_name)
        secret = await services.kube.get(SECRETS, row.cr_namespace, secret_name)
        if (
            secret is None
            and await services.kube.get(PROJECTS, row.cr_namespace, row.cr_name) is None
        ):
            await _forget(services, row)
            return
        uid = await _finish(services, row)
    if uid is not None:
        now = services.outside.now()
        async with services.database.connection() as connection:
            made = await repository.make_live(connection, row.id, cr_uid=uid, now=now)
        if made:
            _note(services, "finished", row.ref)


async def _finish(services: Services, row: Entry) -> str | None:
    try:
        spec, _ = read_spec(row.requested)
        return await create.make_resource(services, row.cr_namespace, row.cr_name, spec)
    except (kube_errors.Invalid, SpecUnreadable) as error:
        log.warning("project %s is refused and undone: %s", row.ref, error)
        await create.undo(services, row.id, row.cr_namespace, row.cr_name, row.ref)
        _note(services, "undone", row.ref)
        return None


async def _forget(services: Services, row: Entry) -> None:
    async with services.database.connection() as connection:
        if await repository.unreserve(connection, row.id):
            _note(services, "undone", row.ref)


async def _gone(services: Services, row: Entry) -> None:
    """The snapshot may lag behind the row, so the API server itself is asked before it counts."""
    assert row.cr_uid is not None
    live = await services.kube.get(PROJECTS, row.cr_namespace, row.cr_name)
    if live is not None and live["metadata"]["uid"] == row.cr_uid:
        return
    now = services.outside.now()
    async with services.database.transaction() as connection:
        if await repository.make_gone(connection, row.id, cr_uid=row.cr_uid, now=now):
            await audit.record(
                connection,
                "project.gone",
                actor=audit.PLATFORM,
                now=now,
                organization_id=row.organization_id,
                project_ref=row.ref,
            )
            _note(services, "gone", row.ref)


async def _move(services: Services, row: Entry, organization: str) -> None:
    now = services.outside.now()
    async with services.database.transaction() as connection:
        number = await repository.move(connection, row.id, organization=organization)
        if number is not None:
            await audit.record(
                connection,
                "project.move",
                actor=audit.PLATFORM,
                now=now,
                organization_id=number,
                project_ref=row.ref,
                details={"from": row.organization_slug, "to": organization},
            )
            _note(services, "moved", row.ref)


async def adopt(services: Services, seen: Seen) -> None:
    """A row for a SupabaseProject that somebody made without us."""
    if seen.organization is None or seen.ref is None or seen.going:
        return
    now = services.outside.now()
    requested = {"displayName": seen.display_name, "region": seen.region, "size": seen.size}
    async with services.database.transaction() as connection:
        number = await repository.adopt(
            connection,
            ref=seen.ref,
            organization=seen.organization,
            cr_namespace=seen.namespace,
            cr_name=seen.name,
            cr_uid=seen.uid,
            requested=requested,
            now=now,
        )
        if number is not None:
            details = {"organization": seen.organization}
            await audit.record(
                connection,
                "project.adopt",
                actor=audit.PLATFORM,
                now=now,
                project_ref=seen.ref,
                details=details,
            )
            _note(services, "adopted", seen.ref)


async def _each(services: Services, what: str, work: Awaitable[None]) -> None:
    try:
        await work
    except (kube_errors.KubeError, psycopg.DataError, psycopg.IntegrityError) as error:
        services.metrics.sweep_failures.inc()
        log.warning("project %s cannot be swept: %s", what, error)


def _note(services: Services, action: str, ref: str) -> None:
    services.metrics.swept.labels(action).inc()
    log.info("project %s: %s", ref, action)
