"""The control plane is compiled once per content of its source."""

from __future__ import annotations

import io
import os
import subprocess
import threading
from pathlib import Path

import pytest

from supaplane_devcluster import CannotBuild, build, toolchain
from supaplane_devcluster.progress import Counter, text

GO_MOD = """module example

go 1.25.0

require (
\tk8s.io/kubernetes v1.35.4
)
"""

# Stands in for the compiler: counts how often it compiles, and takes long enough to be waited for.
FAKE_GO = """#!/bin/sh
case "$1" in
env) echo go1.99.1 ;;
build)
    echo . >>"{trace}"
    echo "go: downloading example v1" >&2
    echo "example/package" >&2
    sleep 0.3
    test -e "{fail}" && {{ echo "main.go:1: it is wrong" >&2; exit 1; }}
    while [ "$1" != -o ]; do shift; done
    echo '#!/bin/sh' >"$2" && chmod +x "$2"
    ;;
esac
"""


class Workshop:
    """A module and a cache of their own, and a compiler that only pretends."""

    def __init__(self, folder: Path) -> None:
        self.module = folder / "module"
        self.cache = folder / "cache"
        self.trace = folder / "trace"
        self.fail = folder / "fail"
        self.bin = folder / "bin"
        self.said: list[str] = []
        self.module.mkdir()
        self.bin.mkdir()
        (self.module / "go.mod").write_text(GO_MOD)
        (self.module / "go.sum").write_text("")
        (self.module / "main.go").write_text("package main")
        go = self.bin / "go"
        go.write_text(FAKE_GO.format(trace=self.trace, fail=self.fail))
        go.chmod(0o755)

    def ensure(self, with_node: bool = False) -> Path:
        return build.ensure(self.said.append, self.module, self.cache, with_node)

    @property
    def compiled(self) -> int:
        return self.trace.read_text().count(".") if self.trace.exists() else 0


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = Workshop(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:{os.environ['PATH']}")
    return made


def test_it_is_compiled_once_and_then_found(workshop: Workshop) -> None:
    first = workshop.ensure()
    assert first.exists()
    assert workshop.ensure() == first
    assert workshop.compiled == 1
    assert any("Kubernetes v1.35.4" in line for line in workshop.said)


def test_the_binary_is_also_kubectl(workshop: Workshop) -> None:
    binary = workshop.ensure()
    assert (binary.parent / "kubectl").resolve() == binary.resolve()


def test_changed_source_is_compiled_again_and_tests_are_not_source(workshop: Workshop) -> None:
    first = workshop.ensure()
    (workshop.module / "main_test.go").write_text("package main")
    assert workshop.ensure() == first
    (workshop.module / "inner").mkdir()
    (workshop.module / "inner" / "more.go").write_text("package inner")
    assert workshop.ensure() != first
    assert workshop.compiled == 2


def test_the_same_source_under_another_go_or_name_has_another_hash(workshop: Workshop) -> None:
    files = build.sources(workshop.module)
    assert build.source_hash(files, "1.26") == build.source_hash(files, "1.26")
    assert build.source_hash(files, "1.26") != build.source_hash(files, "1.27")
    before = build.source_hash(files, "1.26")
    (workshop.module / "main.go").rename(workshop.module / "other.go")
    assert build.source_hash(build.sources(workshop.module), "1.26") != before


def test_where_the_checkout_lies_does_not_matter(workshop: Workshop, tmp_path: Path) -> None:
    before = build.source_hash(build.sources(workshop.module), "1.26")
    moved = workshop.module.rename(tmp_path / "elsewhere")
    assert build.source_hash(build.sources(moved), "1.26") == before


def test_two_at_once_compile_once(workshop: Workshop) -> None:
    threads = [threading.Thread(target=workshop.ensure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert workshop.compiled == 1
    assert sum("waiting for it" in line for line in workshop.said) == 1


def test_only_the_newest_two_are_kept(workshop: Workshop) -> None:
    made = []
    for number in range(4):
        (workshop.module / "main.go").write_text(f"package main // {number}")
        made.append(workshop.ensure())
        os.utime(made[-1].parent, (number, number))
    assert [path.exists() for path in made] == [False, False, True, True]


def test_a_compile_that_fails_says_what_the_compiler_said_and_leaves_nothing(
    workshop: Workshop,
) -> None:
    workshop.fail.touch()
    with pytest.raises(CannotBuild, match="it is wrong"):
        workshop.ensure()
    workshop.fail.unlink()
    assert workshop.ensure().exists()


def test_without_any_go_one_line_says_what_to_install(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    failed = subprocess.CompletedProcess([], 1, "", "no index")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(CannotBuild, match=r"Go 1\.25\.0 or newer .* install it"):
        workshop.ensure()


def test_an_older_go_is_passed_over_for_the_one_in_the_cache(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "go").write_text("#!/bin/sh\necho go1.19.8\n")
    (old / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{old}:{os.environ['PATH']}")
    wheel = toolchain._wheel_folder(workshop.cache) / "bin"
    wheel.mkdir(parents=True)
    (workshop.bin / "go").rename(wheel / "go")
    assert toolchain.find(workshop.module, workshop.cache, print).path == wheel / "go"


@pytest.mark.parametrize(
    ("have", "want", "enough"),
    [
        ("1.26.8", "1.25.0", True),
        ("1.25.0", "1.25.0", True),
        ("1.9", "1.25.0", False),
        ("1.24.11", "1.25.0", False),
        ("1.26rc1", "1.26", True),
    ],
)
def test_versions_of_go_compare_by_number(have: str, want: str, enough: bool) -> None:
    assert (toolchain._numbers(have) >= toolchain._numbers(want)) is enough


def test_the_server_is_stamped_with_the_version_that_the_module_requires() -> None:
    flags = build.link_flags(build.kubernetes_version(GO_MOD))
    assert "component-base/version.gitVersion=v1.35.4" in flags
    assert "component-base/version.gitMinor=35" in flags


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(build.CACHE_VARIABLE, raising=False)
    assert build.cache_folder() == tmp_path / "supaplane"
    monkeypatch.setenv(build.CACHE_VARIABLE, str(tmp_path / "own"))
    assert build.cache_folder() == tmp_path / "own"


def test_progress_counts_modules_first_and_packages_then() -> None:
    assert text(0, 7, 3.2) == "     3 s  7 modules fetched"
    assert text(12, 7, 65.0) == "    65 s  12 packages compiled"


def test_progress_hands_back_the_last_lines() -> None:
    lines = [f"package-{n}\n" for n in range(100)]
    last = Counter(io.StringIO(), print).follow(lines)
    assert last[-1] == "package-99"
    assert len(last) == 20


def test_the_module_of_this_checkout_is_where_it_is_looked_for() -> None:
    assert (build.MODULE / "go.mod").exists()
    assert build.kubernetes_version((build.MODULE / "go.mod").read_text()).startswith("v1.")


def test_what_only_a_node_is_made_of_compiles_nothing_for_those_who_simulate(
    workshop: Workshop,
) -> None:
    plain, node = workshop.ensure(), workshop.ensure(with_node=True)
    (workshop.module / "node.go").write_text("//go:build realnode\n\npackage main\n")
    assert workshop.ensure() == plain
    assert workshop.ensure(with_node=True) != node
    assert workshop.compiled == 3
