"""A whole platform for measuring: devcluster, operator and API in a folder of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from supaplane_demo import story
from supaplane_demo.commands import install_crd
from supaplane_demo.database import start_database, stop_database
from supaplane_demo.home import Home
from supaplane_demo.platform import Programs
from supaplane_demo.processes import Process, Processes
from supaplane_demo.rest import Rest
from supaplane_devcluster import Cluster, ClusterOptions
from supaplane_kube import KubeClient, login


@dataclass
class Bench:
    """What a measurement may use."""

    cluster: Cluster
    kube: KubeClient
    programs: Programs
    rest: Rest
    organization: str

    @property
    def operator(self) -> Process:
        """The operator's process."""
        return self.programs.processes.known()["operator"]

    def restart_operator(self) -> None:
        """Ends the operator and starts it again; returns when it is ready."""
        self.programs.processes.stop("operator")
        self.programs.operator()

    def operator_memory(self) -> float:
        """Resident memory of the operator, in MiB."""
        status = Path(f"/proc/{self.operator.pid}/status").read_text()
        kilobytes = next(x for x in status.splitlines() if x.startswith("VmRSS")).split()[1]
        return int(kilobytes) / 1024

    def operator_cpu_seconds(self) -> float:
        """CPU time that the operator has used, user and system."""
        fields = Path(f"/proc/{self.operator.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    """Brings everything up and takes all of it down again."""
    with tempfile.TemporaryDirectory(prefix="supaplane-bench-") as folder:
        home = Home.find({"SUPAPLANE_HOME": folder})
        options = ClusterOptions(nodes=3, pod_delay=0.0, audit="writes")
        cluster = Cluster("bench", home=home.folder, options=options)
        processes = Processes(home.processes_file, home.logs)
        try:
            await asyncio.to_thread(cluster.up)
            session = await login.find(kubeconfig=str(cluster.kubeconfig))
            async with KubeClient(session) as kube:
                await install_crd(kube)
                url = await asyncio.to_thread(start_database, home.database)
                programs = Programs(processes, cluster.kubeconfig, home)
                await asyncio.to_thread(programs.operator)
                _, api = await asyncio.to_thread(programs.api, url)
                async with Rest(api) as rest:
                    await story.sign_in(rest, story.Account(story.EMAIL, story.new_password()))
                    slug = await story.organization(rest)
                    yield Bench(cluster, kube, programs, rest, slug)
        finally:
            for name in ("api", "operator"):
                processes.stop(name)
            stop_database(home.database)
            cluster.down()
