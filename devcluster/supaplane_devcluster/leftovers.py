"""What is still here that `down` would remove."""

from __future__ import annotations

from pathlib import Path

from .cluster import all_clusters
from .node import cgroups


def find(home: Path | str | None = None) -> list[str]:
    """One line for each running process, each folder and a node's cgroups; empty if all is gone."""
    lines = []
    for cluster in all_clusters(home):
        for component, process in cluster.status().items():
            if process:
                lines.append(f"{cluster.name}: {component} runs (pid {process.pid})")
        if folders := cgroups.left(cgroups.name(cluster.layout.folder)):
            lines.append(f"{cluster.name}: cgroups {', '.join(map(str, folders))}")
        lines.append(f"{cluster.name}: folder {cluster.layout.folder}")
    return lines
