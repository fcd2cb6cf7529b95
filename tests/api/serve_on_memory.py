"""A program for tests: the API on a socket, with an API server in memory. Prints its port.

In a process of its own, since hypothesis refuses that others turn the global random state while it
draws. `DATABASE_URL` names a database that has our tables.
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
from supaplane_api.settings import Environment, Settings
from supaplane_contract import names
from supaplane_kube.memory import MemoryKube


async def main() -> None:
    settings = Settings(
        environment=Environment.DEVELOPMENT,
        jwt_secret=SecretStr(secrets.token_hex(32)),
        encryption_secret=SecretStr(secrets.token_hex(32)),
        domain_base="projects.example.org",
        signups_per_hour=100_000,
    )
    stirred = asyncio.Event()
    services = assemble(
        settings,
        database_url=os.environ["DATABASE_URL"],
        kube=MemoryKube(namespaces=("default", "kube-system", names.DEFAULT_HOME_NAMESPACE)),
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
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until whoever started us goes away
    server.should_exit = True
    await serving


asyncio.run(main())
