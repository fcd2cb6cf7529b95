"""Images of Dockerfiles, built without a daemon and without a registry: by Debian's buildah, over a
Debian that debootstrap makes from the packages of this machine's mirror.

    built(Dockerfile("operator/Dockerfile", "supaplane/operator:0.1.0", lock, copied), checkout)

Python packages come beforehand, by pip and by their hashes, into the folder `wheels`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from supaplane_devcluster import build, debian
from supaplane_devcluster.errors import CannotBuild
from supaplane_devcluster.locks import folder_lock

from .sources import Say

PROGRAMS = (
    "buildah", "debootstrap", "golang-github-containers-common",
    "golang-github-containers-image", "libgpgme11", "libsubid4",
)  # fmt: skip
IN_BASE = ("ca-certificates", "python3", "python3-venv")
"""Debian packages of the base, beyond the least."""
BASE = "localhost/debian-python:1"

_LEFT_OUT = ("./var/cache/apt", "./var/lib/apt/lists", "./var/log", "./usr/share/doc",
             "./usr/share/man", "./usr/share/locale")  # fmt: skip
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any")
_TIMEOUT = 900.0
_KEPT = 2


@dataclass(frozen=True)
class Dockerfile:
    """What is built. Paths are relative to the context."""

    path: str
    reference: str
    """What the image is called, as in `supaplane/operator:0.1.0`."""
    lock: str
    """Requirements with hashes."""
    copied: tuple[str, ...]
    """Files and folders that the context holds, the Dockerfile and the lock besides."""

    def files(self, context: Path) -> Iterator[Path]:
        """All files of the context, in a fixed order, without what Python compiled."""
        for name in sorted({self.path, self.lock, *self.copied}):
            path = context / name
            found = sorted(path.rglob("*")) if path.is_dir() else [path]
            yield from (f for f in found if f.is_file() and "__pycache__" not in f.parts)

    def identity(self, context: Path) -> str:
        """Changes with whatever goes into the image."""
        digest = hashlib.sha256(f"{self.reference} {IN_BASE}".encode())
        digest.update(Path(__file__).read_bytes())
        for file in self.files(context):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(context)} {content}\n".encode())
        return digest.hexdigest()[:16]


def built(what: Dockerfile, context: Path, say: Say, cache: Path | None = None) -> Path:
    """The image as a docker-archive; built if it is not in the cache. Raises CannotBuild."""
    cache = cache or build.cache_folder()
    folder = cache / "dockerfiles"
    name = what.reference.replace("/", "-").replace(":", "-")
    path = folder / f"{name}-{what.identity(context)}.tar"
    if path.exists():
        return path
    if os.geteuid():
        raise CannotBuild("building a Dockerfile without a daemon needs root")
    with folder_lock(folder, build.BUILD_TIMEOUT):
        if not path.exists():
            say(f"Building {what.path}.")
            _build(what, context, path, cache, say)
            _drop_old(path, name)
    return path


def _build(what: Dockerfile, context: Path, path: Path, cache: Path, say: Say) -> None:
    programs = debian.unpacked(PROGRAMS, cache, say)
    base = _base(programs, cache, say)
    wheels = _wheels(context / what.lock, _python_of(base), cache, say)
    with tempfile.TemporaryDirectory(prefix="supaplane-buildah-", dir=path.parent) as name:
        work = Path(name)
        staged = work / "context"
        for file in what.files(context):
            target = staged / file.relative_to(context)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        shutil.copytree(wheels, staged / "wheels")
        buildah = _buildah(programs, work)
        buildah("bud", *_ISOLATED, "--tag", BASE, str(base))
        arguments = ("--build-arg", f"BASE={BASE}", "--build-arg", "PIP_NO_INDEX=1")
        result = ("--tag", what.reference, "--file", str(staged / what.path))
        buildah("bud", *_ISOLATED, *arguments, *result, str(staged))
        archive = work / "image.tar"
        buildah("push", what.reference, f"docker-archive:{archive}:docker.io/{what.reference}")
        archive.replace(path)


_ISOLATED = ("--isolation", "chroot", "--pull-never", "--layers=false")


def _buildah(programs: Path, work: Path) -> Callable[..., None]:
    """buildah with storage of its own. It finds its libraries in a mount namespace of its own, as
    the process that it starts anew inside keeps no environment."""
    (work / "registries.conf").touch()
    policy = work / "policy.json"
    policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    script = 'mount -t overlay overlay -o "lowerdir=$1:$2" "$2" && shift 2 && exec "$@"'
    inside = ("unshare", "--mount", "sh", "-c", script, "buildah")
    libraries = (str(programs / _LIBRARIES), f"/{_LIBRARIES}")
    storage = ("--storage-driver", "vfs", "--root", f"{work}/root", "--runroot", f"{work}/run")
    environment = os.environ | {"CONTAINERS_REGISTRIES_CONF": str(work / "registries.conf")}

    def run(command: str, *arguments: str) -> None:
        signatures = ("--signature-policy", str(policy))
        program = (str(programs / "usr/bin/buildah"), *storage, command, *signatures)
        _run([*inside, *libraries, *program, *arguments], environment)

    return run


def _base(programs: Path, cache: Path, say: Say) -> Path:
    """A context whose Dockerfile adds a Debian with Python to nothing."""
    mirror, codename = debian.mirror(cache)
    folder = cache / "debian" / f"base-{codename}-{debian.identity(IN_BASE)}"
    if folder.exists():
        return folder
    with folder_lock(cache / "debian", build.BUILD_TIMEOUT):
        if folder.exists():
            return folder
        say(f"Making a Debian {codename} to build upon.")
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        root = unfinished / "root"
        root.mkdir(parents=True)
        environment = os.environ | {
            "DEBOOTSTRAP_DIR": str(programs / "usr/share/debootstrap"),
            "LC_ALL": "C.UTF-8",
        }
        script = str(programs / "usr/sbin/debootstrap")
        included = f"--include={','.join(IN_BASE)}"
        _run(
            # what it mounts ends with the namespace
            ["unshare", "--mount", script, "--variant=minbase", included, codename, str(root),
             mirror],
            environment,
        )  # fmt: skip
        excluded = [f"--exclude={path}/*" for path in _LEFT_OUT]
        archive = str(unfinished / "root.tar")
        _run(["tar", "-C", str(root), *excluded, "-cf", archive, "."], environment)
        python = next(p.name for p in sorted((root / "usr/bin").glob("python3.*")) if p.is_file())
        (unfinished / "python").write_text(python.removeprefix("python"))
        shutil.rmtree(root)
        (unfinished / "Dockerfile").write_text("FROM scratch\nADD root.tar /\n")
        (unfinished / ".dockerignore").write_text("*\n!root.tar\n")
        unfinished.replace(folder)
    return folder


def _python_of(base: Path) -> str:
    return (base / "python").read_text().strip()


def _wheels(lock: Path, python: str, cache: Path, say: Say) -> Path:
    """The wheels of a lock for this version of Python, as in `3.11`."""
    digest = hashlib.sha256(f"{python} {lock.read_text()}".encode()).hexdigest()[:16]
    folder = cache / "wheels" / digest
    if not folder.exists():
        with folder_lock(cache / "wheels", build.BUILD_TIMEOUT):
            if not folder.exists():
                say(f"Fetching the wheels of {lock.parent.name}.")
                unfinished = folder.with_name(f"{digest}.unfinished")
                platforms = [f"--platform={name}" for name in _PLATFORMS]
                _run(
                    [
                        *(sys.executable, "-m", "pip", "download", "--quiet"),
                        *("--disable-pip-version-check", "--require-hashes", "--no-deps"),
                        *("--only-binary", ":all:", "--python-version", python, *platforms),
                        *("--dest", str(unfinished), "--requirement", str(lock)),
                    ],
                    os.environ,
                )
                unfinished.replace(folder)
    return folder


def _run(argv: Sequence[str], environment: Mapping[str, str]) -> None:
    answer = subprocess.run(
        argv,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_TIMEOUT,
    )
    if answer.returncode:
        raise CannotBuild(f"{' '.join(argv[:6])} … failed:\n{answer.stdout.strip()[-1200:]}")


def _drop_old(path: Path, name: str) -> None:
    """The newest few stay."""
    images = sorted(path.parent.glob(f"{name}-*.tar"), key=lambda p: p.stat().st_mtime)
    for old in images[:-_KEPT]:
        old.unlink(missing_ok=True)
