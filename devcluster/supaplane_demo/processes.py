"""Starts programs that outlive us, and stops exactly those: by pid and start time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

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
        return _start_time(self.pid) == self.started


class Processes:
    """The demo's processes, written down in a file."""

    def __init__(self, file: Path, logs: Path) -> None:
        self._file = file
        self._logs = logs

    def known(self) -> dict[str, Process]:
        """All that were started and not stopped by us, dead ones included."""
        return {name: Process(**entry) for name, entry in read_json(self._file).items()}

    def ensure(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], inputs: str
    ) -> tuple[Process, bool]:
        """The running process of that name; started if there is none or its inputs changed.

        The second value says whether it was started now.
        """
        running = self.known().get(name)
        if running and running.alive:
            if running.inputs == inputs:
                return running, False
            self.stop(name)
        log = self._logs / f"{name}.log"
        with log.open("ab") as out:
            child = subprocess.Popen(
                list(command),
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = Process(name, child.pid, _start_time(child.pid) or "", str(log), inputs)
        self._write({**self.known(), name: process})
        return process, True

    def stop(self, name: str) -> bool:
        """Asks the process to end and, after a while, makes it. False: it did not run."""
        process = self.known().get(name)
        if process is None:
            return False
        ran = process.alive
        if ran:
            _end(process)
        self._write({n: p for n, p in self.known().items() if n != name})
        return ran

    def _write(self, processes: Mapping[str, Process]) -> None:
        if processes:
            write_json(self._file, {n: asdict(p) for n, p in processes.items()})
        else:
            self._file.unlink(missing_ok=True)


def log_tail(process: Process, lines: int = 12) -> str:
    """The last lines of a process's log."""
    text = Path(process.log).read_text(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def _end(process: Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        end = time.monotonic() + STOP_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
            if not process.alive:
                return
            time.sleep(0.05)


def _start_time(pid: int) -> str | None:
    """When the process started, as the kernel counts; None when it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return _start_time_by_ps(pid) if not Path("/proc/self/stat").exists() else None
    return None if fields[0] in "ZX" else fields[19]


def _start_time_by_ps(pid: int) -> str | None:
    """The same where there is no /proc (macOS)."""
    answer = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None
