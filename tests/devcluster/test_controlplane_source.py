"""The Go source: formatted, vetted, tested."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from supaplane_devcluster import build, toolchain

# With the flags of the build, so that what was compiled for the binary is not compiled again.
FLAGS = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -trimpath", "CGO_ENABLED": "0"}


def go(*words: str) -> subprocess.CompletedProcess[str]:
    found = toolchain.find(build.MODULE, build.cache_folder(), print)
    program = found.path.parent / words[0] if words[0] == "gofmt" else found.path
    arguments = words[1:] if words[0] == "gofmt" else words
    return subprocess.run(
        [str(program), *arguments],
        cwd=build.MODULE,
        env=os.environ | FLAGS | {"GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.cluster
def test_the_source_is_formatted() -> None:
    answer = go("gofmt", "-l", ".")
    assert (answer.returncode, answer.stdout) == (0, ""), answer.stderr


@pytest.mark.cluster
@pytest.mark.timeout(1500)
def test_the_simulated_nodes_pass_their_own_tests() -> None:
    answer = go("test", "./...")
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.cluster
@pytest.mark.timeout(1500)
def test_vet_finds_nothing() -> None:
    answer = go("vet", "./...")
    assert answer.returncode == 0, answer.stderr


def test_no_file_is_long() -> None:
    files = [*build.MODULE.rglob("*.go"), *Path(build.__file__).parent.rglob("*.py")]
    assert [f.name for f in files if len(f.read_text().splitlines()) > 300] == []
