"""What a real node leaves behind on this machine: nothing, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supaplane_devcluster import CannotBuild, Cluster, ClusterOptions, DevclusterError, leftovers
from supaplane_devcluster.images import Images
from supaplane_devcluster.node import cgroups, programs
from supaplane_devcluster.plan import SPACE

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(900)]

CONFIGURATION = ("create", "configmap", "note", "--from-literal=text=kept")
POD = ("run", "web", "--image=localhost/tools:1", "--command", "--", "sleep", "infinity")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    try:
        programs.check_machine()
    except CannotBuild as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    made = Cluster("one", home=tmp_path, options=ClusterOptions(node="real"))
    yield made
    made.down()


def traces(cluster: Cluster, processes_below: Any) -> list[str]:
    """What of a node is in the kernel of this machine."""
    folder = cluster.layout.folder
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return [
        *processes_below(folder),
        *(line for line in mounts if str(folder) in line or "devcluster" in line),
        *(line for line in links.splitlines() if "pods0" in line or "node0" in line),
        *map(str, cgroups.left(cgroups.name(folder))),
    ]


def test_down_leaves_nothing(cluster: Cluster, processes_below: Any, tmp_path: Path) -> None:
    before = traces(cluster, processes_below)
    cluster.up()
    cluster.import_images(Images().build("tools"))
    cluster.kubectl(*POD)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    assert cluster.is_up()
    cluster.down()
    assert traces(cluster, processes_below) == before == []
    assert leftovers.find(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_is_killed_is_gone_and_comes_back_with_what_it_knew(
    cluster: Cluster, processes_below: Any, eventually: Any, tmp_path: Path
) -> None:
    cluster.up()
    cluster.import_images(Images().build("tools"))
    cluster.kubectl(*CONFIGURATION)
    cluster.kubectl(*POD)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    holder = cluster.status()[SPACE]
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)
    eventually(lambda: processes_below(cluster.layout.folder) == [])
    cgroup_folders = {str(path) for path in cgroups.left(cgroups.name(cluster.layout.folder))}
    assert set(traces(cluster, processes_below)) == cgroup_folders
    assert any("cgroups" in line for line in leftovers.find(tmp_path))
    cluster.up()
    assert "kept" in cluster.kubectl("get", "configmap", "note", "-o", "yaml").stdout
    # Its status is the old one until the kubelet has looked: whether it runs is asked of itself.
    run = ("exec", "web", "--", "true")
    eventually(lambda: cluster.kubectl(*run, check=False).returncode == 0)


def test_a_killed_component_comes_back_and_the_others_never_left(cluster: Cluster) -> None:
    cluster.up()
    before = cluster.status()
    cluster.kill("containerd")
    cluster.kill("network-policies")
    assert cluster.missing() == "down: containerd, network-policies"
    said: list[str] = []
    cluster.up(said.append)
    assert "started again: containerd, network-policies" in said[-1]
    after = cluster.status()
    assert {name for name in after if after[name] != before[name]} == {
        "containerd",
        "network-policies",
    }


def test_data_that_is_kept_is_not_given_to_nodes_of_another_kind(cluster: Cluster) -> None:
    cluster.up()
    cluster.down(keep_data=True)
    simulated = Cluster("one", home=cluster.layout.folder.parent.parent, options=ClusterOptions())
    with pytest.raises(DevclusterError, match="made with --node real"):
        simulated.up()
