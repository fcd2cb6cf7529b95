"""`make demo` as a person runs it: from nothing to ACTIVE_HEALTHY, again, and down."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.cluster


def demo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "supaplane_demo", *arguments],
        env={**os.environ, "SUPAPLANE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def get(facts: dict[str, Any], path: str, token: str) -> Any:
    request = urllib.request.Request(
        facts["api_url"] + path, headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def sign_in(facts: dict[str, Any]) -> str:
    body = json.dumps({"email": facts["email"], "password": facts["password"]}).encode()
    request = urllib.request.Request(
        facts["api_url"] + "/auth/token?grant_type=password",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(json.load(answer)["access_token"])


def runs(pid: int) -> bool:
    """Not when it ended and nobody has asked for its exit code yet, as some containers' init."""
    asked = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not asked.stdout.strip().startswith(("Z", "X")) and asked.returncode == 0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "demo"
    yield folder
    demo(folder, "down", "--delete-data")


def test_one_command_makes_a_platform_and_a_project_and_a_second_one_continues(home: Path) -> None:
    first = demo(home, "up", "--cluster", "devcluster")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "ACTIVE_HEALTHY" in first.stdout
    assert "\033" not in first.stdout

    file = home / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    facts = json.loads(file.read_text())
    wanted = {"api_url", "email", "password", "organization_slug", "project_ref", "kubeconfig"}
    assert wanted | {"database_url", "processes"} <= facts.keys()
    for process in facts["processes"].values():
        os.kill(process["pid"], 0)
        assert Path(process["log"]).exists()

    status = get(facts, f"/projects/{facts['project_ref']}/status", sign_in(facts))
    assert status == {"status": "ACTIVE_HEALTHY"}

    again = demo(home, "up")
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads(file.read_text()) == facts
    assert demo(home, "status").returncode == 0

    stopped = demo(home, "down")
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert not [p for p in facts["processes"].values() if runs(p["pid"])]
    assert demo(home, "status").returncode == 1

    third = demo(home, "up")
    assert third.returncode == 0, third.stdout + third.stderr
    resumed = json.loads(file.read_text())
    assert resumed["project_ref"] == facts["project_ref"], "the project outlives `down`"


def test_once_leaves_nothing_behind(home: Path) -> None:
    once = demo(home, "up", "--once", "--cluster", "devcluster")
    assert once.returncode == 0, once.stdout + once.stderr
    assert "ACTIVE_HEALTHY" in once.stdout
    left = [p for p in home.rglob("*") if p.is_file() and "bin" not in p.parts]
    assert left == []
