"""What the tests of this folder handle: programs of ours, projects, answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supaplane_contract import names
from supaplane_devcluster import Cluster


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Program:
    """A program of ours as a process of the node."""

    cluster: Cluster
    module: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SUPAPLANE_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.cluster.run_command(), sys.executable, "-m", *self.module],
                env={**kept, "KUBECONFIG": str(self.cluster.kubeconfig), **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None

    def stop(self) -> None:
        """SIGTERM."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


@dataclass
class Project:
    """A project as its owner knows it."""

    name: str
    """Of the SupabaseProject."""
    ref: str
    keys: Mapping[str, str] = field(repr=False)
    """The master Secret."""

    @property
    def namespace(self) -> str:
        return names.project_namespace(self.ref)

    @property
    def anon(self) -> str:
        return self.keys["anon-key"]

    @property
    def service(self) -> str:
        return self.keys["service-role-key"]
