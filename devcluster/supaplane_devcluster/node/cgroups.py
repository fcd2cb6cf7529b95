"""The cgroups of a node's containers: all below one folder of its own in each hierarchy.

Containers are placed by absolute path (/k8s.io/ID). The node sees its own folder as the root, so
nothing of anybody else's is touched, and what is left can be told from what others left.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path

from supaplane_devcluster import linux

MOUNTS = Path("/proc/self/mounts")


def name(folder: Path) -> str:
    """One for each cluster's folder."""
    return f"devcluster-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def hierarchies(mounts: str) -> list[Path]:
    """Where cgroups are mounted, by the text of /proc/self/mounts: version 1 has many places."""
    lines = (line.split() for line in mounts.splitlines())
    return [Path(words[1]) for words in lines if words[2] in ("cgroup", "cgroup2")]


def confine(own: str) -> None:
    """In the mount namespace that the caller is in, the folder `own` becomes the root of each.

    The caller moves there too, into a cgroup namespace with the same root: programs compare what is
    mounted with what /proc says of a process.
    """
    mounted = hierarchies(MOUNTS.read_text(encoding="utf-8"))
    for hierarchy in mounted:
        folder = hierarchy / own
        folder.mkdir(exist_ok=True)
        _inherit(hierarchy, folder)
        _move_in(folder)
    linux.unshare_cgroups()
    for hierarchy in mounted:
        # Version 2 allows no processes in a folder that has others with limits below it.
        inner = hierarchy / own / "first-process"
        inner.mkdir(exist_ok=True)
        _inherit(hierarchy / own, inner)
        _move_in(inner)
        linux.bind(hierarchy / own, hierarchy)


def _move_in(folder: Path) -> None:
    (folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


def _inherit(parent: Path, folder: Path) -> None:
    """What a new cgroup does not have by itself, and could not give to those inside."""
    for setting in ("cpuset.cpus", "cpuset.mems"):
        if (folder / setting).exists() and (value := (parent / setting).read_text().strip()):
            (folder / setting).write_text(value)
    control = parent / "cgroup.subtree_control"
    if control.exists():
        wanted = (parent / "cgroup.controllers").read_text().split()
        # One at a time: a controller that cannot be given is no reason to give none.
        for controller in wanted:
            with contextlib.suppress(OSError):
                control.write_text(f"+{controller}")


def remove(own: str, patience: float = 5.0) -> list[Path]:
    """Remove the folders, whose processes have ended; answers with those that could not be."""
    deadline = time.monotonic() + patience
    while found := left(own):
        for top in found:
            _remove_tree(top)
        if time.monotonic() > deadline:
            return left(own)
        time.sleep(0.05)
    return []


def left(own: str) -> list[Path]:
    """The folders that are there."""
    if not MOUNTS.exists():
        return []
    mounts = hierarchies(MOUNTS.read_text(encoding="utf-8"))
    return [mount / own for mount in mounts if (mount / own).is_dir()]


def _remove_tree(top: Path) -> None:
    # The files in it are the kernel's and go with their folder.
    for folder, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
