"""How to start the namespaces of a node, and how to enter them from outside."""

from __future__ import annotations

import sys
from pathlib import Path

from supaplane_devcluster.errors import NotRunning
from supaplane_devcluster.layout import Layout
from supaplane_devcluster.processes import Process, children, is_alive


def command(layout: Layout) -> list[str]:
    """The process whose end is the end of the whole node."""
    return [
        *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"),
        *(sys.executable, "-m", "supaplane_devcluster.node.first", str(layout.folder)),
    ]


def first_process(holder: Process | None) -> int:
    """The process id, as the machine counts, of the first process inside. Raises NotRunning."""
    inside = children(holder.pid) if holder and is_alive(holder) else []
    if not inside:
        raise NotRunning("the node does not run")
    return inside[0]


def inside(pid: int) -> list[str]:
    """The beginning of a command line that runs the rest as a process of the node."""
    return ["nsenter", f"--target={pid}", "--net", "--mount", "--cgroup", "--pid", "--"]


def beside(pid: int, resolv_conf: Path) -> list[str]:
    """… as a program of this machine, with its files, in the network of the node and its DNS."""
    script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    enter = ["nsenter", f"--target={pid}", "--net", "--"]
    return [*enter, "unshare", "--mount", "sh", "-c", script, str(resolv_conf)]
