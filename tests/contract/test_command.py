"""Does `python -m supaplane_contract` write the definition, and see when it has drifted?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from supaplane_contract import __main__ as command
from supaplane_contract import schema


def test_the_file_in_the_repository_has_not_drifted(root: Path) -> None:
    assert command.main(["--check", "--path", str(root / "crds" / "supabaseprojects.yaml")]) == 0


def test_what_is_written_is_found_unchanged_and_is_the_definition(tmp_path: Path) -> None:
    path = tmp_path / "crd.yaml"
    assert command.main(["--write", "--path", str(path)]) == 0
    assert command.main(["--check", "--path", str(path)]) == 0
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == schema.crd()


@pytest.mark.parametrize("content", [None, "", "kind: CustomResourceDefinition\n"])
def test_drift_is_an_error_that_names_the_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    path = tmp_path / "crd.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert command.main(["--check", "--path", str(path)]) == 1
    assert "python -m supaplane_contract --write" in capsys.readouterr().err
    assert content is None or path.read_text(encoding="utf-8") == content


def test_without_an_option_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == schema.crd()


def test_the_text_is_formatted_for_people() -> None:
    text = command.render()
    assert text.startswith("# ")
    assert "&id" not in text
    assert "*id" not in text
    assert max(map(len, text.splitlines())) < 160
    assert len(text.encode()) < 256 * 1024


def test_two_processes_write_the_same(root: Path) -> None:
    def run(seed: str) -> str:
        argv = [sys.executable, "-m", "supaplane_contract"]
        environment = {"PYTHONHASHSEED": seed, "PATH": ""}
        return subprocess.run(
            argv, env=environment, cwd=root, capture_output=True, text=True, check=True
        ).stdout

    assert run("1") == run("2") == command.render()
