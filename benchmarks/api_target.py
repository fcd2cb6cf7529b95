"""A program to measure: one worker of the API, or of the application that it is compared with.

It serves the socket of file descriptor LISTENING; several workers share one. `ours` has an API
server in memory that holds the SupabaseProjects of the database. A line on its input is answered
with a line of JSON: what this worker has asked of Kubernetes and of PostgreSQL so far.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import jwt
import psycopg
import uvicorn
import uvloop
from fastapi import Depends, FastAPI, HTTPException, Request
from psycopg_pool import AsyncConnectionPool
from pydantic import SecretStr

from supaplane_api import logs
from supaplane_api.app import create_app
from supaplane_api.assembly import assemble
from supaplane_api.auth.tokens import AccessTokens
from supaplane_api.metrics import Metrics
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_api.settings import Environment, Settings
from supaplane_contract import names
from supaplane_kube.memory import MemoryKube

POOL = 10
"""Connections per worker, of both applications."""
queries = 0


def count_queries() -> None:
    """Every statement that this process sends is counted, whoever sends it."""
    execute = psycopg.AsyncCursor.execute

    async def counted(self: Any, *arguments: Any, **more: Any) -> Any:
        global queries
        queries += 1
        return await execute(self, *arguments, **more)

    psycopg.AsyncCursor.execute = counted  # type: ignore[method-assign,assignment]


def settings() -> Settings:
    """As in the API, with the secrets that the measurement made."""
    return Settings(
        environment=Environment.DEVELOPMENT,
        jwt_secret=SecretStr(os.environ["JWT_SECRET"]),
        encryption_secret=SecretStr(os.environ["ENCRYPTION_SECRET"]),
        domain_base="projects.example.org",
        domain_studio_url="https://studio.example.org",
        database_pool_size=POOL,
        signups_per_hour=100_000,
    )


def ours(url: str) -> tuple[FastAPI, MemoryKube]:
    """The API, and the API server that it watches."""
    kube = MemoryKube(namespaces=("default", names.DEFAULT_HOME_NAMESPACE))
    with psycopg.connect(url) as connection:
        for uid, ref, slug in connection.execute(
            "SELECT p.cr_uid, p.ref, o.slug FROM project p"
            " JOIN organizations o ON o.id = p.organization_id"
        ):
            kube.put(PROJECTS, supabase_project(uid, ref, slug))
            kube.put(
                PROJECTS, supabase_project(uid, ref, slug)
            )  # what is new gets a uid of its own
    stirred = asyncio.Event()
    services = assemble(settings(), database_url=url, kube=kube, metrics=Metrics(), stirred=stirred)
    return create_app(services, stirred), kube


def supabase_project(uid: str, ref: str, slug: str) -> dict[str, Any]:
    """A project that is healthy."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"namespace": names.DEFAULT_HOME_NAMESPACE, "name": ref, "uid": uid},
        "spec": {
            "displayName": f"Project {ref}",
            "organization": slug,
            "region": "eu-central-1",
            "size": "micro",
        },
        "status": {"ref": ref, "phase": "ACTIVE_HEALTHY", "size": "micro"},
    }


def reference(url: str) -> FastAPI:
    """The least that an API with accounts does: verify the token, ask the database once."""
    pool = AsyncConnectionPool(
        url, min_size=2, max_size=POOL, open=False, kwargs={"autocommit": True}
    )
    chosen = settings()
    tokens = AccessTokens(
        chosen.secret("jwt_secret"), issuer=chosen.issuer, life=timedelta(hours=1)
    )
    keys = {key["kid"]: jwt.PyJWK(key) for key in tokens.public_jwks}

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    def subject(request: Request) -> str:
        token = request.headers["authorization"].removeprefix("Bearer ")
        try:
            key = keys[jwt.get_unverified_header(token)["kid"]]
            return str(jwt.decode(token, key, audience="authenticated")["sub"])
        except jwt.InvalidTokenError:
            raise HTTPException(401) from None

    @app.get("/profile")
    async def profile(who: str = Depends(subject)) -> dict[str, Any]:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id, email, username FROM accounts WHERE gotrue_id = %s", (who,)
            )
            row = await cursor.fetchone()
        if row is None:
            raise HTTPException(401)
        return {"id": row[0], "primary_email": row[1], "username": row[2]}

    return app


async def serve(which: str) -> None:
    """Serves until the input ends."""
    url = os.environ["DATABASE_URL"]
    app, kube = ours(url) if which == "ours" else (reference(url), MemoryKube())
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        timeout_keep_alive=75,
    )
    server = uvicorn.Server(config)
    # uvicorn's own `fd` takes it for a Unix socket: then TCP waits 40 ms between head and body
    listening = socket.socket(fileno=int(os.environ["LISTENING"]))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps({"kubernetes": len(kube.requests), "queries": queries}), flush=True)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    logs.configure("INFO")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    count_queries()
    uvloop.run(serve(sys.argv[1]))
