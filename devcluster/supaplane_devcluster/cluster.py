"""One cluster: brought up, taken down, and its components handled one by one."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from . import build, components, files, kubeconfig, ports, processes, readiness, users
from .client import ApiClient
from .components import Plan
from .errors import CommandFailed, DevclusterError, DidNotStart, NotRunning
from .layout import Layout, clusters_folder, default_home
from .locks import folder_lock
from .options import ClusterOptions, checked_name
from .processes import Process
from .state import State, load, save

Progress = Callable[[str], None]

# A cold machine under load; a cluster that is well is ready in a few seconds.
START_TIMEOUT = 90.0
LOCK_TIMEOUT = 120.0
# Open watches hold the API server's orderly end up for a minute; nothing of ours needs that.
STOP_PATIENCE = {components.API_SERVER: 6.0}
DEFAULT_STOP_PATIENCE = 5.0


def _silent(_: str) -> None:
    return None


class Cluster:
    """A named cluster below `home`. Making this object touches nothing; `up` does."""

    def __init__(
        self,
        name: str = "dev",
        home: Path | str | None = None,
        options: ClusterOptions | None = None,
        binary: Path | None = None,
    ) -> None:
        self.name = checked_name(name)
        self.layout = Layout.of(Path(home) if home else default_home(), self.name)
        self._options = options
        self._binary = binary

    # --- what others connect with

    @property
    def kubeconfig(self) -> Path:
        return self.layout.kubeconfig

    @property
    def ca_file(self) -> Path:
        return self.layout.ca

    @property
    def audit_log(self) -> Path:
        return self.layout.audit_log

    @property
    def server(self) -> str:
        return self._plan(self._known()).server

    @property
    def token(self) -> str:
        """The administrator's (system:masters)."""
        self._known()
        return kubeconfig.token_of(self.kubeconfig.read_text(encoding="utf-8"))

    @property
    def options(self) -> ClusterOptions:
        state = load(self.layout.state)
        if state:
            return state.options
        return self._options or ClusterOptions()

    # --- the whole cluster

    def up(self, progress: Progress | None = None) -> None:
        """Make it, or repair it, or find that it is well. Returns when it can be used."""
        say = progress or _silent
        binary = self._binary or build.ensure(say)
        with self._locked():
            state = self._prepare(binary)
            started = self._start_missing(state, components.START_ORDER[:2])
            client = self._client(state)
            self._wait(state, lambda: client.answers("/readyz"), "the API server")
            started += self._start_missing(state, components.START_ORDER[2:])
            self._wait_until_usable(state, client)
            state.ready = True
            save(self.layout.state, state)
        say(self._came_up(started))

    def down(self, keep_data: bool = False) -> None:
        """End every process and remove the folder; keep_data leaves it for the next `up`."""
        if not self.layout.folder.exists():
            return
        with self._locked():
            state = load(self.layout.state)
            for component in components.STOP_ORDER if state else ():
                assert state is not None
                self._stop(state, component)
            if not keep_data:
                shutil.rmtree(self.layout.folder, ignore_errors=True)
        if not keep_data:
            # Removed only when empty: other clusters may live there.
            with contextlib.suppress(OSError):
                self.layout.folder.parent.rmdir()

    def status(self) -> dict[str, Process | None]:
        """The live process of each component, None for one that is down."""
        state = load(self.layout.state)
        found = state.processes if state else {}
        return {
            name: process if (process := found.get(name)) and processes.is_alive(process) else None
            for name in components.START_ORDER
        }

    def is_up(self) -> bool:
        return all(self.status().values())

    def missing(self) -> str | None:
        """What keeps the cluster from being usable, in words; None if nothing does."""
        down = [name for name, process in self.status().items() if process is None]
        if down:
            return "down: " + ", ".join(down)
        state = self._known()
        return readiness.missing(self._client(state), state.options.nodes)

    def __enter__(self) -> Self:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    # --- one component

    def start(self, component: str, wait: bool = True) -> None:
        """Start it again, on the same ports; with `wait`, until the cluster can be used."""
        self._check(component)
        with self._locked():
            state = self._known()
            self._start_missing(state, (component,))
            if wait and all(self.status().values()):
                self._wait_until_usable(state, self._client(state))

    def stop(self, component: str) -> None:
        """SIGTERM, then SIGKILL; returns when it is gone."""
        self._check(component)
        with self._locked():
            self._stop(self._known(), component)

    def kill(self, component: str) -> None:
        """SIGKILL; returns when it is gone."""
        process = self._signal(component, signal.SIGKILL)
        processes.wait_for_end(process, 10)

    def pause(self, component: str) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        self._signal(component, signal.SIGSTOP)

    def resume(self, component: str) -> None:
        self._signal(component, signal.SIGCONT)

    # --- clients

    def kubectl(
        self,
        *args: str,
        input: str | None = None,
        check: bool = True,
        timeout: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run the kubectl of the same version as administrator."""
        state = self._known()
        answer = subprocess.run(
            [state.binary, "kubectl", *args],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=os.environ | {"KUBECONFIG": str(self.kubeconfig)},
        )
        if check and answer.returncode:
            raise CommandFailed(f"kubectl {' '.join(args)}: {answer.stderr.strip()}")
        return answer

    def user_kubeconfig(self, service_account: str, duration: str = "1h") -> Path:
        """A kubeconfig of the ServiceAccount `namespace/name`, by TokenRequest."""
        return users.service_account_kubeconfig(self, service_account, duration)

    # --- inside

    def _plan(self, state: State) -> Plan:
        return Plan(Path(state.binary), self.layout, state.ports, state.options)

    def _known(self) -> State:
        state = load(self.layout.state)
        if state is None:
            raise NotRunning(f"there is no cluster {self.name!r} in {self.layout.folder.parent}")
        return state

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with folder_lock(self.layout.folder, LOCK_TIMEOUT):
            yield

    def _client(self, state: State) -> ApiClient:
        return ApiClient(self._plan(state).server, self.ca_file, self.token)

    def _prepare(self, binary: Path) -> State:
        state = load(self.layout.state)
        if state is None:
            state = self._new(binary)
        elif not any(processes.is_alive(p) for p in state.processes.values()):
            # Nothing runs, so nothing forbids the newest binary and the options asked for now.
            state.binary = str(binary)
            state.options = self._options or state.options
            state.processes = {}
        files.write(self._plan(state), self.name)
        save(self.layout.state, state)
        return state

    def _new(self, binary: Path) -> State:
        """Without a readable state, what is there is the beginning of an `up` that was cut off."""
        for leftover in self.layout.folder.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        taken = _ports_of_others(self.layout)
        chosen = ports.choose(components.PORT_NAMES, taken, random.Random())
        return State(self.name, str(binary), chosen, self._options or ClusterOptions())

    def _start_missing(self, state: State, names: tuple[str, ...]) -> list[str]:
        alive = self.status()
        absent = [name for name in names if alive[name] is None]
        for name in absent:
            self._start(state, name)
        return absent

    def _start(self, state: State, component: str) -> None:
        def record(process: Process) -> None:
            state.processes[component] = process
            save(self.layout.state, state)

        argv = components.command(self._plan(state), component)
        processes.start(argv, self.layout.log(component), self.layout.folder, record)

    def _stop(self, state: State, component: str) -> None:
        if process := state.processes.get(component):
            processes.end(process, STOP_PATIENCE.get(component, DEFAULT_STOP_PATIENCE))
        state.processes.pop(component, None)
        save(self.layout.state, state)

    def _signal(self, component: str, number: signal.Signals) -> Process:
        self._check(component)
        process = self._known().processes.get(component)
        if process is None or not processes.send(process, number):
            raise NotRunning(f"{component} of cluster {self.name!r} is not running")
        return process

    def _check(self, component: str) -> None:
        if component not in components.START_ORDER:
            known = ", ".join(components.START_ORDER)
            raise DevclusterError(f"there is no component {component!r}; there are {known}")

    def _wait_until_usable(self, state: State, client: ApiClient) -> None:
        nodes = state.options.nodes
        self._wait(
            state, lambda: readiness.missing(client, nodes) is None, "the cluster", client=client
        )

    def _wait(
        self,
        state: State,
        holds: Callable[[], bool],
        what: str,
        client: ApiClient | None = None,
    ) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not holds():
            for component, process in state.processes.items():
                if not processes.is_alive(process):
                    raise DidNotStart(self._ended(component))
            if time.monotonic() > deadline:
                if client:
                    what = readiness.missing(client, state.options.nodes) or what
                raise DidNotStart(f"{what} did not come within {START_TIMEOUT:.0f} s")
            time.sleep(0.05)

    def _ended(self, component: str) -> str:
        log = self.layout.log(component)
        last = files.last_lines(log, 3)
        return f"{component} ended; see {log}" + (f"\n{last}" if last else "")

    def _came_up(self, started: list[str]) -> str:
        if not started:
            return f"Cluster {self.name!r} was running already."
        if len(started) == len(components.START_ORDER):
            return f"Cluster {self.name!r} is up."
        return f"Cluster {self.name!r} is up; started again: {', '.join(started)}."


def _ports_of_others(layout: Layout) -> set[int]:
    """A cluster that is down keeps its ports."""
    taken: set[int] = set()
    for state_file in layout.folder.parent.glob("*/state.json"):
        if state := load(state_file):
            taken.update(state.ports.values())
    return taken


def all_clusters(home: Path | str | None = None) -> list[Cluster]:
    """Every cluster below `home`, running or not."""
    folder = clusters_folder(Path(home) if home else default_home())
    if not folder.is_dir():
        return []
    return [Cluster(path.name, home) for path in sorted(folder.iterdir()) if path.is_dir()]
