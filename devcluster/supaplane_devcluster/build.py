"""Compiles the control plane once per content of its source, into a cache for all clusters."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from . import toolchain
from .errors import CannotBuild
from .locks import folder_lock
from .progress import Counter
from .toolchain import Go

Say = Callable[[str], None]

CACHE_VARIABLE = "SUPAPLANE_CACHE"
MODULE = Path(__file__).resolve().parent.parent / "controlplane"
BINARY = "controlplane"
# What makes a machine a node is compiled in by this tag; who simulates nodes does not wait for it.
NODE_TAG = "realnode"
KEPT = 2
# A cold compile takes minutes; a second command waits for it instead of starting another.
BUILD_TIMEOUT = 3600.0


def cache_folder() -> Path:
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "supaplane"


def ensure(
    say: Say, module: Path = MODULE, cache: Path | None = None, with_node: bool = False
) -> Path:
    """The compiled binary for this very source; compiles it if there is none.

    `with_node`: it can also be a kubelet and a kube-proxy.
    """
    cache = cache or cache_folder()
    go = toolchain.find(module, cache, say)
    kept = cache / (f"{BINARY}-{NODE_TAG}" if with_node else BINARY)
    folder = kept / source_hash(sources(module, with_node), go.version)
    binary = folder / BINARY
    if not binary.exists():
        with folder_lock(kept, BUILD_TIMEOUT, _once(say)):
            if not binary.exists():
                _compile(go, module, binary, say, (NODE_TAG,) if with_node else ())
                prune(kept, keep=folder)
    folder.touch()
    return binary


def sources(module: Path, with_node: bool = False) -> list[Path]:
    """The files that decide what comes out; tests do not, nor does what only a node is made of."""
    found = [*module.rglob("*.go"), module / "go.mod", module / "go.sum"]
    return sorted(
        path
        for path in found
        if not path.name.endswith("_test.go") and (with_node or not _is_of_node(path))
    )


def _is_of_node(path: Path) -> bool:
    return path.suffix == ".go" and path.read_text("utf-8").startswith(f"//go:build {NODE_TAG}\n")


def source_hash(files: Iterable[Path], go_version: str) -> str:
    digest = hashlib.sha256(f"{go_version} {platform.system()} {platform.machine()}\n".encode())
    files = list(files)
    root = Path(os.path.commonpath([file.parent for file in files]))
    for file in files:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:16]


def kubernetes_version(go_mod: str) -> str:
    """The release that the module requires, as in `v1.35.4`."""
    for line in go_mod.splitlines():
        words = line.split()
        if words[:1] == ["k8s.io/kubernetes"]:
            return words[1]
    raise CannotBuild("go.mod does not require k8s.io/kubernetes")


def link_flags(version: str) -> str:
    """Without a stamp the server calls itself v0.0.0 and decides wrongly about version gates."""
    major, minor, _ = version.removeprefix("v").split(".", 2)
    base = "k8s.io/component-base/version"
    stamps = {
        f"{base}.gitVersion": version,
        f"{base}.gitMajor": major,
        f"{base}.gitMinor": minor,
        "k8s.io/client-go/pkg/version.gitVersion": version,
    }
    return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in stamps.items())])


def prune(folder: Path, keep: Path) -> None:
    """Each is 170 MB; the newest few are enough for switching between branches."""
    others = [path for path in folder.iterdir() if path.is_dir() and path != keep]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def _compile(go: Go, module: Path, binary: Path, say: Say, tags: Sequence[str]) -> None:
    version = kubernetes_version((module / "go.mod").read_text(encoding="utf-8"))
    say(f"Compiling Kubernetes {version} with Go {go.version}; the first time takes some minutes.")
    unfinished = binary.parent.with_name(f"{binary.parent.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    started = time.monotonic()
    argv = [str(go.path), "build", "-v", "-trimpath", "-ldflags", link_flags(version)]
    argv += ["-tags", ",".join(tags)]
    _run([*argv, "-o", str(unfinished / BINARY), "."], module, say)
    # A link of that name is kubectl: the binary looks at how it was called.
    (unfinished / "kubectl").symlink_to(BINARY)
    unfinished.replace(binary.parent)
    say(f"Compiled in {time.monotonic() - started:.0f} s.")


def _run(argv: list[str], module: Path, say: Say) -> None:
    environment = os.environ | {
        "GOTOOLCHAIN": "local",
        # A workspace around this checkout is none of the module's business.
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    with subprocess.Popen(
        argv, cwd=module, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        try:
            last = Counter(sys.stderr, say).follow(process.stderr)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise CannotBuild("go build failed:\n" + "\n".join(last))


def _once(say: Say) -> Callable[[], None]:
    said: list[bool] = []

    def waiting() -> None:
        if not said:
            said.append(True)
            say("Another command is compiling the control plane; waiting for it.")

    return waiting
