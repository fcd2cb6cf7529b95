"""One cluster: brought up, taken down, and its components handled one by one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from . import bringup, components, kubeconfig, linux, processes, users
from .client import ApiClient
from .errors import CommandFailed, DevclusterError, NotRunning
from .layout import Layout, clusters_folder, default_home
from .locks import folder_lock
from .members import Members
from .node import furniture, programs
from .node.real import RealNode
from .options import ClusterOptions, checked_name
from .preparation import Preparation
from .processes import Process
from .state import State, load

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
        self._preparation = Preparation(self.name, self.layout, options, binary)

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
        return Members(self.layout, self._known()).plan.server

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
        if self.options.has_real_node:
            programs.check_machine()  # before the lock, which makes the folder
        with self._locked():
            state = self._preparation.prepare(say)
            members = Members(self.layout, state)
            images = furniture.images(say) if members.node else []
            started = bringup.start(members, self._client(state), self._apply, images)
        say(self._came_up(started, len(members.names)))
        if self._options and self._options != state.options:
            say("It keeps the options that it was started with; `down` first to change them.")

    def down(self, keep_data: bool = False) -> None:
        """End every process and remove the folder; keep_data leaves it for the next `up`."""
        if not self.layout.folder.exists():
            return
        with self._locked():
            if state := load(self.layout.state):
                Members(self.layout, state).stop_all(in_order=keep_data)
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
            return dict.fromkeys(components.start_order(self.options))
        return Members(self.layout, state).alive()

    def is_up(self) -> bool:
        return all(self.status().values())

    def missing(self) -> str | None:
        """What keeps the cluster from being usable, in words; None if nothing does."""
        state = self._known()
        down = [name for name, process in self.status().items() if process is None]
        if down:
            return "down: " + ", ".join(down)
        return bringup.missing(Members(self.layout, state), self._client(state))

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
                bringup.wait_until_usable(members, self._client(state))

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
        answer = self.run([*self._kubectl(), *args], input, timeout)
        if check and answer.returncode:
            raise CommandFailed(f"kubectl {' '.join(args)}: {answer.stderr.strip()}")
        return answer

    def kubectl_command(self) -> list[str]:
        """The beginning of a command line; KUBECONFIG is for the caller to set."""
        return [*self.run_command(), *self._kubectl()]

    def run_command(self) -> list[str]:
        """What to put before a command line so that it can reach what is in the cluster.

        Nothing for simulated nodes; for a real one it enters the network of the node, and asks the
        cluster's DNS server for names. Raises NotRunning.
        """
        node = Members(self.layout, self._known()).node
        return node.beside() if node else []

    def run(
        self, argv: Sequence[str], input: str | None = None, timeout: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this machine where it reaches pods and Services, as administrator."""
        return subprocess.run(
            [*self.run_command(), *argv],
            # Never our own standard input: `kubectl apply -f -` would wait for somebody to type.
            input=input or "",
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=os.environ | {"KUBECONFIG": str(self.kubeconfig)},
        )

    def network(self) -> contextlib.AbstractContextManager[None]:
        """Within it, sockets that this thread opens can reach pods and Services, and stay there.

        Changes nothing where nodes are simulated. Raises NotRunning.
        """
        node = Members(self.layout, self._known()).node
        return linux.network_of(node.first_process) if node else contextlib.nullcontext()

    def user_kubeconfig(self, service_account: str, duration: str = "1h") -> Path:
        """A kubeconfig of the ServiceAccount `namespace/name`, by TokenRequest."""
        return users.service_account_kubeconfig(self, service_account, duration)

    # --- a real node

    @property
    def node(self) -> RealNode:
        """Raises DevclusterError if there is none."""
        node = Members(self.layout, self._known()).node
        if node is None:
            raise DevclusterError(f"the nodes of cluster {self.name!r} are simulated")
        return node

    def import_images(self, *archives: Path) -> None:
        """Docker-archives, as `docker save` writes them. Never pulled: not with policy Always."""
        furniture.import_images(self.node.run_inside, archives)

    def tag_image(self, source: str, reference: str) -> None:
        """Let the image `source` be `reference` too; in full, as docker.io/library/postgres:17."""
        furniture.tag_image(self.node.run_inside, source, reference)

    # --- inside

    def _client(self, state: State) -> ApiClient:
        server = Members(self.layout, state).plan.server
        return ApiClient(server, self.ca_file, self.token, self.network)

    def _kubectl(self) -> list[str]:
        return [str(self._preparation.binary_of(self._known(), _silent)), "kubectl"]

    def _apply(self, path: Path) -> None:
        self.kubectl("apply", "--filename", str(path))

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

    def _signal(self, component: str, number: signal.Signals) -> Process:
        _check(component)
        process = self._known().processes.get(component)
        if process is None or not processes.send(process, number):
            raise NotRunning(f"{component} of cluster {self.name!r} is not running")
        return process

    def _came_up(self, started: list[str], of: int) -> str:
        if not started:
            return f"Cluster {self.name!r} was running already."
        if len(started) == of:
            return f"Cluster {self.name!r} is up."
        return f"Cluster {self.name!r} is up; started again: {', '.join(started)}."


def _check(component: str) -> None:
    if component not in components.ALL:
        known = ", ".join(components.ALL)
        raise DevclusterError(f"there is no component {component!r}; there are {known}")


def all_clusters(home: Path | str | None = None) -> list[Cluster]:
    """Every cluster below `home`, running or not."""
    folder = clusters_folder(Path(home) if home else default_home())
    if not folder.is_dir():
        return []
    return [Cluster(path.name, home) for path in sorted(folder.iterdir()) if path.is_dir()]
