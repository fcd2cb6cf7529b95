"""The leader is told to end, killed or stopped for a while: nobody writes once a Lease is over."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import string
from datetime import UTC, datetime
from typing import Any

import pytest

from supaplane_kube import KubeError
from supaplane_kube import resources as kinds

pytestmark = pytest.mark.cluster

REF = "f" * 17
DURATION = 15.0
"""How long a Lease lasts after its last renewal."""


@pytest.fixture
def replicas(cluster, new_operator, devcluster):
    """Two operators with tokens of their own, so that the audit log tells them apart."""

    def make(name: str) -> Any:
        account = f"{cluster.home}-{name}"
        devcluster.kubectl("create", "serviceaccount", account, "-n", cluster.home)
        devcluster.kubectl(
            "create",
            "clusterrolebinding",
            account,
            "--clusterrole=cluster-admin",
            f"--serviceaccount={cluster.home}:{account}",
        )
        operator = new_operator(
            arguments=("--lease",),
            kubeconfig=devcluster.user_kubeconfig(f"{cluster.home}/{account}"),
            environ={"SUPAPLANE_OPERATOR_NAMESPACE": cluster.home, "SUPAPLANE_IDENTITY": name},
        )
        operator.user = f"system:serviceaccount:{cluster.home}:{account}"
        operator.start()
        return operator

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    "how", [signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP], ids=["told", "killed", "stopped"]
)
async def test_an_old_leader_does_not_write(cluster, replicas, how):
    """None of its writes begins later than a second after the end of its Lease."""
    one = replicas("one")
    await cluster.until(lambda: _leads(cluster, "one"))
    two = replicas("two")
    renewals: list[float] = []
    busy = [asyncio.create_task(_renewals(cluster, renewals)), asyncio.create_task(_work(cluster))]
    await asyncio.sleep(3)
    assert one.process is not None
    one.process.send_signal(how)
    released = datetime.now(UTC).timestamp() if how is signal.SIGTERM else None
    if how is signal.SIGSTOP:
        await asyncio.sleep(30)
        one.process.send_signal(signal.SIGCONT)
        await cluster.until(lambda: _ended(one))
    await cluster.until(lambda: _leads(cluster, "two"), 30)
    await asyncio.sleep(5)
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    ended = released + 3.0 if released else max(renewals) + DURATION
    writes = cluster.writes()
    begun = {
        who: [_begun(w) for w in writes if w["user"]["username"] == operator.user]
        for who, operator in (("one", one), ("two", two))
    }
    assert begun["one"], "the old leader had work"
    assert begun["two"], "so has the new one"
    assert max(begun["one"]) <= ended + 1.0
    assert max(begun["one"]) < min(begun["two"]), "never both"


async def _leads(cluster: Any, name: str) -> bool:
    lease = await cluster.kube.get(kinds.LEASES, cluster.home, "supaplane-operator")
    return lease is not None and lease["spec"].get("holderIdentity") == name


async def _ended(operator: Any) -> bool:
    return operator.process.poll() is not None


async def _renewals(cluster: Any, seen: list[float]) -> None:
    """When the first leader renewed its Lease."""
    while True:
        with contextlib.suppress(KubeError):
            lease = await cluster.kube.get(kinds.LEASES, cluster.home, "supaplane-operator")
            if lease and lease["spec"].get("holderIdentity") == "one":
                seen.append(datetime.fromisoformat(lease["spec"]["renewTime"]).timestamp())
        await asyncio.sleep(0.2)


async def _work(cluster: Any) -> None:
    """Gives the leader something to write all the time."""
    for letter in string.ascii_lowercase[:2]:
        await cluster.make(letter, ref=f"{REF}ab{letter}", deletion={"policy": "Delete"})
    count = 0
    while True:
        count += 1
        for letter in string.ascii_lowercase[:2]:
            change = {"spec": {"rest": {"maxRows": 100 + count}}}
            with contextlib.suppress(KubeError):
                await cluster.patch(letter, change)
        await asyncio.sleep(0.3)


def _begun(write: dict[str, Any]) -> float:
    return datetime.fromisoformat(write["requestReceivedTimestamp"]).timestamp()
