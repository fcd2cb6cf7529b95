"""The command lines and files of a cluster, without starting one."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from supaplane_devcluster import ClusterOptions, audit, components, egress, files, garbage
from supaplane_devcluster.kubeconfig import token_of
from supaplane_devcluster.layout import Layout
from supaplane_devcluster.plan import Plan


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    ports = {name: 20000 + i for i, name in enumerate(components.PORT_NAMES)}
    options = ClusterOptions(nodes=4, pod_delay=1.5, audit="writes", feature_gates={"B": False})
    return Plan(Path("/cache/controlplane"), Layout.of(tmp_path, "dev"), ports, options)


def test_every_component_starts_the_one_binary_under_its_name(plan: Plan) -> None:
    for name in components.SIMULATED:
        assert components.command(plan, name)[:2] == ["/cache/controlplane", name]


def test_the_stop_order_ends_clients_before_servers() -> None:
    assert set(components.stop_order(ClusterOptions())) == set(components.SIMULATED)
    assert components.stop_order(ClusterOptions())[-2:] == (components.API_SERVER, components.ETCD)


def test_everything_listens_on_loopback_only(plan: Plan) -> None:
    for name in (components.API_SERVER, components.CONTROLLER_MANAGER, components.SCHEDULER):
        assert "--bind-address=127.0.0.1" in components.command(plan, name)
    for flag in components.command(plan, components.ETCD):
        assert not flag.startswith("--listen") or "=http://127.0.0.1:" in flag
    assert "--tunnel-address=127.0.0.1:20005" in components.command(plan, components.NODES)


def test_options_become_flags(plan: Plan) -> None:
    nodes = components.command(plan, components.NODES)
    assert "--node-count=4" in nodes
    assert "--pod-delay=1.5s" in nodes
    server = components.command(plan, components.API_SERVER)
    assert "--feature-gates=B=false" in server
    assert f"--audit-log-path={plan.layout.audit_log}" in server
    quiet = replace(plan, options=ClusterOptions())
    assert not [f for f in components.command(quiet, components.API_SERVER) if "audit" in f]


def test_no_secret_is_on_any_command_line(plan: Plan) -> None:
    files.write(plan, "dev")
    with plan.layout.tokens.open() as lines:
        secrets = [row[0] for row in csv.reader(lines)]
    assert len(set(secrets)) == len(components.USERS)
    commands = " ".join(" ".join(components.command(plan, c)) for c in components.SIMULATED)
    assert not [secret for secret in secrets if secret in commands]


def test_secrets_are_readable_by_their_owner_only(plan: Plan) -> None:
    files.write(plan, "dev")
    for path in plan.layout.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_files_that_are_there_keep_their_keys(plan: Plan) -> None:
    files.write(plan, "dev")
    before = {p: p.read_text() for p in plan.layout.folder.rglob("*") if p.is_file()}
    files.write(plan, "dev")
    assert {p: p.read_text() for p in plan.layout.folder.rglob("*") if p.is_file()} == before


def test_a_log_that_has_grown_large_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    files.set_aside(log)
    log.write_text("short")
    files.set_aside(log)
    assert log.read_text() == "short"
    with log.open("w") as file:
        file.truncate(files.LARGE_LOG + 1)
    files.set_aside(log)
    assert [path.name for path in tmp_path.iterdir()] == ["etcd.log.1"]


def test_the_kubeconfig_is_the_administrators_and_self_contained(plan: Plan) -> None:
    files.write(plan, "dev")
    text = plan.layout.kubeconfig.read_text()
    document = yaml.safe_load(text)
    assert document["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:20000"
    assert "certificate-authority-data" in document["clusters"][0]["cluster"]
    assert document["current-context"] == "supaplane-dev"
    with plan.layout.tokens.open() as lines:
        rows = {row[1]: row for row in csv.reader(lines)}
    assert rows["admin"][0] == token_of(text)
    assert rows["admin"][3] == "system:masters"


def test_the_audit_policy_logs_finished_writes_without_contents() -> None:
    policy = yaml.safe_load(audit.policy("writes"))
    assert policy["omitStages"] == ["RequestReceived", "ResponseStarted"]
    assert policy["rules"][-1] == {"level": "None"}
    assert {rule["level"] for rule in policy["rules"]} == {"Metadata", "None"}
    assert yaml.safe_load(audit.policy("all"))["rules"][-1] == {"level": "Metadata"}


def test_what_is_meant_for_pods_goes_to_who_simulates_them(plan: Plan) -> None:
    selection = yaml.safe_load(egress.configuration(plan))["egressSelections"]
    assert [entry["name"] for entry in selection] == ["cluster"]
    assert selection[0]["connection"]["transport"]["tcp"]["url"] == "https://127.0.0.1:20005"


def test_programs_collect_garbage_seldom_unless_memory_is_short_or_somebody_chose() -> None:
    environ = garbage.environment({"PATH": "/bin"}, 16 * 2**30)
    assert environ == {"PATH": "/bin", "GOGC": "400", "GOMEMLIMIT": "2048MiB"}
    assert garbage.environment({"GOGC": "100"}, 16 * 2**30)["GOGC"] == "100"
    assert garbage.memory_of_machine() > 2**28
