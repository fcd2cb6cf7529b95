"""Measures a cluster here: start-up, memory, and how long many pods take to be Ready.

`python -m supaplane_devcluster.measure --namespaces 300 --pods 15`; the README holds the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .client import ApiClient
from .cluster import Cluster
from .options import ClusterOptions
from .processes import resident_kib

TICKS = os.sysconf("SC_CLK_TCK")
GIVE_UP = 3600.0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--namespaces", type=int, default=300)
    parser.add_argument("--pods", type=int, default=15, help="in each namespace, by Deployments")
    parser.add_argument("--deployments", type=int, default=15, help="in each namespace")
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    if arguments.pods % arguments.deployments:
        parser.error("--pods should be a multiple of --deployments")
    cluster = Cluster("measure", arguments.home, ClusterOptions())
    started = time.monotonic()
    with cluster:
        print(f"start to usable: {time.monotonic() - started:.1f} s")
        report(cluster, {})
        fill(cluster, arguments.namespaces, arguments.deployments, arguments.pods)
        empty(cluster, arguments.namespaces)
    return 0


def fill(cluster: Cluster, namespaces: int, deployments: int, pods: int) -> None:
    before, started = cpu(cluster), time.monotonic()
    text = "\n".join(objects(namespaces, deployments, pods // deployments))
    cluster.kubectl("create", "-f", "-", input=text, timeout=GIVE_UP)
    print(f"{namespaces * deployments} Deployments created: {time.monotonic() - started:.1f} s")
    wanted = namespaces * pods
    while (ready := ready_pods(cluster)) < wanted:
        print(f"  {time.monotonic() - started:6.1f} s  {ready} of {wanted} pods Ready", flush=True)
        if time.monotonic() - started > GIVE_UP:
            sys.exit("gave up")
        time.sleep(5)
    print(f"{wanted} pods Ready: {time.monotonic() - started:.1f} s")
    report(cluster, before)
    rest = 60.0
    before = cpu(cluster)
    time.sleep(rest)
    print(f"at rest for {rest:.0f} s:")
    report(cluster, before)


def empty(cluster: Cluster, namespaces: int) -> None:
    started = time.monotonic()
    names = [f"scale-{n}" for n in range(namespaces)]
    cluster.kubectl("delete", "namespace", *names, "--timeout=3600s", timeout=GIVE_UP)
    print(f"{namespaces} namespaces deleted: {time.monotonic() - started:.1f} s")


def objects(namespaces: int, deployments: int, replicas: int) -> Iterator[str]:
    for number in range(namespaces):
        namespace = f"scale-{number}"
        metadata: dict[str, str] = {"name": namespace}
        yield json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        for index in range(deployments):
            yield json.dumps(deployment(namespace, f"part-{index}", replicas))


def deployment(namespace: str, name: str, replicas: int) -> dict[str, object]:
    labels = {"app": name}
    container = {
        "name": name,
        "image": f"example/{name}:1",
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def ready_pods(cluster: Cluster) -> int:
    """By the Deployments, which are smaller: looking should not weigh on what is seen."""
    client = ApiClient(cluster.server, cluster.ca_file, cluster.token)
    answer = client.get("/apis/apps/v1/deployments?resourceVersion=0", timeout=60.0)
    items = (answer or {}).get("items", [])
    return sum(item.get("status", {}).get("readyReplicas", 0) for item in items)


def cpu(cluster: Cluster) -> dict[str, float]:
    """Seconds of CPU of each component so far."""
    used = {}
    for name, process in cluster.status().items():
        if process:
            text = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii")
            fields = text.rpartition(")")[2].split()
            used[name] = (int(fields[11]) + int(fields[12])) / TICKS
    return used


def report(cluster: Cluster, before: dict[str, float]) -> None:
    now = cpu(cluster)
    for name, process in cluster.status().items():
        if process:
            memory = (resident_kib(process) or 0) // 1024
            seconds = now[name] - before.get(name, 0.0)
            print(f"  {name:25} {memory:5} MiB resident  {seconds:7.1f} s of CPU")


if __name__ == "__main__":
    sys.exit(main())
