"""How a program is started, recognised again, and ended: by one process id, never by a name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .errors import DidNotStart

# The shell waits for a line before it becomes the program. Whoever starts it writes that line only
# after the process id is on disk; if they die before, the shell reads the end of the pipe and ends
# too. So no program ever runs unrecorded.
GATE = 'read -r go && exec "$@" </dev/null'

# A program that is put into namespaces has one parent more, which waits there for its first child.
ENTER_TIMEOUT = 10.0

# Ours to reap, by the id that is on record: an ended child keeps its id until somebody asks how it
# ended.
_children: dict[int, int] = {}


@dataclass(frozen=True)
class Process:
    """A process id, and when that process started: an id alone may by now be somebody else's."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """The one that has this id now."""
        return cls(pid, _start_time(pid) or "")


def start(
    argv: Sequence[str],
    log: Path,
    folder: Path,
    record: Callable[[Process], None],
    environ: Mapping[str, str] | None = None,
    enter: Sequence[str] = (),
) -> Process:
    """Run a program that outlives us; `record` is called before it does anything.

    `environ` takes the place of our environment: the place for secrets, which never go into argv.
    `enter` is a command that runs the program as its only child, as `nsenter --pid` does; the
    program's own process is the one that counts. Raises DidNotStart if there comes none.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*enter, "/bin/sh", "-c", GATE, "sh", *argv],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environ,
            start_new_session=True,
        )
    # Popen is told that it ended, or it would complain about a program that is meant to outlive us.
    child.returncode = 0
    assert child.stdin is not None
    try:
        pid = _only_child(child.pid, argv[0]) if enter else child.pid
        _children[pid] = child.pid
        process = Process.of(pid)
        record(process)
        child.stdin.write(b"go\n")
    finally:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
    return process


def children(pid: int) -> list[int]:
    """The process ids of its children. Linux only."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _only_child(pid: int, what: str) -> int:
    deadline = time.monotonic() + ENTER_TIMEOUT
    while not (found := children(pid)):
        if _start_time(pid) is None or time.monotonic() > deadline:
            raise DidNotStart(f"{what} could not be put where it belongs")
        time.sleep(0.005)
    return found[0]


def is_alive(process: Process) -> bool:
    """Whether this very process still runs (a zombie does not)."""
    _reap(process.pid)
    return bool(process.started) and _start_time(process.pid) == process.started


def _reap(pid: int) -> None:
    child = _children.get(pid)
    if child is None:
        return
    try:
        ended = os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:
        ended = True  # we are a fork of who started it
    if ended:
        _children.pop(pid, None)


def send(process: Process, number: signal.Signals) -> bool:
    """Whether it was sent: not if the process has ended or its id is now another's."""
    if not is_alive(process):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
        return True
    return False


def end(process: Process, patience: float) -> None:
    """SIGTERM, and after `patience` seconds SIGKILL. Returns when the process is gone."""
    if not send(process, signal.SIGTERM):
        return
    send(process, signal.SIGCONT)  # a paused process would never hear of it
    if not wait_for_end(process, patience):
        send(process, signal.SIGKILL)
        wait_for_end(process, 10)


def wait_for_end(process: Process, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _start_time(pid: int) -> str | None:
    """When the process started, as text that only has to be compared; None if it has ended."""
    if Path("/proc/self/stat").exists():
        return _start_time_linux(pid)
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def _start_time_linux(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold anything, so count from its end.
    fields = text.rpartition(")")[2].split()
    # The first thread may have ended while others still hold what the process had open.
    if fields[0] in "ZX" and int(fields[17]) <= 1:
        return None
    return f"{fields[19]}@{_boot()}"


def _boot() -> str:
    """Start times are counted from the boot, so the boot is part of them."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def resident_kib(process: Process) -> int | None:
    """Resident memory, for `status`; None where the system does not tell."""
    answer = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=False
    )
    text = answer.stdout.strip()
    return int(text) if text.isdigit() else None
