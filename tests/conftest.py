"""What every test may use. A cluster is made only for tests that ask for one."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from supaplane_contract import names
from supaplane_devcluster import Cluster, ClusterOptions

ROOT = Path(__file__).parent.parent

# How long an example takes says more about the machine than about the code.
settings.register_profile("supaplane", deadline=None)
settings.load_profile("supaplane")


TOGETHER = ("chart/on_a_cluster/", "live/test_chart", "live/")
"""How paths below `tests` begin whose tests share what takes long to make; the first that fits:
of the live ones, those of the chart have a node of their own."""

LONG = ("cluster", "live", "browser", "slow")
"""Markers of what takes long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a cluster comes first: no worker is left alone with something long at the end."""
    groups = {item: group_of(item.nodeid) for item in items}
    long = {groups[item] for item in items if any(map(item.get_closest_marker, LONG))}
    items.sort(key=lambda item: groups[item] not in long)


FIGURES = pytest.StashKey[dict[str, dict[str, float]]]()
"""What live tests measured, by unit."""


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist ends: its figures come to where they are printed."""
    figures = getattr(node, "workeroutput", {}).get("live") or {}
    for unit, measured in figures.items():
        node.config.stash.setdefault(FIGURES, {}).setdefault(unit, {}).update(measured)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """How long things took on this machine, this time: no test depends on it."""
    for unit, figures in config.stash.get(FIGURES, {}).items():
        terminalreporter.section(f"live: {unit}")
        for what, figure in figures.items():
            terminalreporter.line(f"{figure:8.1f}  {what}")


class Scheduling(LoadScopeScheduling):
    """Which worker of pytest-xdist runs which tests: a file is run by one, and so is a folder whose
    tests share something that takes long to make."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Asked by pytest-xdist, which does nothing of this in a run without `-n`."""
    return Scheduling(config, log)


def group_of(nodeid: str) -> str:
    """The file, or the beginning of the paths of files, whose tests stay together."""
    file = nodeid.partition("::")[0].removeprefix("tests/")
    return next((beginning for beginning in TOGETHER if file.startswith(beginning)), file)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def devcluster() -> Iterator[Cluster]:
    """A running control plane with simulated nodes, the CRD and the home namespace.

    Shared by the whole run: a test that makes namespaces or projects names them by itself. Clusters
    of runs that were killed are taken down first.
    """
    home = ROOT / ".supaplane"
    for leftover in (home / "clusters").glob("tests-*"):
        if not _alive(leftover.name):
            Cluster(leftover.name, home=home).down()
    options = ClusterOptions(nodes=3, pod_delay=0.0, audit="writes")
    cluster = Cluster(f"tests-{os.getpid()}", home=home, options=options)
    try:
        cluster.up()
        cluster.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        _until_served(cluster)
        cluster.kubectl("create", "namespace", names.DEFAULT_HOME_NAMESPACE)
        yield cluster
    finally:
        cluster.down()


def _until_served(cluster: Cluster, seconds: float = 30.0) -> None:
    """`kubectl wait` fails on a definition that is so new that it has no conditions yet."""
    path, deadline = f"/apis/{names.API_VERSION}/{names.PLURAL}", time.monotonic() + seconds
    while cluster.kubectl("get", "--raw", path, check=False).returncode:
        assert time.monotonic() < deadline, f"{path} is not served"
        time.sleep(0.1)


def _alive(cluster_name: str) -> bool:
    """Whether the test run that a cluster is named after still runs."""
    number = re.fullmatch(r"tests-(\d+)(-[a-z]+)?", cluster_name)
    return number is not None and Path(f"/proc/{number[1]}").exists()
