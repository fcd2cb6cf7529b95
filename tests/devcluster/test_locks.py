"""One command at a time changes a cluster."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from supaplane_devcluster import DevclusterError
from supaplane_devcluster.locks import folder_lock


def test_a_second_holder_waits_and_then_gives_up_in_words(tmp_path: Path) -> None:
    waited: list[None] = []
    with (
        folder_lock(tmp_path / "c", 5),
        pytest.raises(DevclusterError, match="too long"),
        folder_lock(tmp_path / "c", 0.2, lambda: waited.append(None)),
    ):
        raise AssertionError("both hold it")
    assert waited


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    holder = f"""
import os, signal
from pathlib import Path
from supaplane_devcluster.locks import folder_lock
with folder_lock(Path({str(tmp_path / "c")!r}), 5):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", holder], check=False)
    with folder_lock(tmp_path / "c", 1):
        pass


def test_a_folder_that_was_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with folder_lock(folder, 5):
        shutil.rmtree(folder)
        with folder_lock(folder, 1):
            assert folder.is_dir()


def test_two_processes_never_hold_it_at_once(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    worker = f"""
from pathlib import Path
from supaplane_devcluster.locks import folder_lock
folder = Path({str(tmp_path)!r})
for _ in range(20):
    with folder_lock(folder, 60):
        counter = folder / "counter"
        counter.write_text(str(int(counter.read_text()) + 1))
"""
    workers = [subprocess.Popen([sys.executable, "-c", worker]) for _ in range(2)]
    assert [w.wait(60) for w in workers] == [0, 0]
    assert (tmp_path / "counter").read_text() == "40"
