"""How much does the API answer, and how fast? Side by side with the least that such an API can be.

`python benchmarks/api.py`: minutes; wants a quiet machine. PostgreSQL, the workers and the load,
each in processes of their own, share the machine's cores, for both applications alike.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from argon2 import PasswordHasher

from supaplane_api import embedded_postgres
from supaplane_api.auth.passwords import LANES, MEMORY_KIB, PASSES
from supaplane_api.auth.tokens import AccessTokens, Claims
from supaplane_api.database.migrate import migrate
from supaplane_contract import names

HERE = Path(__file__).parent
ISSUER = "https://projects.example.org/auth"
PASSWORD = "plum kettle orbit 47"
MANY = 10_000
CONNECTIONS = 64
SIGN_INS = 16
LEAST_SHARE = 0.8


@dataclass
class Figures:
    """What was measured; a figure with a limit that it does not keep is a failure."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def add(self, name: str, value: str, limit: str = "", kept: bool = True) -> None:
        """Adds a row, and says it at once."""
        self.rows.append((name, value, limit, kept))
        print(f"  {name}: {value}{'' if kept else f' (limit {limit})'}", flush=True)


@dataclass(frozen=True)
class World:
    """A database with accounts in it."""

    url: str
    secrets: dict[str, str]
    few: str
    """Token of somebody with three projects."""
    many: str
    """Token of somebody with as many as was asked for."""
    ref: str
    """One of the three."""
    emails: Sequence[str]
    """Accounts with PASSWORD."""


@contextlib.contextmanager
def world(many: int) -> Iterator[World]:
    """Fills a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="supaplane-bench-") as folder:
        server = embedded_postgres.start(Path(folder))
        try:
            migrate(server.url)
            yield _filled(server.url, many)
        finally:
            server.stop()


def _filled(url: str, many: int) -> World:
    kept = {"JWT_SECRET": secrets.token_hex(32), "ENCRYPTION_SECRET": secrets.token_hex(32)}
    tokens = AccessTokens(kept["JWT_SECRET"].encode(), issuer=ISSUER, life=timedelta(hours=1))
    hashed = PasswordHasher(PASSES, MEMORY_KIB, LANES).hash(PASSWORD)
    emails = [f"person{number}@example.org" for number in range(SIGN_INS)]
    with psycopg.connect(url, autocommit=True) as to:
        few, refs = _with_projects(to, tokens, "few@example.org", hashed, 3)
        crowded, _ = _with_projects(to, tokens, "many@example.org", hashed, many)
        for email in emails:
            _account(to, email, hashed)
        to.execute("ANALYZE")
    return World(url, kept, few, crowded, refs[0], emails)


def _account(to: psycopg.Connection[Any], email: str, hashed: str) -> tuple[int, UUID]:
    row = to.execute(
        "INSERT INTO accounts (email, username, password_hash, created_at, updated_at)"
        " VALUES (%s, %s, %s, now(), now()) RETURNING id, gotrue_id",
        (email, email.partition("@")[0], hashed),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _with_projects(
    to: psycopg.Connection[Any], tokens: AccessTokens, email: str, hashed: str, count: int
) -> tuple[str, list[str]]:
    account, gotrue_id = _account(to, email, hashed)
    session = to.execute(
        "INSERT INTO sessions (account_id, created_at, refreshed_at, expires_at)"
        " VALUES (%s, now(), now(), now() + interval '1 day') RETURNING id",
        (account,),
    ).fetchone()
    organization = to.execute(
        "INSERT INTO organizations (slug, name, created_by, created_at, updated_at)"
        " VALUES (%s, 'Acme', %s, now(), now()) RETURNING id",
        (f"acme-of-{account}", account),
    ).fetchone()
    assert session is not None
    assert organization is not None
    to.execute(
        "INSERT INTO organization_membership VALUES (%s, %s, 'Owner', now())",
        (organization[0], account),
    )
    refs = [
        "".join(secrets.choice("abcdefghijklmnopqrst") for _ in range(20)) for _ in range(count)
    ]
    with to.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO project (ref, organization_id, cr_namespace, cr_name, cr_uid, state,"
            " requested, created_by, created_at, live_at) VALUES (%s, %s, %s, %s, %s, 'live',"
            """ '{"displayName": "a name", "size": "micro"}', %s, now(), now())""",
            [
                (ref, organization[0], names.DEFAULT_HOME_NAMESPACE, ref, f"uid-{ref}", account)
                for ref in refs
            ],
        )
    now = datetime.now(UTC)
    claims = Claims(gotrue_id, session[0])
    issued = tokens.sign(claims, email=email, signed_in_at=now, verified_at=None, now=now)
    return issued.token, refs


@dataclass
class Workers:
    """Processes that serve one socket."""

    port: int
    processes: list[subprocess.Popen[str]]

    def counted(self) -> dict[str, int]:
        """Calls and queries of all of them so far."""
        total = {"kubernetes": 0, "queries": 0}
        for process in self.processes:
            assert process.stdin is not None
            assert process.stdout is not None
            print(file=process.stdin, flush=True)
            for name, count in json.loads(process.stdout.readline()).items():
                total[name] += count
        return total

    def memory(self) -> float:
        """Most memory that the first of them ever held, in MiB."""
        status = Path(f"/proc/{self.processes[0].pid}/status").read_text()
        line = next(x for x in status.splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


@contextlib.contextmanager
def workers(which: str, count: int, world: World) -> Iterator[Workers]:
    """So many workers of `ours` or of the `reference`, ready."""
    with socket.socket() as listening, tempfile.TemporaryFile() as log:
        listening.bind(("127.0.0.1", 0))
        listening.listen(2048)
        given = world.secrets | {
            "DATABASE_URL": world.url,
            "LISTENING": str(listening.fileno()),
        }
        processes = [
            subprocess.Popen(
                [sys.executable, str(HERE / "api_target.py"), which],
                env=os.environ | given,
                pass_fds=[listening.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            for _ in range(count)
        ]
        try:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n", _last(log)
            made = Workers(listening.getsockname()[1], processes)
            time.sleep(1)
            yield made
        finally:
            for process in processes:
                process.communicate(timeout=60)


def _last(log: Any) -> str:
    log.seek(0)
    return str(log.read()[-2000:].decode(errors="replace"))


def load(
    port: int, path: str, token: str, *, connections: int, seconds: float, headers: str = ""
) -> dict[str, float]:
    """What the load's own process found."""
    done = subprocess.run(
        [sys.executable, str(HERE / "load.py"), str(port), path, str(connections), str(seconds)],
        env=os.environ | {"TOKEN": token, "HEADERS": headers},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    found: dict[str, float] = json.loads(done.stdout)
    assert found["bad"] == 0, f"{path}: {found['bad']:.0f} answers were not 200"
    return found


def throughput(figures: Figures, world: World, count: int, seconds: float, rounds: int) -> None:
    """Both applications in turns, so that what else the machine does strikes both."""
    asked = {
        "GET /platform/projects": ("/platform/projects", "Version: 2\r\n"),
        "GET /platform/projects/{ref}/status": (f"/platform/projects/{world.ref}/status", ""),
        "GET /platform/profile": ("/platform/profile", ""),
    }
    found: dict[str, list[dict[str, float]]] = {}
    more = f", {count} worker{'s' if count > 1 else ''}"
    with workers("reference", count, world) as plain, workers("ours", count, world) as api:
        before, requests = api.counted(), 0
        for turn in range(rounds + 1):  # the first warms both up
            length = seconds if turn else 1.0
            for name, (port, path, headers) in {
                "reference": (plain.port, "/profile", ""),
                **{name: (api.port, *what) for name, what in asked.items()},
            }.items():
                got = load(
                    port,
                    path,
                    world.few,
                    connections=CONNECTIONS,
                    seconds=length,
                    headers=headers,
                )
                requests += 0 if name == "reference" else int(got["requests"])
                if turn:
                    found.setdefault(name, []).append(got)
        spent = {name: n - before[name] for name, n in api.counted().items()}
    base = statistics.median(one["rate"] for one in found["reference"])
    for name, runs in found.items():
        rate, p50, p99 = (
            statistics.median(one[what] for one in runs) for what in ("rate", "p50", "p99")
        )
        share, limited = rate / base, name != "reference"
        figures.add(
            f"{name}{more}",
            f"{rate:.0f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms, {share:.0%}",
            f">= {LEAST_SHARE:.0%}" if limited else "",
            not limited or share >= LEAST_SHARE,
        )
    per = spent["queries"] / requests
    # the sweeper's own are among them
    figures.add(f"queries per request{more}", f"{per:.3f}", "<= 1", per < 1.01)
    calls = spent["kubernetes"]
    figures.add(f"calls to Kubernetes in {requests} requests{more}", str(calls), "0", calls == 0)


def many_projects(figures: Figures, world: World) -> None:
    """The lists of somebody who sees ten thousand projects."""
    with workers("ours", 1, world) as api:
        for name, query, headers, limit in (
            ("page of 100", "?limit=100", "Version: 2\r\n", 50),
            ("last page of 100", f"?limit=100&offset={MANY - 100}", "Version: 2\r\n", 50),
            ("a search", "?search=abc", "Version: 2\r\n", 50),
            ("all as an array", "", "", 500),
        ):
            path = f"/platform/projects{query}"
            load(api.port, path, world.many, connections=1, seconds=1, headers=headers)
            got = load(api.port, path, world.many, connections=1, seconds=4, headers=headers)
            figures.add(
                f"{MANY} projects, {name}",
                f"{got['p50']:.0f} ms, p99 {got['p99']:.0f} ms",
                f"{limit} ms",
                got["p50"] <= limit,
            )
        figures.add(f"most memory of a worker with {MANY + 3} projects", f"{api.memory():.0f} MiB")


async def _sign_in_at_once(port: int, emails: Sequence[str], rounds: int) -> float:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:

        async def one(email: str) -> None:
            body = {"email": email, "password": PASSWORD}
            answer = await client.post("/auth/token?grant_type=password", json=body)
            answer.raise_for_status()

        await asyncio.gather(*(one(email) for email in emails))
        began = time.perf_counter()
        for _ in range(rounds):
            await asyncio.gather(*(one(email) for email in emails))
        return rounds * len(emails) / (time.perf_counter() - began)


def sign_ins(figures: Figures, world: World) -> None:
    """Passwords that are checked at the same time, where there are few projects."""
    with workers("ours", 1, world) as api:
        rate = asyncio.run(_sign_in_at_once(api.port, world.emails, 4))
        memory = api.memory()
    figures.add(f"{SIGN_INS} sign-ins at once", f"{rate:.0f}/s", "16/s", rate >= 16)
    figures.add("most memory meanwhile", f"{memory:.0f} MiB", "256 MiB", memory <= 256)


def main() -> int:
    """Prints the table; exit code 1 if a limit was broken."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    figures, load_before = Figures(), os.getloadavg()[0]
    with world(MANY) as filled:
        for count in (1, 2):
            throughput(figures, filled, count, chosen.seconds, chosen.rounds)
        many_projects(figures, filled)
    with world(0) as filled:
        sign_ins(figures, filled)
    print(
        f"\n{os.cpu_count()} cores, Python {platform.python_version()}, {CONNECTIONS} connections,"
        f" load before {load_before:.1f}, after {os.getloadavg()[0]:.1f}\n"
    )
    print("| figure | measured | limit | |\n|---|---|---|---|")
    for name, value, limit, kept in figures.rows:
        print(f"| {name} | {value} | {limit} | {'' if kept else 'TOO MUCH'} |")
    return 0 if all(kept for *_, kept in figures.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
