"""What every test may use. A cluster is made only for tests that ask for one."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from supaplane_contract import names
from supaplane_devcluster import Cluster, ClusterOptions

ROOT = Path(__file__).parent.parent

# How long an example takes says more about the machine than about the code.
settings.register_profile("supaplane", deadline=None)
settings.load_profile("supaplane")


# Folders whose tests share something that takes long to make: one worker runs all of them.
TOGETHER = ("tests/chart/on_a_cluster", "tests/live")

LONG = ("cluster", "live", "browser", "slow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests one worker of pytest-xdist runs: those of a file, or of a folder that shares.

    What needs a cluster comes first, so that no worker is left alone with something long.
    """
    groups = {item: _group(item.path.relative_to(ROOT).as_posix()) for item in items}
    long = {groups[item] for item in items if any(map(item.get_closest_marker, LONG))}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: groups[item] not in long)


def _group(file: str) -> str:
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


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
