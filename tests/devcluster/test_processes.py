"""Programs are started, recognised and ended by one process id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supaplane_devcluster import DidNotStart, processes
from supaplane_devcluster.processes import Process

SLEEP = ["sleep", "600"]


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Process]:
    def run(argv: list[str], **keywords: Any) -> Process:
        keywords.setdefault("record", lambda _: None)
        process = processes.start(argv, tmp_path / "log", tmp_path, **keywords)
        request.addfinalizer(lambda: processes.end(process, 0))
        return process

    return run


def test_a_program_is_recorded_before_it_does_anything(
    start: Callable[..., Process], tmp_path: Path, eventually: Any
) -> None:
    trace = tmp_path / "trace"
    seen: list[bool] = []

    def record(_: Process) -> None:
        time.sleep(0.1)
        seen.append(trace.exists())

    start(["touch", str(trace)], record=record)
    eventually(trace.exists)
    assert seen == [False]


# Runs the rest as its only child and waits for it, as `nsenter --pid` does.
ENTER = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux")
def test_of_a_program_that_is_put_somewhere_its_own_process_counts(
    start: Callable[..., Process],
) -> None:
    process = start(SLEEP, enter=ENTER)
    (parent,) = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if process.pid in processes.children(int(path.name))
    ]
    assert processes.is_alive(process)
    processes.end(process, 5)
    assert not processes.is_alive(process)
    assert process.pid != parent


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux")
def test_a_program_that_cannot_be_put_where_it_belongs_did_not_start(
    start: Callable[..., Process],
) -> None:
    recorded: list[Process] = []
    with pytest.raises(DidNotStart, match="sleep could not be put"):
        start(SLEEP, enter=["false"], record=recorded.append)
    assert recorded == []


def test_a_program_never_runs_if_its_starter_dies_before_recording_it(
    tmp_path: Path, eventually: Any
) -> None:
    starter = f"""
import os, signal
from pathlib import Path
from supaplane_devcluster import DidNotStart, processes
def record(process):
    Path("pid").write_text(str(process.pid))
    os.kill(os.getpid(), signal.SIGKILL)
processes.start(["touch", "ran"], Path("log"), Path({str(tmp_path)!r}), record)
"""
    ended = subprocess.run([sys.executable, "-c", starter], cwd=tmp_path, check=False)
    assert ended.returncode == -signal.SIGKILL
    pid = int((tmp_path / "pid").read_text())
    eventually(lambda: not Path(f"/proc/{pid}").exists() or "Z" in stat_of(pid))
    assert not (tmp_path / "ran").exists()


def stat_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_process_id_that_was_given_away_is_never_signalled(
    start: Callable[..., Process],
) -> None:
    real = start(SLEEP)
    stale = Process(real.pid, "1@another-boot")
    assert not processes.is_alive(stale)
    assert not processes.send(stale, signal.SIGKILL)
    processes.end(stale, 1)
    assert processes.is_alive(real)


def test_a_process_without_a_start_time_is_nobody(start: Callable[..., Process]) -> None:
    assert not processes.is_alive(Process(start(SLEEP).pid, ""))


def test_a_zombie_is_not_alive(tmp_path: Path, eventually: Any) -> None:
    with subprocess.Popen(["true"]) as child:
        eventually(lambda: stat_of(child.pid) == "Z")
        assert not processes.is_alive(Process(child.pid, "anything"))


def test_end_is_gentle_first(start: Callable[..., Process], tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    process = start(["sh", "-c", script])
    while "up" not in (tmp_path / "log").read_text():
        time.sleep(0.01)
    processes.end(process, 10)
    assert "bye" in (tmp_path / "log").read_text()
    assert not processes.is_alive(process)


def test_end_does_not_wait_for_ever(start: Callable[..., Process], tmp_path: Path) -> None:
    process = start(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.02; done"])
    while "up" not in (tmp_path / "log").read_text():
        time.sleep(0.01)
    processes.end(process, 0.2)
    assert not processes.is_alive(process)


def test_a_paused_process_can_be_ended(start: Callable[..., Process]) -> None:
    process = start(SLEEP)
    assert processes.send(process, signal.SIGSTOP)
    processes.end(process, 5)
    assert not processes.is_alive(process)


def test_a_program_survives_who_started_it(tmp_path: Path) -> None:
    starter = f"""
from pathlib import Path
from supaplane_devcluster import DidNotStart, processes
folder = Path({str(tmp_path)!r})
def record(process):
    (folder / "p").write_text(f"{{process.pid}} {{process.started}}")
processes.start(["sleep", "600"], folder / "log", folder, record)
"""
    subprocess.run([sys.executable, "-c", starter], check=True)
    pid, started = (tmp_path / "p").read_text().split()
    process = Process(int(pid), started)
    assert processes.is_alive(process)
    assert os.getsid(process.pid) == process.pid
    processes.end(process, 5)


def test_secrets_go_by_the_environment(start: Callable[..., Process], tmp_path: Path) -> None:
    process = start(["sh", "-c", "echo $SECRET"], environ={"SECRET": "told", "PATH": os.defpath})
    processes.wait_for_end(process, 10)
    assert (tmp_path / "log").read_text() == "told\n"


# The first thread ends by itself; another keeps a file locked until it ends too.
THREADS = """
import ctypes, fcntl, sys, threading, time
held = open(sys.argv[1], "w")
fcntl.flock(held, fcntl.LOCK_EX)
threading.Thread(target=time.sleep, args=(600,)).start()
held.write("held"), held.flush()
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are looked at in /proc")
def test_a_program_has_ended_when_its_last_thread_has(
    start: Callable[..., Process], tmp_path: Path, eventually: Any
) -> None:
    held = tmp_path / "held"
    process = start([sys.executable, "-c", THREADS, str(held)], enter=ENTER)
    eventually(lambda: held.exists() and held.read_text() == "held")
    state = Path(f"/proc/{process.pid}/stat")
    eventually(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z")
    assert processes.is_alive(process)
    processes.send(process, signal.SIGKILL)
    assert processes.wait_for_end(process, 30)
