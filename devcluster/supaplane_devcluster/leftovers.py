"""What is still here that `down` would remove."""

from __future__ import annotations

from pathlib import Path

from .cluster import all_clusters


def find(home: Path | str | None = None) -> list[str]:
    """One line for each running process and each folder; empty when nothing is left."""
    lines = []
    for cluster in all_clusters(home):
        for component, process in cluster.status().items():
            if process:
                lines.append(f"{cluster.name}: {component} runs (pid {process.pid})")
        lines.append(f"{cluster.name}: folder {cluster.layout.folder}")
    return lines
