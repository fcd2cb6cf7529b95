"""One cluster: brought up, taken down, and its components handled one by one."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from . import build, components, files, kubeconfig, ports, processes, readiness, users
from .client import ApiClient
from .components import Plan
from .errors import CommandFailed, DevclusterError, NotRunning
from .layout import Layout, clusters_folder, default_home
from .locks import folder_lock
from .members import Members
from .options import ClusterOptions, checked_name
from .processes import Process
from .state import State, load, ports_of_all, save

Progress = Callable[[str], None]

LOCK_TIMEOUT = 120.0


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
        return state.options if state else self._options or ClusterOptions()

    # --- the whole cluster

    def up(self, progress: Progress | None = None) -> None:
        """Make it, or repair it, or find that it is well. Returns when it can be used."""
        say = progress or _silent
        with self._locked():
            state = self._prepare(say)
            members = Members(self.layout, state)
            server, others = components.START_ORDER[:2], components.START_ORDER[2:]
            started = members.start_missing(server)
            client = self._client(state)
            members.wait(server, lambda: client.answers("/readyz"), lambda: "the API server")
            started += members.start_missing(others)
            self._wait_until_usable(state, members)
        say(self._came_up(started))
        if self._options and self._options != state.options:
            say("It keeps the options that it was started with; `down` first to change them.")

    def down(self, keep_data: bool = False) -> None:
        """End every process and remove the folder; keep_data leaves it for the next `up`."""
        if not self.layout.folder.exists():
            return
        with self._locked():
            if state := load(self.layout.state):
                for component in components.STOP_ORDER:
                    Members(self.layout, state).stop(component)
            if not keep_data:
                shutil.rmtree(self.layout.folder, ignore_errors=True)
        if not keep_data:
            # Removed only when empty: other clusters may live there.
            with contextlib.suppress(OSError):
                self.layout.folder.parent.rmdir()

    def status(self) -> dict[str, Process | None]:
        """The live process of each component, None for one that is down."""
        state = load(self.layout.state)
        if state is None:
            return dict.fromkeys(components.START_ORDER)
        return Members(self.layout, state).alive()

    def is_up(self) -> bool:
        return all(self.status().values())

    def missing(self) -> str | None:
        """What keeps the cluster from being usable, in words; None if nothing does."""
        state = self._known()
        down = [name for name, process in self.status().items() if process is None]
        if down:
            return "down: " + ", ".join(down)
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
        with self._locked_member(component) as (state, members):
            members.start_missing((component,))
            if wait and all(members.alive().values()):
                self._wait_until_usable(state, members)

    def stop(self, component: str) -> None:
        """SIGTERM, then SIGKILL; returns when it is gone."""
        with self._locked_member(component) as (_, members):
            members.stop(component)

    def kill(self, component: str) -> None:
        """SIGKILL; returns when it is gone."""
        processes.wait_for_end(self._signal(component, signal.SIGKILL), 10)

    def pause(self, component: str) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        self._signal(component, signal.SIGSTOP)

    def resume(self, component: str) -> None:
        """SIGCONT."""
        self._signal(component, signal.SIGCONT)

    # --- clients

    def kubectl(
        self, *args: str, input: str | None = None, check: bool = True, timeout: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run the kubectl of the same version as administrator."""
        answer = subprocess.run(
            [*self.kubectl_command(), *args],
            # Never our own standard input: `kubectl apply -f -` would wait for somebody to type.
            input=input or "",
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=os.environ | {"KUBECONFIG": str(self.kubeconfig)},
        )
        if check and answer.returncode:
            raise CommandFailed(f"kubectl {' '.join(args)}: {answer.stderr.strip()}")
        return answer

    def kubectl_command(self) -> list[str]:
        """The beginning of a command line; KUBECONFIG is for the caller to set."""
        return [str(self._binary_of(self._known(), _silent)), "kubectl"]

    def user_kubeconfig(self, service_account: str, duration: str = "1h") -> Path:
        """A kubeconfig of the ServiceAccount `namespace/name`, by TokenRequest."""
        return users.service_account_kubeconfig(self, service_account, duration)

    # --- inside

    def _plan(self, state: State) -> Plan:
        return Members(self.layout, state).plan

    def _client(self, state: State) -> ApiClient:
        return ApiClient(self._plan(state).server, self.ca_file, self.token)

    def _known(self) -> State:
        state = load(self.layout.state)
        if state is None:
            raise NotRunning(f"there is no cluster {self.name!r} in {self.layout.folder.parent}")
        return state

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with folder_lock(self.layout.folder, LOCK_TIMEOUT):
            yield

    @contextlib.contextmanager
    def _locked_member(self, component: str) -> Iterator[tuple[State, Members]]:
        _check(component)
        self._known()  # before the lock, which makes the folder: a mistyped name leaves none
        with self._locked():
            state = self._known()
            yield state, Members(self.layout, state)

    def _prepare(self, say: Progress) -> State:
        state = load(self.layout.state)
        if state is None:
            state = self._new(self._binary or build.ensure(say))
        elif any(processes.is_alive(p) for p in state.processes.values()):
            # What runs keeps its version and options; a repair must not mix two.
            state.binary = str(self._binary_of(state, say))
        else:
            state.binary = str(self._binary or build.ensure(say))
            state.options = self._options or state.options
            state.processes = {}
            state.ports = self._ports(state.ports)
        files.write(self._plan(state), self.name)
        save(self.layout.state, state)
        return state

    def _binary_of(self, state: State, say: Progress) -> Path:
        """The one it was started with, unless the cache has dropped it since."""
        binary = Path(state.binary)
        return binary if binary.exists() else self._binary or build.ensure(say)

    def _new(self, binary: Path) -> State:
        """Without a readable state, what is there is the beginning of an `up` that was cut off."""
        for leftover in self.layout.folder.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        return State(self.name, str(binary), self._ports({}), self._options or ClusterOptions())

    def _ports(self, known: dict[str, int]) -> dict[str, int]:
        """Those that it has, and the rest; a kept cluster may be of a version with fewer."""
        wanted = [name for name in components.PORT_NAMES if name not in known]
        taken = ports_of_all(self.layout.folder.parent) | set(known.values())
        return known | ports.choose(wanted, taken, random.Random())

    def _wait_until_usable(self, state: State, members: Members) -> None:
        client = self._client(state)

        def missing() -> str | None:
            return readiness.missing(client, state.options.nodes)

        members.wait(components.START_ORDER, lambda: missing() is None, missing)

    def _signal(self, component: str, number: signal.Signals) -> Process:
        _check(component)
        process = self._known().processes.get(component)
        if process is None or not processes.send(process, number):
            raise NotRunning(f"{component} of cluster {self.name!r} is not running")
        return process

    def _came_up(self, started: list[str]) -> str:
        if not started:
            return f"Cluster {self.name!r} was running already."
        if len(started) == len(components.START_ORDER):
            return f"Cluster {self.name!r} is up."
        return f"Cluster {self.name!r} is up; started again: {', '.join(started)}."


def _check(component: str) -> None:
    if component not in components.START_ORDER:
        known = ", ".join(components.START_ORDER)
        raise DevclusterError(f"there is no component {component!r}; there are {known}")


def all_clusters(home: Path | str | None = None) -> list[Cluster]:
    """Every cluster below `home`, running or not."""
    folder = clusters_folder(Path(home) if home else default_home())
    if not folder.is_dir():
        return []
    return [Cluster(path.name, home) for path in sorted(folder.iterdir()) if path.is_dir()]
