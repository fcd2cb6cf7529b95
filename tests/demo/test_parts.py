"""The demo's parts: what it writes down, what it shows, which processes it keeps."""

from __future__ import annotations

import io
import stat
import time
from pathlib import Path

import pytest

from supaplane_demo.__main__ import parser
from supaplane_demo.home import Home, read_json, write_json
from supaplane_demo.processes import Processes, log_tail
from supaplane_demo.screen import Screen, progress_line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.find({"SUPAPLANE_HOME": str(tmp_path / "home")})


def test_what_scripts_read_is_for_its_owner_only(home: Home) -> None:
    write_json(home.demo_file, {"password": "x"})
    assert stat.S_IMODE(home.demo_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    assert read_json(home.demo_file) == {"password": "x"}


def test_half_a_file_counts_as_none(home: Home) -> None:
    home.demo_file.write_text('{"password": ')
    assert read_json(home.demo_file) == {}


def test_without_a_terminal_the_same_progress_is_printed_once() -> None:
    out = io.StringIO()
    screen = Screen(out=out)
    screen.step("project")
    for _ in range(3):
        screen.live("COMING_UP")
    screen.done("ready")
    text = out.getvalue()
    assert text.count("COMING_UP") == 1
    assert "\033" not in text
    assert "\r" not in text


def test_on_a_terminal_progress_is_written_over() -> None:
    out = Terminal()
    screen = Screen(out=out)
    screen.step("project")
    screen.live("COMING_UP")
    assert "\r" in out.getvalue()


def test_progress_names_the_phase_and_every_component() -> None:
    line = progress_line("COMING_UP", [("db", "Ready"), ("auth", "Starting")])
    assert line.split() == ["COMING_UP", "●", "db", "◐", "auth"]


def test_a_process_with_the_same_inputs_is_kept_and_with_others_started_anew(home: Home) -> None:
    processes = Processes(home.processes_file, home.logs)
    serve = ["http.server", "--bind", "127.0.0.1", "0"]
    try:
        first = processes.ensure("web", serve, {}, "a")
        assert first.alive
        assert processes.ensure("web", serve, {}, "a").pid == first.pid
        second = processes.ensure("web", serve, {}, "b")
        assert second.pid != first.pid
        assert second.alive
        assert not first.alive
    finally:
        assert processes.stop("web")
    assert not second.alive
    assert processes.known() == {}
    assert not home.processes_file.exists()


def test_a_process_that_ended_by_itself_is_known_as_dead_and_its_last_words_are_kept(
    home: Home,
) -> None:
    processes = Processes(home.processes_file, home.logs)
    process = processes.ensure("bad", ["no_such_module_here"], {}, "a")
    deadline = time.monotonic() + 20
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not process.alive
    assert "no_such_module_here" in log_tail(process)
    assert processes.stop("bad") is False


@pytest.mark.parametrize("line", [["up", "--once"], ["down", "--delete-data"], ["status"]])
def test_the_command_line_is_understood(line: list[str]) -> None:
    assert parser().parse_args(line).verb == line[0]
