"""Which programs the demo started, with what, and whether they still run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from supaplane_devcluster import processes as os_processes

from .home import read_json, write_json

STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Process:
    """A program that we started. `started` guards against a pid that was given away again."""

    name: str
    pid: int
    started: str
    log: str
    inputs: str
    """What it was started with; when that changes it is started anew."""

    @property
    def alive(self) -> bool:
        """Whether that very process runs."""
        return os_processes.is_alive(os_processes.Process(self.pid, self.started))


class Processes:
    """The demo's processes, written down in a file before they do anything."""

    def __init__(self, file: Path, logs: Path) -> None:
        self._file = file
        self._logs = logs

    def known(self) -> dict[str, Process]:
        """All that were started and not stopped by us, dead ones included."""
        return {name: Process(**entry) for name, entry in read_json(self._file).items()}

    def ensure(
        self, name: str, module: Sequence[str], environ: Mapping[str, str], inputs: str
    ) -> Process:
        """`python -m MODULE…` running under that name; started anew if its inputs changed.

        `environ` takes the place of the environment. Secrets belong there, never into `module`.
        """
        running = self.known().get(name)
        if running and running.alive and running.inputs == inputs:
            return running
        self.stop(name)
        log = self._logs / f"{name}.log"

        def record(process: os_processes.Process) -> None:
            entry = Process(name, process.pid, process.started, str(log), inputs)
            self._write({**self.known(), name: entry})

        os_processes.start(
            [sys.executable, "-m", *module], log, Path.cwd(), record, environ=environ
        )
        return self.known()[name]

    def stop(self, name: str) -> bool:
        """Asks the process to end and, after a while, makes it. False: it did not run."""
        process = self.known().get(name)
        if process is None:
            return False
        ran = process.alive
        os_processes.end(os_processes.Process(process.pid, process.started), STOP_SECONDS)
        self._write({n: p for n, p in self.known().items() if n != name})
        return ran

    def _write(self, processes: Mapping[str, Process]) -> None:
        if processes:
            write_json(self._file, {n: asdict(p) for n, p in processes.items()})
        else:
            self._file.unlink(missing_ok=True)


def inherited_environment() -> dict[str, str]:
    """Our environment without settings of Supaplane, which the demo chooses by itself."""
    return {k: v for k, v in os.environ.items() if not k.startswith("SUPAPLANE_")}


def log_tail(process: Process, lines: int = 12) -> str:
    """The last lines of a process's log."""
    text = Path(process.log).read_text(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
