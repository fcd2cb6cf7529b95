"""The first process of a node's namespaces: furnishes them, and then only buries the dead.

Everything of the node runs in these namespaces, so when this process ends, however that happens,
the kernel ends every process, mount, network device and rule with it.

    python -m supaplane_devcluster.node.first FOLDER    # by `unshare`; FOLDER is the cluster's
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from supaplane_devcluster import build, linux
from supaplane_devcluster.layout import Layout

from . import cgroups, network

# What the programs of a node write outside the folders that they are told of goes here, in memory:
# sockets in /run, files of network plugins and the kubelet in /var/lib, links to logs in /var/log.
COVERED = (Path("/run"), Path("/var/lib"), Path("/var/log"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="supaplane_devcluster.node.first", description=__doc__)
    parser.add_argument("folder", type=Path)
    layout = Layout(parser.parse_args().folder)
    cgroups.confine(cgroups.name(layout.folder))
    _cover(_needed(layout))
    for place, folder in own_folders(layout).items():
        place.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        linux.bind(folder, place)
    _show_sysctls()
    _show(Path(os.path.realpath("/etc/resolv.conf")), network.RESOLVE_NOTHING)
    linux.share_mounts()
    _connect()
    layout.space_ready.touch()
    _bury()
    return 0


def own_folders(layout: Layout) -> dict[Path, Path]:
    """What the node keeps on disk, by the place where its programs look for it."""
    return {
        Path("/var/lib/containerd"): layout.node / "containerd",
        Path("/var/lib/kubelet"): layout.node / "kubelet",
        Path("/var/log/pods"): layout.node / "pod-logs",
    }


def under(paths: Iterable[Path], covered: Iterable[Path]) -> list[Path]:
    """Those that would be hidden, each once; what is inside another comes with it."""
    covered = list(covered)
    hidden = sorted({p for p in paths if any(p.is_relative_to(c) for c in covered)})
    return [p for p in hidden if not any(p != o and p.is_relative_to(o) for o in hidden)]


def _needed(layout: Layout) -> list[Path]:
    """Folders of ours that may lie in a covered one: a home in /var/lib is not unusual."""
    of_python = map(Path, (sys.prefix, sys.base_prefix, *filter(None, sys.path)))
    wanted = [layout.folder, build.cache_folder(), *of_python]
    return [path for path in under(map(Path.resolve, wanted), COVERED) if path.is_dir()]


def _cover(kept: Iterable[Path]) -> None:
    held = {path: os.open(path, os.O_PATH) for path in kept}
    for place in COVERED:
        linux.mount_tmpfs(place)
    for path, descriptor in held.items():
        path.mkdir(parents=True)
        linux.bind(descriptor, path)
        os.close(descriptor)


def _show_sysctls() -> None:
    shown = Path("/run/sysctls")
    shown.mkdir()
    for name, value in network.MACHINE_SYSCTLS.items():
        path = Path("/proc/sys") / name
        if path.exists():
            _show(path, f"{value}\n", shown / name.replace("/", "."))


def _show(path: Path, text: str, source: Path = Path("/run/resolv.conf")) -> None:
    """A file with this text in the place of another; nothing is written where the other lies."""
    source.write_text(text, encoding="ascii")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    linux.bind(source, path)


def _connect() -> None:
    subprocess.run(["ip", "-batch", "-"], input=network.IP_BATCH, text=True, check=True)
    for name, value in network.SYSCTLS.items():
        (Path("/proc/sys") / name).write_text(value, encoding="ascii")


def _bury() -> None:
    """Containers' parents end before them; whoever is orphaned in this namespace becomes ours."""
    # Blocked signals stay pending until sigwait takes them: none is lost between two looks.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    received = signal.SIGCHLD
    while received != signal.SIGTERM:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        received = signal.Signals(signal.sigwait({signal.SIGCHLD, signal.SIGTERM}))


if __name__ == "__main__":
    sys.exit(main())
