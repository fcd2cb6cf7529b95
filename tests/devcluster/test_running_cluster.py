"""What one running cluster does: whom it lets in, what it notes, and how `up` mends it.

The tests share a cluster, and each names what it makes.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from supaplane_devcluster import Cluster, ClusterOptions, components
from supaplane_devcluster.state import load

pytestmark = pytest.mark.cluster

Eventually = Callable[..., Any]


def pids(cluster: Cluster) -> dict[str, int]:
    return {name: process.pid for name, process in cluster.status().items() if process}


def test_the_audit_log_holds_writes_only_and_no_contents(running: Cluster) -> None:
    running.kubectl("create", "secret", "generic", "s", "--from-literal=password=hunter2")
    running.kubectl("get", "secret", "s")
    entries = [json.loads(line) for line in running.audit_log.read_text().splitlines()]
    assert {entry["stage"] for entry in entries} == {"ResponseComplete"}
    verbs = {"create", "update", "patch", "delete", "deletecollection"}
    assert {entry["verb"] for entry in entries} <= verbs
    mine = [e for e in entries if (e.get("objectRef") or {}).get("name") == "s"]
    assert [(e["verb"], e["user"]["username"]) for e in mine] == [("create", "admin")]
    assert "hunter2" not in running.audit_log.read_text()


def test_a_service_account_acts_with_its_own_rights(running: Cluster) -> None:
    running.kubectl("create", "serviceaccount", "reader")
    running.kubectl("create", "role", "read", "--verb=list", "--resource=configmaps")
    running.kubectl("create", "rolebinding", "b", "--role=read", "--serviceaccount=default:reader")
    path = running.user_kubeconfig(service_account="default/reader", duration="10m")
    assert path.stat().st_mode & 0o777 == 0o600
    who = running.kubectl(f"--kubeconfig={path}", "auth", "whoami", "-o", "json")
    user = json.loads(who.stdout)["status"]["userInfo"]["username"]
    assert user == "system:serviceaccount:default:reader"
    assert running.kubectl(f"--kubeconfig={path}", "get", "configmaps").returncode == 0
    refused = running.kubectl(f"--kubeconfig={path}", "get", "secrets", check=False)
    assert "forbidden" in refused.stderr


def test_nobody_gets_in_without_a_token(running: Cluster) -> None:
    curl = [
        *("kubectl", "get", "--raw", "/version", f"--server={running.server}"),
        *("--kubeconfig=/dev/null", f"--certificate-authority={running.ca_file}"),
    ]
    binary = load(running.layout.state).binary  # type: ignore[union-attr]
    answer = subprocess.run([binary, *curl], capture_output=True, text=True, check=False, input="")
    assert answer.returncode != 0
    assert "gitVersion" not in answer.stdout


def test_etcd_does_not_log_every_request(running: Cluster) -> None:
    assert running.layout.log("etcd").read_text().count("request stats") < 20


def test_up_again_finds_it_running(running: Cluster) -> None:
    before = pids(running)
    said: list[str] = []
    running.up(said.append)
    assert said == ["Cluster 'shared' was running already."]
    Cluster("shared", home=running.layout.folder.parent.parent, options=ClusterOptions(nodes=1)).up(
        said.append
    )
    assert "keeps the options" in said[-1]
    assert pids(running) == before


def test_a_paused_server_answers_nothing_until_it_is_resumed(
    running: Cluster, eventually: Eventually
) -> None:
    running.pause("kube-apiserver")
    answer = running.kubectl("get", "nodes", "--request-timeout=1s", check=False)
    assert answer.returncode != 0
    running.resume("kube-apiserver")
    eventually(lambda: running.missing() is None)


@pytest.mark.parametrize("component", components.SIMULATED)
def test_up_repairs_what_was_killed_and_nothing_else(
    running: Cluster, component: str, eventually: Eventually
) -> None:
    before, server = pids(running), running.server
    running.kubectl("create", "configmap", f"kept-{component}")
    running.kill(component)
    assert component in str(running.missing())
    said: list[str] = []
    running.up(said.append)
    assert said == [f"Cluster 'shared' is up; started again: {component}."]
    after = pids(running)
    assert {name for name in after if after[name] != before[name]} == {component}
    assert running.server == server
    assert f"kept-{component}" in running.kubectl("get", "configmaps").stdout
    # It is not only running: a pod still goes all the way through every component.
    probe = f"probe-{component}"
    running.kubectl("create", "deployment", probe, "--image=example/probe:1")
    ready = ("get", "deployment", probe, "-o", "jsonpath={.status.readyReplicas}")
    eventually(lambda: running.kubectl(*ready).stdout == "1")
