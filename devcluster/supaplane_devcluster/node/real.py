"""The real node of one cluster: what has to be there before it, in it, and after it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from supaplane_devcluster import processes
from supaplane_devcluster.errors import DevclusterError
from supaplane_devcluster.layout import Layout
from supaplane_devcluster.processes import Process

from . import cgroups, furniture, programs, space


class RealNode:
    """By the process that holds its namespaces; `debian` is where its programs were unpacked."""

    def __init__(self, layout: Layout, holder: Process | None, debian: Path | None) -> None:
        self._layout = layout
        self._holder = holder
        self._debian = debian

    @property
    def first_process(self) -> int:
        """Raises NotRunning."""
        return space.first_process(self._holder)

    def prepare(self) -> None:
        """Before its first process: whatever a former one left says nothing about this one.

        A new kubelet takes the cgroups of a killed one for containers, and waits for each.
        """
        self._layout.space_ready.unlink(missing_ok=True)
        self.clear()

    def is_furnished(self) -> bool:
        return self._layout.space_ready.exists()

    def environment(self) -> dict[str, str]:
        """For the node's own processes."""
        return programs.environment(self._debian, os.environ)

    def inside(self) -> list[str]:
        """The beginning of a command line: a process of the node."""
        return space.inside(self.first_process)

    def beside(self) -> list[str]:
        """The beginning of a command line: a program of this machine, in the node's network."""
        return space.beside(self.first_process, self._layout.service_dns)

    def run_inside(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.inside(), *argv], env=self.environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=furniture.TIMEOUT,
        )  # fmt: skip

    def containerd_answers(self) -> bool:
        return self.run_inside(["ctr", "version"]).returncode == 0

    def furnish(self, archives: Sequence[Path]) -> None:
        """Its own images, before the first pod. Raises CommandFailed."""
        furniture.import_images(self.run_inside, archives)

    def clear(self) -> None:
        """What an ended node leaves in the kernel: empty cgroups. Raises DevclusterError."""
        if stuck := cgroups.remove(cgroups.name(self._layout.folder)):
            raise DevclusterError(f"cgroups that cannot be removed: {', '.join(map(str, stuck))}")

    def end(self) -> None:
        """Everything in it, at once. Returns when it is gone."""
        if self._holder is None or not processes.is_alive(self._holder):
            return
        first = [Process.of(pid) for pid in processes.children(self._holder.pid)]
        processes.end(self._holder, patience=0)
        for process in first:
            processes.wait_for_end(process, 30)
