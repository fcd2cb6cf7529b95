"""Where are the programs that tests want beside Kubernetes? Compiled once, into the same cache.

`python -m supaplane_devcluster.tools helm` compiles Helm if need be and prints its path.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import build, toolchain
from .build import Say
from .errors import CannotBuild, DevclusterError
from .locks import folder_lock
from .progress import Counter
from .toolchain import Go


@dataclass(frozen=True)
class Tool:
    """A Go program, as `go install PACKAGE@VERSION` makes it; the checksum database vouches."""

    name: str
    package: str
    version: str
    stamps: tuple[str, ...] = ()
    """Variables that are set when it is linked, as in `package.variable=value`."""


def helm(kubernetes: str) -> Tool:
    """Helm that takes itself to be on this Kubernetes, as in `v1.35.4`: without, on 1.20."""
    major, minor, _ = kubernetes.removeprefix("v").split(".", 2)
    version = "v3.22.0"
    stamps = [f"helm.sh/helm/v3/internal/version.version={version}"]
    for package in ("chartutil", "lint/rules"):
        stamps += [
            f"helm.sh/helm/v3/pkg/{package}.k8sVersionMajor={major}",
            f"helm.sh/helm/v3/pkg/{package}.k8sVersionMinor={minor}",
        ]
    return Tool("helm", "helm.sh/helm/v3/cmd/helm", version, tuple(stamps))


def known() -> dict[str, Tool]:
    """Every tool, by name."""
    go_mod = (build.MODULE / "go.mod").read_text(encoding="utf-8")
    return {"helm": helm(build.kubernetes_version(go_mod))}


def ensure(name: str, say: Say, cache: Path | None = None) -> Path:
    """The compiled tool; compiles it if it is not there. Raises CannotBuild."""
    tool = known()[name]
    cache = cache or build.cache_folder()
    go = toolchain.find(build.MODULE, cache, say)
    folder = cache / "tools" / folder_name(tool, go.version)
    binary = folder / tool.name
    if not binary.exists():
        with folder_lock(cache / "tools", build.BUILD_TIMEOUT):
            if not binary.exists():
                _compile(go, tool, folder, say)
                _drop_others(folder, tool)
    return binary


def folder_name(tool: Tool, go_version: str) -> str:
    """Says what is in it: a change of tool, stamps or Go compiles anew."""
    text = f"{tool} {go_version}"
    return f"{tool.name}-{tool.version}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _compile(go: Go, tool: Tool, folder: Path, say: Say) -> None:
    say(f"Compiling {tool.name} {tool.version}; the first time takes a few minutes.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    started = time.monotonic()
    flags = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in tool.stamps)])
    argv = [str(go.path), "install", "-v", "-trimpath", "-ldflags", flags]
    _run([*argv, f"{tool.package}@{tool.version}"], unfinished, say)
    unfinished.replace(folder)
    say(f"Compiled in {time.monotonic() - started:.0f} s.")


def _run(argv: Sequence[str], target: Path, say: Say) -> None:
    environment = os.environ | {
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOBIN": str(target),
    }
    with subprocess.Popen(
        argv, cwd=target, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        try:
            last = Counter(sys.stderr, say).follow(process.stderr)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise CannotBuild("go install failed:\n" + "\n".join(last))


def _drop_others(keep: Path, tool: Tool) -> None:
    for path in keep.parent.glob(f"{tool.name}-*"):
        if path != keep:
            shutil.rmtree(path, ignore_errors=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints where a tool is."""
    parser = argparse.ArgumentParser(prog="supaplane_devcluster.tools", description=__doc__)
    parser.add_argument("tool", choices=sorted(known()))
    arguments = parser.parse_args(argv)
    try:
        print(ensure(arguments.tool, lambda line: print(line, file=sys.stderr, flush=True)))
    except DevclusterError as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
