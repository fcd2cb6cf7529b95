"""A cluster comes up, is repaired, and goes without a trace."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supaplane_devcluster import (
    Cluster,
    DidNotStart,
    NotRunning,
    build,
    cli,
    components,
)
from supaplane_devcluster.state import load

pytestmark = pytest.mark.cluster

MakeCluster = Callable[..., Cluster]
ProcessesBelow = Callable[[Path], list[str]]
Eventually = Callable[..., Any]


def pids(cluster: Cluster) -> dict[str, int]:
    return {name: process.pid for name, process in cluster.status().items() if process}


def test_up_starts_all_there_is_and_down_leaves_nothing(
    make_cluster: MakeCluster, processes_below: ProcessesBelow, tmp_path: Path
) -> None:
    cluster = make_cluster()
    cluster.up()
    assert cluster.missing() is None
    assert set(pids(cluster)) == set(components.SIMULATED)
    assert len(processes_below(cluster.layout.folder)) == len(components.SIMULATED)
    cluster.down()
    assert processes_below(tmp_path) == []
    assert list((tmp_path / "home").iterdir()) == []


def test_two_clusters_run_side_by_side(make_cluster: MakeCluster) -> None:
    first, second = make_cluster("one"), make_cluster("two", nodes=1)
    first.up()
    second.up()
    first.kubectl("create", "configmap", "only-here")
    assert "only-here" not in second.kubectl("get", "configmaps").stdout
    ports = [set(load(c.layout.state).ports.values()) for c in (first, second)]  # type: ignore[union-attr]
    assert not ports[0] & ports[1]
    second.down()
    assert first.missing() is None


@pytest.mark.parametrize("running", [0, 1, 2, 4])
def test_an_up_that_is_killed_half_way_does_not_block_the_next(
    make_cluster: MakeCluster, processes_below: ProcessesBelow, running: int
) -> None:
    build.ensure(print)
    cluster = make_cluster()
    home = cluster.layout.folder.parent.parent
    command = [sys.executable, "-m", "supaplane_devcluster", "up", "one", "--home", str(home)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as half:
        while len(pids(cluster)) < running or not cluster.layout.folder.exists():
            assert half.poll() is None
            time.sleep(0.002)
        half.kill()
    assert half.returncode == -signal.SIGKILL
    cluster.up()
    assert cluster.missing() is None
    assert len(processes_below(cluster.layout.folder)) == len(components.SIMULATED)
    cluster.down()
    assert processes_below(home) == []


def test_a_component_that_cannot_start_is_named_with_its_last_words(
    make_cluster: MakeCluster,
) -> None:
    cluster = make_cluster(feature_gates={"NoSuchGate": True})
    with pytest.raises(DidNotStart, match=r"kube-apiserver ended.*(?s:.)*NoSuchGate"):
        cluster.up()


def test_a_killed_cluster_can_be_taken_down(
    make_cluster: MakeCluster, processes_below: ProcessesBelow
) -> None:
    cluster = make_cluster()
    cluster.up()
    for component in components.SIMULATED:
        cluster.kill(component)
    cluster.down()
    assert processes_below(cluster.layout.folder) == []
    assert not cluster.layout.folder.exists()


def test_with_takes_it_down_even_when_its_body_fails(
    make_cluster: MakeCluster, processes_below: ProcessesBelow
) -> None:
    cluster = make_cluster()
    with pytest.raises(ZeroDivisionError), cluster:
        raise ZeroDivisionError
    assert processes_below(cluster.layout.folder) == []
    with pytest.raises(NotRunning):
        _ = cluster.server


def test_kept_data_is_found_again(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    cluster.up()
    cluster.kubectl("create", "deployment", "web", "--image=example/web:1")
    server, token = cluster.server, cluster.token
    cluster.down(keep_data=True)
    assert not any(cluster.status().values())
    cluster.up()
    assert "web" in cluster.kubectl("get", "deployments").stdout
    assert (cluster.server, cluster.token) == (server, token)


def test_foreground_takes_all_down_on_a_signal(
    make_cluster: MakeCluster, processes_below: ProcessesBelow, eventually: Eventually
) -> None:
    build.ensure(print)
    cluster = make_cluster()
    home = cluster.layout.folder.parent.parent
    words = ["up", "one", "--foreground", "--home", str(home)]
    command = [sys.executable, "-m", "supaplane_devcluster", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "KUBECONFIG" in line:
                break
        assert cluster.is_up()
        process.terminate()
        assert process.wait(60) == 0
    assert processes_below(cluster.layout.folder) == []


def test_the_commands_do_what_they_say(
    make_cluster: MakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = make_cluster()
    home = ["--home", str(cluster.layout.folder.parent.parent)]
    assert cli.main(["up", "one", "--nodes=1", *home]) == 0
    assert "export KUBECONFIG=" in capsys.readouterr().err
    assert cli.main(["status", "one", *home]) == 0
    assert f"usable: {cluster.server}" in capsys.readouterr().out
    assert cli.main(["kubeconfig", "one", *home]) == 0
    assert capsys.readouterr().out == f"{cluster.kubeconfig}\n"
    words = ["kubectl", "--cluster=one", *home, "get", "nodes", "-o", "name"]
    command = [sys.executable, "-m", "supaplane_devcluster", *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout == "node/node-1\n"
    assert cli.main(["stop", "kube-scheduler", "one", *home]) == 0
    assert cli.main(["status", "one", *home]) == 1
    assert "not usable: down: kube-scheduler" in capsys.readouterr().out
    assert cli.main(["start", "kube-scheduler", "one", *home]) == 0
    assert cli.main(["status", "one", *home]) == 0
    assert cli.main(["logs", "one", "kube-scheduler", *home]) == 0
    capsys.readouterr()
    assert cli.main(["check", *home]) == 1
    assert "one: etcd runs" in capsys.readouterr().out
    assert cli.main(["down", "--all", *home]) == 0
    assert cli.main(["check", *home]) == 0
