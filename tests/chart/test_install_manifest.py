"""manifests/install.yaml is the chart, for those who use no Helm."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from supaplane_demo import images, install

Json = dict[str, Any]


@pytest.fixture(scope="module")
def manifests(root: Path) -> list[Json]:
    return list(yaml.safe_load_all((root / install.TARGET).read_text()))


def test_it_is_what_the_chart_renders_now(chart: Any, root: Path) -> None:
    assert (root / install.TARGET).read_text() == install.render(chart.helm, root), "make generate"


def test_its_namespace_comes_before_what_lies_in_it(manifests: list[Json]) -> None:
    first = manifests[0]
    assert (first["kind"], first["metadata"]["name"]) == ("Namespace", install.NAMESPACE)
    assert first["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_it_holds_no_secret(manifests: list[Json]) -> None:
    assert [m["metadata"]["name"] for m in manifests if m["kind"] == "Secret"] == []


def test_it_runs_the_images_that_the_dockerfiles_make(manifests: list[Json]) -> None:
    pods = [m["spec"]["template"]["spec"] for m in manifests if m["kind"] == "Deployment"]
    used = {container["image"] for pod in pods for container in pod["containers"]}
    assert used == {images.OPERATOR.reference, images.API.reference}


@pytest.mark.parametrize("program", ["operator", "api"])
def test_an_image_installs_exactly_the_packages_that_are_tested(root: Path, program: str) -> None:
    tested = pins(root / "requirements.lock")
    installed = pins(root / program / "requirements.lock")
    assert installed
    assert installed.items() <= tested.items(), "make lock"
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"][program]]
    names = {re.split(r"[^A-Za-z0-9._-]", text)[0].lower() for text in wanted}
    assert names <= set(installed), "make lock"


def pins(lock: Path) -> dict[str, str]:
    """Versions by package."""
    lines = (line.split(";")[0] for line in lock.read_text().splitlines() if "==" in line)
    found = (line.strip(" \\").split("==") for line in lines if not line.startswith((" ", "#")))
    return {name: version.strip() for name, version in found}


@pytest.mark.parametrize("program", ["operator", "api"])
def test_a_dockerfile_copies_what_counts_as_its_content(root: Path, program: str) -> None:
    """What it copied beside would not change the name under which the image is kept."""
    text = (root / program / "Dockerfile").read_text().splitlines()
    copied = {line.split()[1] for line in text if line.startswith("COPY ") and "--from" not in line}
    what = images.dockerfile(program)
    assert copied == {what.lock, *what.copied} - {".dockerignore"}
