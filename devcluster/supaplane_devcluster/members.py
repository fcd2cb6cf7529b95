"""The processes of one cluster: started, found alive, waited for, ended; and written down."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import components, files, garbage, processes
from .errors import DidNotStart
from .layout import Layout
from .node.real import RealNode
from .plan import SPACE, Plan
from .processes import Process
from .state import State, save

# A cold machine under load; a cluster that is well is ready in a few seconds.
START_TIMEOUT = 90.0
# Open watches hold the API server's orderly end up for a minute; nothing here needs that.
STOP_PATIENCE = 5.0


class Members:
    """What of a cluster runs, by its state; the caller holds the lock when it changes something."""

    def __init__(self, layout: Layout, state: State) -> None:
        self._layout = layout
        self._state = state

    @property
    def plan(self) -> Plan:
        state = self._state
        debian = Path(state.debian) if state.debian else None
        return Plan(Path(state.binary), self._layout, state.ports, state.options, debian)

    @property
    def names(self) -> tuple[str, ...]:
        """What this cluster is made of, in the order of starting."""
        return components.start_order(self._state.options)

    @property
    def nodes(self) -> int:
        """How many nodes this cluster should have."""
        options = self._state.options
        return 1 if options.has_real_node else options.nodes

    @property
    def node(self) -> RealNode | None:
        """The real node, if this cluster has one."""
        if not self._state.options.has_real_node:
            return None
        return RealNode(self._layout, self._state.processes.get(SPACE), self.plan.debian)

    def alive(self) -> dict[str, Process | None]:
        """The live process of each component, None for one that is down."""
        return {name: self.of(name) for name in self.names}

    def of(self, component: str) -> Process | None:
        process = self._state.processes.get(component)
        return process if process and processes.is_alive(process) else None

    def start_missing(self, names: Sequence[str]) -> list[str]:
        """Start those that are down; answers which."""
        absent = [name for name in names if self.of(name) is None]
        for name in absent:
            self._start(name)
        return absent

    def stop(self, component: str) -> None:
        """SIGTERM, then SIGKILL; returns when it is gone."""
        if component == SPACE and self.node:
            self.node.end()
            self._state.processes.clear()
        elif process := self._state.processes.get(component):
            processes.end(process, STOP_PATIENCE)
        self._state.processes.pop(component, None)
        save(self._layout.state, self._state)

    def stop_all(self, in_order: bool) -> None:
        """End every process. Without `in_order` a real node ends at once, as by loss of power."""
        node = self.node
        if node and not in_order:
            self.stop(SPACE)
        for component in components.stop_order(self._state.options):
            self.stop(component)
        if node:
            node.clear()

    def wait(
        self, needed: Sequence[str], holds: Callable[[], bool], missing: Callable[[], str | None]
    ) -> None:
        """Until it holds; at once an error if a component that it needs has ended."""
        deadline = time.monotonic() + START_TIMEOUT
        while not holds():
            for component in needed:
                if self.of(component) is None:
                    raise DidNotStart(self._epitaph(component))
            if time.monotonic() > deadline:
                raise DidNotStart(f"not there after {START_TIMEOUT:.0f} s: {missing()}")
            time.sleep(0.05)

    def _start(self, component: str) -> None:
        def record(process: Process) -> None:
            self._state.processes[component] = process
            save(self._layout.state, self._state)

        argv = components.command(self.plan, component)
        log = self._layout.log(component)
        files.set_aside(log)
        node = self.node
        if node and component == SPACE:
            node.prepare()
        enter = node.inside() if node and component != SPACE else []
        machine = node.environment() if node else os.environ
        environ = garbage.environment(machine, garbage.memory_of_machine())
        processes.start(argv, log, self._layout.folder, record, environ, enter)

    def _epitaph(self, component: str) -> str:
        log = self._layout.log(component)
        return "\n".join(filter(None, (f"{component} ended; see {log}", files.last_lines(log, 3))))
