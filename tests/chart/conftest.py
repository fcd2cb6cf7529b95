"""The chart as Helm renders it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from supaplane_devcluster import tools

Json = dict[str, Any]
NAMESPACE = "supaplane-system"
FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class HelmFailed(Exception):
    """Helm refused; its words are the message."""


@dataclass(frozen=True)
class Chart:
    """The chart, and what Helm makes of it."""

    folder: Path
    helm: Path

    def run(self, *arguments: str, input: str = "", environ: dict[str, str] | None = None) -> str:
        """Helm's answer. Raises HelmFailed."""
        answer = subprocess.run(
            [str(self.helm), *arguments],
            input=input,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"} | (environ or {}),
        )
        if answer.returncode:
            raise HelmFailed(answer.stderr)
        return answer.stdout

    def render(self, values: Json, namespace: str = NAMESPACE) -> list[Json]:
        """Everything that would be installed with these values."""
        text = self.text(values, namespace)
        return [manifest for manifest in yaml.load_all(text, Loader=FAST) if manifest]

    def text(self, values: Json, namespace: str = NAMESPACE) -> str:
        """The same as Helm prints it."""
        return self.run(
            *("template", "supaplane", str(self.folder), "--namespace", namespace),
            *("--values", "-"),
            input=yaml.safe_dump(values),
        )

    def values(self, name: str) -> Json:
        """Values of ci/<name>-values.yaml."""
        text = (self.folder / "ci" / f"{name}-values.yaml").read_text()
        found: Json = yaml.safe_load(text)
        return found

    def sets(self) -> dict[str, Json]:
        """Every set of values in ci/, by name."""
        files = sorted((self.folder / "ci").glob("*-values.yaml"))
        return {
            file.name.removesuffix("-values.yaml"): yaml.safe_load(file.read_text())
            for file in files
        }


@pytest.fixture(scope="session")
def chart(root: Path) -> Chart:
    helm = tools.ensure("helm", print)
    return Chart(root / "helm" / "supaplane", helm)


@pytest.fixture(scope="session")
def refusal() -> type[Exception]:
    """What is raised when Helm refuses."""
    return HelmFailed


@pytest.fixture(scope="session")
def rendered(chart: Chart) -> dict[str, list[Json]]:
    """Every set of values in ci/, rendered."""
    return {name: chart.render(values) for name, values in chart.sets().items()}


@pytest.fixture(scope="session")
def one() -> Callable[..., Json]:
    """The one object of a kind and a name."""

    def find(manifests: list[Json], kind: str, name: str, namespace: str | None = None) -> Json:
        found = [
            m
            for m in manifests
            if m["kind"] == kind
            and m["metadata"]["name"] == name
            and namespace in (None, m["metadata"].get("namespace"))
        ]
        assert len(found) == 1, f"{len(found)} times {kind} {name}"
        return found[0]

    return find
