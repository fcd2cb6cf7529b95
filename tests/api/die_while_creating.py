"""A program for tests: begins to make a project and ends by SIGKILL after the step it is told.

Arguments: the step, the account's number, the organization's number, slug and the name to give.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from uuid import UUID

from supaplane_api import settings as settings_module
from supaplane_api.access import Role
from supaplane_api.assembly import assemble
from supaplane_api.caller import Caller, Membership
from supaplane_api.metrics import Metrics
from supaplane_api.projects.create import create
from supaplane_api.projects.schemas import CreateProject
from supaplane_api.services import Outside
from supaplane_kube import KubeClient, login


async def main(step: str, account: int, organization: int, slug: str, name: str) -> None:
    async def die(reached: str) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = settings_module.load(os.environ)
    async with KubeClient(await login.find(kubeconfig=settings.kubeconfig)) as kube:
        services = assemble(
            settings,
            database_url=settings.database_url.get_secret_value(),
            kube=kube,
            metrics=Metrics(),
            stirred=asyncio.Event(),
            outside=Outside(checkpoint=die),
        )
        await services.database.open()
        now = datetime.now(UTC)
        caller = Caller(
            account_id=account,
            gotrue_id=UUID(int=0),
            email="x@example.org",
            username="x",
            first_name=None,
            last_name=None,
            created_at=now,
            updated_at=now,
            last_sign_in_at=None,
            session_id=UUID(int=0),
            memberships=(Membership(organization, slug, slug, None, Role.OWNER),),
        )
        wish = CreateProject(name=name, db_pass="violet-harbor-92-saddle", organization_slug=slug)
        await create(services, caller, wish, None)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]))
