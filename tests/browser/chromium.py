"""Which Chromium do tests drive? This machine's; Debian's is installed where we may."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from supaplane_devcluster.build import cache_folder
from supaplane_devcluster.locks import folder_lock

VARIABLE = "SUPAPLANE_CHROMIUM"
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_PACKAGE = "chromium-headless-shell"
_SECONDS = 600


class NoChromium(RuntimeError):
    """There is none, and we cannot install it; the message says what to do."""


def find() -> Path:
    """The program. Raises NoChromium."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    with folder_lock(cache_folder() / "chromium", _SECONDS):
        found = _installed()
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            _install()
            found = _installed()
    if found is None:
        raise NoChromium(
            f"tests in a browser need one: install Debian's {_PACKAGE} or chromium, "
            f'name another Chromium with {VARIABLE}, or leave them out with -m "not browser"'
        )
    return found


def _installed() -> Path | None:
    for name in _NAMES:
        if path := shutil.which(name):
            return Path(path)
    return None


def _install() -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", _PACKAGE]):
        done = subprocess.run(
            ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise NoChromium(f"apt-get {command[0]} failed: {done.stderr.strip()[-1000:]}")
