"""The operator is killed, the API server goes away, rights are narrow, two replicas run."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.credentials import from_secret_data
from supaplane_kube import AlreadyExists, KubeError
from supaplane_kube import resources as kinds

pytestmark = pytest.mark.cluster

REF = "x" * 18
PROJECTS = 20


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_killed_again_and_again_while_projects_are_made_and_deleted(cluster, new_operator):
    chance = random.Random(20261122)
    refs = {f"shop-{n}": REF + chr(ord("a") + n) + "k" for n in range(PROJECTS)}
    kept = [name for n, name in enumerate(refs) if n % 2]
    operator = new_operator()
    operator.launch()
    credentials: dict[str, dict[str, str]] = {}

    async def keep_an_eye() -> None:
        """No credential ever changes: what was read once is what is read ever after."""
        while True:
            for name in refs:
                secret = await cluster.kube.get(kinds.SECRETS, cluster.home, f"{name}-credentials")
                if secret:
                    values = from_secret_data(secret)
                    known = credentials.setdefault(name, values)
                    assert known.items() <= values.items(), f"credentials of {name} changed"
                    known |= values
            await asyncio.sleep(0.2)

    async def kill() -> None:
        nonlocal operator
        while True:
            await asyncio.sleep(chance.uniform(1.0, 4.0))
            operator.kill()
            operator = new_operator()
            operator.launch()

    watcher, killer = asyncio.create_task(keep_an_eye()), asyncio.create_task(kill())
    for name, ref in refs.items():
        policy = "Retain" if name in kept else "Delete"
        await cluster.make(name, ref=ref, deletion={"policy": policy})
        await asyncio.sleep(chance.uniform(0.0, 0.3))
    for name in refs:
        if name not in kept:
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            await cluster.delete(name)
    await asyncio.sleep(8)
    killer.cancel()
    await asyncio.gather(killer, return_exceptions=True)
    assert not watcher.done() or watcher.result()
    for name in kept:
        await cluster.until_phase(name, "ACTIVE_HEALTHY", 240)
    for name in refs:
        if name not in kept:
            await cluster.until_gone(name, 240)
            assert await cluster.kube.get(kinds.NAMESPACES, None, f"supabase-{refs[name]}") is None
            secret = f"{name}-credentials"
            assert await cluster.kube.get(kinds.SECRETS, cluster.home, secret) is None
    watcher.cancel()
    results = await asyncio.gather(watcher, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError), results
    for name in kept:
        copy = await cluster.kube.get(kinds.SECRETS, f"supabase-{refs[name]}", "credentials")
        assert from_secret_data(copy) == credentials[name]
    assert [key for key, times in made(cluster.writes()).items() if times > 1] == []


def made(writes: list[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    """How often each object was made: an answer of 201."""
    return Counter(
        (ref["resource"], ref.get("namespace", ""), ref["name"])
        for write in writes
        if write["responseStatus"]["code"] == 201 and (ref := write["objectRef"])
    )


async def test_the_api_server_goes_away_and_comes_back(cluster, operator, devcluster):
    await cluster.make("shop", ref=REF + "aa")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    devcluster.kill("kube-apiserver")
    await asyncio.sleep(2)
    assert operator.process.poll() is None
    devcluster.start("kube-apiserver")
    await cluster.kube.delete(kinds.SERVICES, namespace, "rest")

    async def back() -> bool:
        return await cluster.kube.get(kinds.SERVICES, namespace, "rest") is not None

    await cluster.until(back)
    await cluster.make("second", ref=REF + "ab")
    await cluster.until_phase("second", "ACTIVE_HEALTHY")
    assert operator.process.poll() is None


async def test_an_etcd_that_answers_nothing_for_a_while_ends_no_process(
    cluster, operator, devcluster
):
    await cluster.make("shop", ref=REF + "al")
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    devcluster.pause("etcd")
    try:
        await asyncio.sleep(15)
        assert operator.process.poll() is None
    finally:
        devcluster.resume("etcd")

    async def made() -> bool:
        with contextlib.suppress(KubeError):
            await cluster.make("second", ref=REF + "am")
        return await cluster.project("second") is not None

    await cluster.until(made)
    await cluster.until_phase("second", "ACTIVE_HEALTHY")
    assert operator.process.poll() is None


async def test_of_two_replicas_one_writes_and_the_other_takes_over(cluster, new_operator):
    environ = {"SUPAPLANE_OPERATOR_NAMESPACE": cluster.home}
    one, two = (
        new_operator(arguments=("--lease",), environ=environ | {"SUPAPLANE_IDENTITY": name})
        for name in ("one", "two")
    )
    one.start()
    await cluster.make("shop", ref=REF + "ac")
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    two.start()
    assert two.count('supaplane_reconcile_total{result="ok"}') == 0
    assert (await _holder(cluster)) == "one"
    assert one.stop() == 0

    async def taken_over() -> bool:
        return await _holder(cluster) == "two"

    await cluster.until(taken_over, 10)
    await cluster.make("second", ref=REF + "ad")
    await cluster.until_phase("second", "ACTIVE_HEALTHY")


async def _holder(cluster: Any) -> str:
    lease = await cluster.kube.get(kinds.LEASES, cluster.home, "supaplane-operator")
    return str(lease["spec"]["holderIdentity"])


async def test_a_lease_that_is_taken_away_ends_the_process(cluster, new_operator):
    operator = new_operator(
        arguments=("--lease",), environ={"SUPAPLANE_OPERATOR_NAMESPACE": cluster.home}
    )
    operator.start()

    async def leads() -> bool:
        lease = await cluster.kube.get(kinds.LEASES, cluster.home, "supaplane-operator")
        return lease is not None

    await cluster.until(leads)
    body = {"spec": {"holderIdentity": "thief", "renewTime": "2099-01-01T00:00:00.000000Z"}}
    await cluster.kube.merge_patch(
        kinds.LEASES, cluster.home, "supaplane-operator", body, manager="tests"
    )

    async def ended() -> bool:
        return operator.process.poll() is not None

    await cluster.until(ended, 40)
    assert operator.process.poll() == 3


ANY = ["*"]
READ = ["get", "list", "watch"]
CLUSTER_WIDE = [
    {"apiGroups": [names.GROUP], "resources": ["supabaseprojects"], "verbs": [*READ, "patch"]},
    {"apiGroups": [names.GROUP], "resources": ["supabaseprojects/status"], "verbs": ["patch"]},
    {
        "apiGroups": ["apps"],
        "resources": ["deployments", "statefulsets"],
        "verbs": ["list", "watch"],
    },
    {
        "apiGroups": [""],
        "resources": ["services", "persistentvolumeclaims"],
        "verbs": ["list", "watch"],
    },
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["list", "watch"]},
    {
        "apiGroups": ["networking.k8s.io"],
        "resources": ["ingresses", "networkpolicies"],
        "verbs": ["list", "watch"],
    },
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": [*READ, "create", "patch", "delete"]},
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["rolebindings"],
        "verbs": ["get", "create", "patch"],
    },
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["clusterroles"],
        "resourceNames": ["supaplane-project"],
        "verbs": ["bind"],
    },
]
IN_PROJECTS = [
    {
        "apiGroups": [
            "",
            "apps",
            "batch",
            "networking.k8s.io",
            "autoscaling",
            "rbac.authorization.k8s.io",
        ],
        "resources": ANY,
        "verbs": [*READ, "create", "patch", "delete"],
    },
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": READ},
]
IN_HOMES = [
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "patch", "delete"]},
]
RBAC = "rbac.authorization.k8s.io"


async def test_with_the_narrow_rights_of_the_design_a_project_lives_and_goes(
    cluster, new_operator, devcluster
):
    account, home = "operator", cluster.home
    devcluster.kubectl("create", "serviceaccount", account, "-n", home)
    await _grant(cluster, account)
    operator = new_operator(
        kubeconfig=devcluster.user_kubeconfig(f"{home}/{account}"),
        environ={
            "SUPAPLANE_OPERATOR_NAMESPACE": home,
            "SUPAPLANE_SERVICE_ACCOUNT": account,
        },
    )
    operator.start()
    await cluster.make("shop", ref=REF + "ae", deletion={"policy": "Delete"})
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    writes = cluster.writes()
    refused = [w["objectRef"] for w in writes if w["responseStatus"]["code"] == 403]
    assert refused == []
    binding = next(i for i, w in enumerate(writes) if w["objectRef"]["resource"] == "rolebindings")
    inside = [
        i
        for i, w in enumerate(writes)
        if w["objectRef"].get("namespace", "") == f"supabase-{REF}ae"
    ]
    assert min(inside) == binding
    await cluster.delete("shop")
    await cluster.until_gone("shop")


async def _grant(cluster: Any, account: str) -> None:
    roles = kinds.Resource(RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False)
    bindings = kinds.Resource(
        RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
    )
    who = [{"kind": "ServiceAccount", "name": account, "namespace": cluster.home}]
    wide = cluster.home
    objects = [
        (roles, None, wide, {"rules": CLUSTER_WIDE}),
        (bindings, None, wide, {"roleRef": _ref("ClusterRole", wide), "subjects": who}),
        (roles, None, "supaplane-project", {"rules": IN_PROJECTS}),
        (kinds.ROLES, cluster.home, "operator", {"rules": IN_HOMES}),
        (
            kinds.ROLE_BINDINGS,
            cluster.home,
            "operator",
            {"roleRef": _ref("Role", "operator"), "subjects": who},
        ),
    ]
    for resource, namespace, name, body in objects:
        try:
            await cluster.kube.create(
                resource,
                namespace,
                {
                    "apiVersion": resource.api_version,
                    "kind": resource.kind,
                    "metadata": {"name": name},
                    **body,
                },
                manager="tests",
            )
        except AlreadyExists:
            continue


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": kind, "name": name}
