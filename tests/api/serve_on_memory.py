"""A program for tests: the API on a socket, with an API server in memory. Prints its port.

In a process of its own, since hypothesis refuses that others turn the global random state while it
draws. `DATABASE_URL` names a database that has our tables; `DOMAIN_STUDIO_URL` is as in the API.
With `SUPAPLANE_TEST_OPERATOR` somebody in the operator's place lets every project become healthy.
"""

import asyncio
import os
import secrets
import sys

import uvicorn
from pydantic import SecretStr

from supaplane_api.app import create_app
from supaplane_api.assembly import assemble
from supaplane_api.metrics import Metrics
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_api.settings import Environment, Settings
from supaplane_contract import names
from supaplane_kube.memory import MemoryKube

SECONDS_IN_A_PHASE = 0.3


async def main() -> None:
    settings = Settings(
        environment=Environment.DEVELOPMENT,
        jwt_secret=SecretStr(secrets.token_hex(32)),
        encryption_secret=SecretStr(secrets.token_hex(32)),
        domain_base="projects.example.org",
        domain_studio_url=os.environ.get("DOMAIN_STUDIO_URL"),
        signups_per_hour=100_000,
    )
    kube = MemoryKube(namespaces=("default", "kube-system", names.DEFAULT_HOME_NAMESPACE))
    stirred = asyncio.Event()
    services = assemble(
        settings,
        database_url=os.environ["DATABASE_URL"],
        kube=kube,
        metrics=Metrics(),
        stirred=stirred,
    )
    config = uvicorn.Config(
        create_app(services, stirred), port=0, log_level="warning", ws="none", http="httptools"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    # uvicorn has no event for it
    while not server.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    operating = (
        asyncio.create_task(operate(kube)) if "SUPAPLANE_TEST_OPERATOR" in os.environ else None
    )
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until whoever started us goes away
    server.should_exit = True
    await serving
    if operating:
        operating.cancel()


async def operate(kube: MemoryKube) -> None:
    """Each project is COMING_UP for a while and ACTIVE_HEALTHY from then on."""
    following = {None: "COMING_UP", "COMING_UP": "ACTIVE_HEALTHY"}
    while True:
        await asyncio.sleep(SECONDS_IN_A_PHASE)
        for project in kube.all(PROJECTS):
            phase = project.get("status", {}).get("phase")
            if phase in following:
                kube.put(PROJECTS, project | {"status": {"phase": following[phase]}})


asyncio.run(main())
