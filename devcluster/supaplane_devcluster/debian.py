"""Programs of the machine's Debian, unpacked into the cache: nothing on the machine changes.

The packages that are named come, and not those that they depend on: whoever uses a program finds
the libraries of the machine, and says which further packages it needs.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from . import build
from .errors import CannotBuild
from .locks import folder_lock

Say = Callable[[str], None]

_RELEASE = Path("/etc/os-release")
_TIMEOUT = 600.0


def unpacked(packages: Sequence[str], cache: Path, say: Say) -> Path:
    """A folder laid out as the root of a system, with these packages in it. Raises CannotBuild."""
    folder = cache / "debian" / identity(packages)
    if not folder.exists():
        with folder_lock(cache / "debian", build.BUILD_TIMEOUT):
            if not folder.exists():
                say(f"Fetching {len(packages)} Debian packages with apt: {', '.join(packages)}.")
                _make(folder, packages, cache / "debian")
    return folder


def mirror(cache: Path) -> tuple[str, str]:
    """Where this machine's packages come from, and its release, as in `bookworm`. Raises
    CannotBuild."""
    own = cache / "debian" / "apt"
    for options in ([], _own_lists(own)):
        if options:
            _run(["apt-get", "--quiet=2", *options, "update"], cache)
        argv = ["apt-get", *options, "indextargets", "--format", "$(SITE) $(CODENAME)"]
        answer = _run([*argv, "Created-By: Packages"], cache)
        for line in answer.splitlines():
            site, _, codename = line.partition(" ")
            if codename.isalpha():
                return site, codename
    raise CannotBuild("apt-get on this machine knows of no Debian mirror")


def identity(packages: Sequence[str], release: Path = _RELEASE) -> str:
    """Changes with the packages and with the release of Debian, not with its security updates."""
    lines = release.read_text(encoding="utf-8").splitlines() if release.exists() else []
    which = [line for line in lines if line.startswith(("ID=", "VERSION_ID="))]
    text = " ".join([*sorted(packages), *sorted(which), platform.machine()])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _make(folder: Path, packages: Sequence[str], work: Path) -> None:
    if not shutil.which("apt-get"):
        raise CannotBuild("this needs programs out of Debian packages, and here is no apt-get")
    unfinished = work / f"{folder.name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    downloads = unfinished / "packages"
    downloads.mkdir(parents=True)
    root = unfinished / "root"
    _download(packages, downloads, work / "apt")
    for package in sorted(downloads.glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(package), str(root)], downloads)
    root.replace(folder)
    shutil.rmtree(unfinished, ignore_errors=True)


def _download(packages: Sequence[str], target: Path, own: Path) -> None:
    """By the machine's lists of packages; where it has none, by lists of our own."""
    command = ["apt-get", "--quiet=2", "-o", "APT::Sandbox::User=root"]
    try:
        _run([*command, "download", *packages], target)
    except CannotBuild:
        command += _own_lists(own)
        _run([*command, "update"], target)
        _run([*command, "download", *packages], target)


def _own_lists(own: Path) -> list[str]:
    for name in ("lists/partial", "cache/archives/partial"):
        (own / name).mkdir(parents=True, exist_ok=True)
    return ["-o", f"Dir::State::lists={own}/lists", "-o", f"Dir::Cache={own}/cache"]


def _run(argv: Sequence[str], folder: Path) -> str:
    answer = subprocess.run(
        argv,
        cwd=folder,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    if answer.returncode:
        raise CannotBuild(f"{argv[0]} failed: {answer.stderr.strip()[-400:]}")
    return answer.stdout
