"""Helm is compiled once, for this Kubernetes, and found again."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from supaplane_devcluster import build, tools
from supaplane_devcluster.errors import CannotBuild


def test_helm_takes_itself_to_be_on_the_kubernetes_of_the_devcluster() -> None:
    tool = tools.helm("v1.35.4")
    assert "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=35" in tool.stamps
    assert "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1" in tool.stamps


def test_a_change_of_version_stamp_or_go_compiles_anew() -> None:
    tool = tools.helm("v1.35.4")
    names = {
        tools.folder_name(tool, "1.26.8"),
        tools.folder_name(tool, "1.26.9"),
        tools.folder_name(tools.helm("v1.36.0"), "1.26.8"),
        tools.folder_name(replace(tool, version="v3.22.1"), "1.26.8"),
    }
    assert len(names) == 4


def test_what_is_compiled_is_not_compiled_again(chart: object) -> None:
    said: list[str] = []
    binary = tools.ensure("helm", said.append)
    assert not said
    argv = [binary, "version", "--short"]
    answer = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("v3.22.0")


def test_a_compile_that_fails_says_why_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tools.Tool("helm", "example.invalid/no/such/program", "v0.0.0")
    monkeypatch.setattr(tools, "known", lambda: {"helm": broken})
    monkeypatch.setenv("GOPROXY", "off")
    with pytest.raises(CannotBuild, match="go install failed"):
        tools.ensure("helm", lambda _: None, tmp_path)
    assert not list(tmp_path.glob("tools/*/helm"))


def test_only_the_newest_is_kept(tmp_path: Path) -> None:
    keep = tmp_path / "helm-v2"
    for name in ("helm-v1", "helm-v2", "other-v1"):
        (tmp_path / name).mkdir()
    tools._drop_others(keep, tools.helm("v1.35.4"))
    assert {path.name for path in tmp_path.iterdir()} == {"helm-v2", "other-v1"}


def test_the_cache_is_that_of_the_control_plane() -> None:
    assert tools.ensure("helm", lambda _: None).is_relative_to(build.cache_folder())
