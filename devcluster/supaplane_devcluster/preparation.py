"""What has to be there before anything of a cluster starts: programs, ports, files, its state."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from . import build, components, files, ports, processes
from .errors import DevclusterError
from .layout import Layout
from .members import Members
from .node import furniture, programs
from .options import ClusterOptions
from .state import State, load, ports_of_all, save

Say = Callable[[str], None]


def everything(options: ClusterOptions, say: Say) -> Path:
    """Compile and fetch all that such a cluster needs; the binary. Raises CannotBuild."""
    if options.has_real_node:
        programs.check_machine()
        programs.ensure(say)
        furniture.images(say)
    return build.ensure(say, with_node=options.has_real_node)


class Preparation:
    """For one cluster, with the options and the binary that were asked for, if any were."""

    def __init__(
        self, name: str, layout: Layout, options: ClusterOptions | None, binary: Path | None
    ) -> None:
        self._name = name
        self._layout = layout
        self._options = options
        self._binary = binary

    def prepare(self, say: Say) -> State:
        """The state, new or as it was, with its files written; the caller holds the lock."""
        state = load(self._layout.state)
        if state is None:
            state = self._new(say)
        elif any(processes.is_alive(p) for p in state.processes.values()):
            # What runs keeps its version and options; a repair must not mix two.
            state.binary = str(self.binary_of(state, say))
        else:
            self._renew(state, say)
        if state.options.has_real_node:
            debian = programs.ensure(say)
            state.debian = str(debian) if debian else None
        files.write(Members(self._layout, state).plan, self._name)
        save(self._layout.state, state)
        return state

    def binary_of(self, state: State, say: Say) -> Path:
        """The one it was started with, unless the cache has dropped it since."""
        binary = Path(state.binary)
        return binary if binary.exists() else self._build(state.options, say)

    def _new(self, say: Say) -> State:
        """Without a readable state, what is there is the beginning of an `up` that was cut off."""
        options = self._options or ClusterOptions()
        binary = self._build(options, say)
        for leftover in self._layout.folder.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        return State(self._name, str(binary), self._ports({}), options)

    def _renew(self, state: State, say: Say) -> None:
        """Nothing of it runs: it can have what is new."""
        options = self._options or state.options
        if options.node != state.options.node:
            kept = f"cluster {self._name!r} was made with --node {state.options.node}"
            raise DevclusterError(f"{kept}; `down` removes it with what is in it")
        state.binary = str(self._build(options, say))
        state.options = options
        state.processes = {}
        state.ports = self._ports(state.ports)

    def _build(self, options: ClusterOptions, say: Say) -> Path:
        return self._binary or build.ensure(say, with_node=options.has_real_node)

    def _ports(self, known: dict[str, int]) -> dict[str, int]:
        """Those that it has, and the rest; a kept cluster may be of a version with fewer."""
        wanted = [name for name in components.PORT_NAMES if name not in known]
        taken = ports_of_all(self._layout.folder.parent) | set(known.values())
        return known | ports.choose(wanted, taken, random.Random())
