"""What a real node is told, and what it may touch: without starting one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from supaplane_devcluster import CannotBuild, ClusterOptions, DevclusterError, components, plan
from supaplane_devcluster.errors import CommandFailed
from supaplane_devcluster.layout import Layout
from supaplane_devcluster.node import (
    cgroups,
    configuration,
    first,
    furniture,
    network,
    programs,
    volumes,
)
from supaplane_devcluster.plan import Plan

FOLDER = Path("/home/clusters/one")
REAL = ClusterOptions(node="real")


@pytest.fixture
def real() -> Plan:
    ports = {name: 20000 + i for i, name in enumerate(components.PORT_NAMES)}
    return Plan(Path("/cache/controlplane"), Layout(FOLDER), ports, REAL, Path("/debian"))


def test_a_node_is_simulated_or_real() -> None:
    with pytest.raises(DevclusterError, match="simulated"):
        ClusterOptions(node="imagined")  # type: ignore[arg-type]


def test_everything_that_starts_also_stops_and_the_namespaces_come_first_and_go_last() -> None:
    order = components.start_order(REAL)
    assert set(components.stop_order(REAL)) == set(order)
    assert order[0] == components.stop_order(REAL)[-1] == plan.SPACE
    assert plan.NODES not in order


def test_each_component_finds_only_its_own_credentials(real: Plan) -> None:
    kubelet = components.command(real, plan.KUBELET)
    assert f"--kubeconfig={FOLDER}/certificates/kubelet.kubeconfig" in kubelet
    policies = components.command(real, plan.POLICIES)
    assert f"--kubeconfig={FOLDER}/certificates/network-policies.kubeconfig" in policies
    administrators = [who for who, (_, groups) in components.USERS.items() if "masters" in groups]
    assert administrators == ["admin", plan.NODES]


def test_only_the_api_server_may_speak_to_the_kubelet(real: Plan) -> None:
    told = yaml.safe_load(configuration.kubelet(real.layout))
    assert told["authentication"]["anonymous"] == {"enabled": False}
    assert told["authentication"]["x509"]["clientCAFile"] == str(real.layout.ca)
    server = components.command(real, plan.API_SERVER)
    assert f"--kubelet-client-certificate={real.layout.server_certificate}" in server


def test_the_api_server_goes_to_real_pods_itself(real: Plan) -> None:
    server = components.command(real, plan.API_SERVER)
    assert f"--advertise-address={network.NODE_ADDRESS}" in server
    assert [flag for flag in server if flag.startswith("--egress-selector")] == []


def test_kube_proxy_writes_nothing_that_is_the_whole_machines() -> None:
    told = yaml.safe_load(configuration.proxy(Path("/kubeconfig")))
    assert told["conntrack"]["maxPerCore"] == told["conntrack"]["min"] == 0
    assert told["mode"] == "nftables"


def test_pods_have_their_own_addresses_towards_each_other() -> None:
    plugin = json.loads(network.cni_configuration())["plugins"][0]
    assert plugin["ipMasq"] is False
    assert plugin["hairpinMode"] is True


def test_the_addons_and_the_code_mean_the_same() -> None:
    found = {
        (item["kind"], item["metadata"]["name"]): item
        for item in yaml.safe_load_all(furniture.ADDONS.read_text(encoding="utf-8"))
    }
    assert found["Service", "kube-dns"]["spec"]["clusterIP"] == network.DNS_ADDRESS
    for name in ("standard", "standard-immediate"):
        assert found["StorageClass", name]["provisioner"] == volumes.PROVISIONER
    for who in (plan.VOLUMES, plan.POLICIES):
        user = components.USERS[who][0]
        assert found["ClusterRoleBinding", user]["subjects"][0]["name"] == user
    corefile = found["ConfigMap", "coredns"]["data"]["Corefile"]
    assert "forward" not in corefile


def test_a_folder_of_ours_in_a_covered_place_stays_visible_once() -> None:
    wanted = [Path(p) for p in ("/var/lib/ci/home", "/var/lib/ci", "/opt/x", "/var/lib/ci")]
    assert first.under(wanted, first.COVERED) == [Path("/var/lib/ci")]


def test_cgroups_of_both_versions_are_found() -> None:
    mounts = (
        "proc /proc proc rw 0 0\n"
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    )
    assert cgroups.hierarchies(mounts) == [
        Path("/sys/fs/cgroup/memory"),
        Path("/sys/fs/cgroup/unified"),
    ]


def test_two_clusters_have_two_names_for_their_cgroups() -> None:
    assert cgroups.name(FOLDER) == cgroups.name(FOLDER)
    assert cgroups.name(FOLDER) != cgroups.name(FOLDER.with_name("two"))


def test_the_machines_own_programs_come_before_unpacked_ones(tmp_path: Path) -> None:
    (tmp_path / "usr" / "lib" / "x86_64-linux-gnu").mkdir(parents=True)
    environ = programs.environment(tmp_path, {"PATH": "/usr/bin", "HOME": "/root"})
    assert environ["PATH"].split(":")[:2] == ["/usr/bin", f"{tmp_path}/usr/sbin"]
    assert environ["LD_LIBRARY_PATH"] == f"{tmp_path}/usr/lib/x86_64-linux-gnu"
    assert environ["HOME"] == "/root"
    assert programs.environment(None, {"PATH": "/usr/bin"}) == {"PATH": "/usr/bin"}


def test_without_root_one_line_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotBuild, match=r"needs root; --node simulated does not"):
        programs.check_machine()


def test_on_another_system_one_line_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(CannotBuild, match="needs Linux"):
        programs.check_machine()


def test_every_image_is_imported_once_and_one_that_is_refused_is_named() -> None:
    asked: list[str] = []

    def run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        asked.append(argv[-1])
        return subprocess.CompletedProcess(argv, int("broken" in argv[-1]), "", "no tar")

    whole = [Path(f"{number}.tar") for number in range(5)]
    furniture.import_images(run, whole)
    assert sorted(asked) == [str(path) for path in whole]
    with pytest.raises(CommandFailed, match=r"broken\.tar: no tar"):
        furniture.import_images(run, [*whole, Path("broken.tar")])
