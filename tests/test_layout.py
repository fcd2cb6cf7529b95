"""The layout keeps its promises: rooms are folders, and the standard library stays itself."""

from __future__ import annotations

import operator
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOMS = ("operator", "api", "crds", "devcluster", "tests")


def test_the_standard_operator_module_is_not_shadowed() -> None:
    assert operator.__file__ is not None
    assert Path(operator.__file__).is_relative_to(sysconfig.get_path("stdlib"))


@pytest.mark.parametrize("room", [r for r in ROOMS if r != "tests"])
def test_a_room_is_a_folder_and_no_package(root: Path, room: str) -> None:
    assert not list((root / room).glob("*.py"))


def test_every_page_that_the_documents_link_to_exists(root: Path) -> None:
    broken = []
    for page in [root / "README.md", *(root / "docs").rglob("*.md"), *root.glob("*/README.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(root)} -> {target}")
    assert not broken


def test_make_alone_prints_the_map_of_targets(root: Path) -> None:
    answer = subprocess.run(["make"], cwd=root, capture_output=True, text=True, check=True)
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert targets == set(re.findall(r"^  make ([a-z-]+) ", answer.stdout, re.MULTILINE))


def test_the_lock_file_names_every_dependency_with_hashes_and_no_host(root: Path) -> None:
    lock = (root / "requirements.lock").read_text()
    pins = re.findall(r"^[a-z0-9._-]+(?:\[[a-z,-]+\])?==\S+", lock, re.MULTILINE | re.IGNORECASE)
    assert len(pins) > 50
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock
