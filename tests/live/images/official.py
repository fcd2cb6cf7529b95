"""The image of the chart's trial database: the PostgreSQL of the projects, started differently."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from supaplane_devcluster.images import Config, File, Folder, Recipe, Text
from supaplane_devcluster.images.sources import Local

from .recipes import POSTGRES

HERE: Final = Path(__file__).parent
REFERENCE: Final = "docker.io/library/postgres:17"

DATABASE: Final[Recipe] = replace(
    POSTGRES,
    name="live-postgres-official",
    sources={**POSTGRES.sources, "own": Local(HERE / "official")},
    layers=(
        *POSTGRES.layers[:-1],
        (
            Text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\npostgres:x:999:999::/:/bin/bash\n"),
            Text("/etc/group", "root:x:0:\npostgres:x:999:\n"),
            File("own:entrypoint.sh", "/usr/local/bin/docker-entrypoint.sh", 0o755),
            Folder("/var/lib/postgresql", 0o755, 999),
            Folder("/var/lib/postgresql/data", 0o700, 999),
            Folder("/var/run/postgresql", 0o777, 999),
        ),
    ),
    config=Config(
        entrypoint=("/usr/local/bin/docker-entrypoint.sh",),
        command=("postgres",),
        env={"LANG": "C.UTF-8"},
    ),
)
