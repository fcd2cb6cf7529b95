"""The same handles on a cluster made by kind, where a Docker engine answers.

Unproved where no engine is at hand: the tests check only the command lines, against programs of
the same names that write down how they were called.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from . import build, toolchain
from .errors import CannotBuild, CommandFailed, NotRunning
from .layout import default_home
from .locks import folder_lock
from .options import checked_name

Progress = Callable[[str], None]

# The node image that this release of kind is built for is the one it pulls.
KIND_VERSION = "v0.33.0"
ANSWER_TIMEOUT = 5.0
CREATE_TIMEOUT = 1200.0
DELETE_TIMEOUT = 300.0


def docker_answers() -> bool:
    """Whether an engine answers, not merely whether the client is installed."""
    try:
        answer = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=ANSWER_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and bool(answer.stdout.strip())


class KindCluster:
    """A named kind cluster, with the kubeconfig in a folder of ours and not in the user's own."""

    def __init__(self, name: str = "dev", home: Path | str | None = None) -> None:
        self.name = checked_name(name)
        self.folder = (Path(home) if home else default_home()).absolute() / "kind" / self.name

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def up(self, progress: Progress | None = None) -> None:
        """Make it, or find that it is there; the kubeconfig is written either way."""
        say = progress or (lambda _: None)
        kind = kind_binary(say)
        with folder_lock(self.folder, CREATE_TIMEOUT):
            if self.name in self._present(kind):
                self._export(kind)
                say(f"Cluster {self.name!r} was running already.")
                return
            say("Making a kind cluster; the first time its node image is pulled.")
            self._run([*self._command(kind, "create", "cluster"), "--wait=180s"], CREATE_TIMEOUT)
            self.kubeconfig.chmod(0o600)
        say(f"Cluster {self.name!r} is up.")

    def down(self) -> None:
        """Delete it and its folder. Without kind there can be nothing to delete."""
        kind = _found()
        if kind and self.name in self._present(kind):
            self._run(self._command(kind, "delete", "cluster"), DELETE_TIMEOUT)
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.parent.rmdir()

    def kubectl(
        self, *args: str, input: str | None = None, check: bool = True, timeout: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run the machine's kubectl if there is one, else the one that we compile."""
        if not self.kubeconfig.exists():
            raise NotRunning(f"there is no kind cluster {self.name!r} in {self.folder.parent}")
        own = shutil.which("kubectl")
        command = [own] if own else [str(build.ensure(lambda _: None)), "kubectl"]
        answer = subprocess.run(
            [*command, *args],
            **({"stdin": subprocess.DEVNULL} if input is None else {"input": input}),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=os.environ | {"KUBECONFIG": str(self.kubeconfig)},
        )
        if check and answer.returncode:
            raise CommandFailed(f"kubectl {' '.join(args)}: {answer.stderr.strip()}")
        return answer

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

    def _command(self, kind: str, verb: str, noun: str) -> list[str]:
        return [kind, verb, noun, f"--name={self.name}", f"--kubeconfig={self.kubeconfig}"]

    def _present(self, kind: str) -> list[str]:
        return self._run([kind, "get", "clusters"], 60.0).split()

    def _export(self, kind: str) -> None:
        self._run(self._command(kind, "export", "kubeconfig"), 60.0)
        self.kubeconfig.chmod(0o600)

    @staticmethod
    def _run(argv: list[str], timeout: float) -> str:
        answer = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
        if answer.returncode:
            raise CommandFailed(f"{' '.join(argv)}: {answer.stderr.strip()[-2000:]}")
        return answer.stdout


def kind_binary(say: Progress) -> str:
    """The machine's kind, else one that we compile into the cache."""
    if found := _found():
        return found
    cache = build.cache_folder()
    folder = _kind_folder(cache)
    go = toolchain.find(build.MODULE, cache, say)
    say(f"Compiling kind {KIND_VERSION}.")
    answer = subprocess.run(
        [str(go.path), "install", f"sigs.k8s.io/kind@{KIND_VERSION}"],
        env=os.environ | {"GOBIN": str(folder), "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=CREATE_TIMEOUT,
    )
    if answer.returncode:
        raise CannotBuild(f"kind could not be compiled: {answer.stderr.strip()[-500:]}")
    return str(folder / "kind")


def _kind_folder(cache: Path) -> Path:
    return cache / "kind" / KIND_VERSION


def _found() -> str | None:
    compiled = _kind_folder(build.cache_folder()) / "kind"
    return shutil.which("kind") or (str(compiled) if compiled.exists() else None)
