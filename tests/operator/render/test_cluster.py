"""Does a real API server take what we render, and hand it back as we wrote it?"""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from supaplane_contract.spec import ComponentName
from supaplane_devcluster import Cluster
from supaplane_kube import login, resources
from supaplane_kube.client import KubeClient
from supaplane_kube.errors import KubeError
from supaplane_operator.children import keep
from supaplane_operator.differs import differences
from supaplane_operator.render import RenderedComponent, namespace_labels, project

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

MANAGER = "supaplane-operator"
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "project"}}


@pytest.fixture
async def kube(devcluster: Cluster) -> AsyncIterator[KubeClient]:
    client = KubeClient(await login.find(kubeconfig=str(devcluster.kubeconfig)))
    try:
        yield client
    finally:
        await client.close()


def _moved(manifest: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    moved: dict[str, Any] = copy.deepcopy(dict(manifest))
    moved["metadata"]["namespace"] = namespace
    return moved


async def _namespace(kube: KubeClient, name: str, labels: Mapping[str, str]) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    await kube.create(resources.NAMESPACES, None, body, manager=MANAGER)


async def _apply(kube: KubeClient, namespace: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    name = manifest["metadata"]["name"]
    body = _moved(manifest, namespace)
    return await kube.apply(
        resources.resource_of(dict(manifest)), namespace, name, body, manager=MANAGER
    )


async def test_what_was_applied_is_found_again_unchanged(kube: KubeClient, sample: Any) -> None:
    namespace = f"render-{sample.name}"
    await _namespace(kube, namespace, namespace_labels(sample.input.ref))
    manifests = project(sample.input).manifests
    for manifest in manifests:
        await _apply(kube, namespace, manifest)
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        live = await kube.get(resources.resource_of(dict(manifest)), namespace, name)
        assert live is not None
        found = list(differences(_moved(manifest, namespace), live))
        assert (manifest["kind"], name, found) == (manifest["kind"], name, [])


async def test_quota_and_pod_security_let_every_pod_in(kube: KubeClient, make_input: Any) -> None:
    """With as many pods as the size allows, replaced all at once."""
    await _namespace(kube, "render-quota", namespace_labels("f" * 20))
    for round_ in ("1", "2"):
        spec = {
            "size": "dev",
            "gateway": {"replicas": 2},
            "rest": {"replicas": 2},
            "storage": {"enabled": True, "replicas": 2},
            "functions": {"enabled": True, "replicas": 2},
        }
        input_ = make_input(spec, restarts=dict.fromkeys(ComponentName, round_))
        rendered = project(input_)
        for manifest in rendered.manifests:
            await _apply(kube, "render-quota", manifest)
        for component in rendered.components:
            await _until_ready(kube, "render-quota", component)


async def test_every_component_at_once_is_let_in_and_can_be_replaced(
    kube: KubeClient, samples: Any
) -> None:
    await _namespace(kube, "render-everything", namespace_labels("e" * 20))
    for round_ in ("1", "2"):
        restarts = dict.fromkeys(ComponentName, round_)
        rendered = project(dataclasses.replace(samples["full"].input, restarts=restarts))
        for manifest in rendered.manifests:
            await _apply(kube, "render-everything", manifest)
        for component in rendered.components:
            await _until_ready(kube, "render-everything", component)


async def test_storage_and_imgproxy_come_up_on_the_node_that_holds_the_files(
    kube: KubeClient, make_input: Any
) -> None:
    """Whichever is scheduled first; and again when both are replaced."""
    await _namespace(kube, "render-sharing", namespace_labels("v" * 20))
    spec = {
        "size": "dev",
        "storage": {"enabled": True, "backend": "file"},
        "imgproxy": {"replicas": 2},
    }
    for round_ in ("1", "2"):
        rendered = project(make_input(spec, restarts=dict.fromkeys(ComponentName, round_)))
        for manifest in rendered.manifests:
            await _apply(kube, "render-sharing", manifest)
        for component in rendered.components:
            await _until_ready(kube, "render-sharing", component)
        pods = (await kube.list(resources.PODS, "render-sharing")).items
        nodes = {
            pod["spec"]["nodeName"]
            for pod in pods
            if pod["metadata"]["labels"]["supaplane.dev/component"] in ("storage", "imgproxy")
            and "deletionTimestamp" not in pod["metadata"]
        }
        assert len(nodes) == 1


async def test_the_bucket_is_made_once_and_its_job_is_found_again_as_it_was(
    kube: KubeClient, make_input: Any
) -> None:
    await _namespace(kube, "render-job", namespace_labels("j" * 20))
    manifests = project(make_input({"size": "dev", "storage": {"enabled": True}})).manifests
    for manifest in manifests:
        await _apply(kube, "render-job", manifest)
    (job,) = [m for m in manifests if m["kind"] == "Job"]
    deadline = time.monotonic() + 60
    live = None
    while live is None or keep(live).state != "Complete":
        assert time.monotonic() < deadline, live
        await asyncio.sleep(0.2)
        live = await kube.get(resources.JOBS, "render-job", job["metadata"]["name"])
    uid = live["metadata"]["uid"]
    assert list(differences(_moved(job, "render-job"), live)) == []
    assert (await _apply(kube, "render-job", job))["metadata"]["uid"] == uid


async def _until_ready(kube: KubeClient, namespace: str, component: RenderedComponent) -> None:
    assert component.workload is not None
    kind, name = component.workload
    resource = resources.STATEFUL_SETS if kind == "StatefulSet" else resources.DEPLOYMENTS
    deadline = time.monotonic() + 60
    while True:
        live = await kube.get(resource, namespace, name)
        assert live is not None
        status = live.get("status") or {}
        counts = [status.get(k, 0) for k in ("readyReplicas", "updatedReplicas", "replicas")]
        current = status.get("observedGeneration") == live["metadata"]["generation"]
        if current and counts == [component.desired] * 3:
            return
        assert time.monotonic() < deadline, (name, status)
        await asyncio.sleep(0.2)


async def test_every_pod_is_restricted_and_the_databases_pod_is_baseline(
    kube: KubeClient, sample: Any
) -> None:
    level = "pod-security.kubernetes.io/enforce"
    restricted, baseline = f"restricted-{sample.name}", f"baseline-{sample.name}"
    await _namespace(kube, restricted, {level: "restricted"})
    await _namespace(kube, baseline, namespace_labels(sample.input.ref))
    for namespace in (restricted, baseline):
        await kube.create(resources.SERVICE_ACCOUNTS, namespace, ACCOUNT, manager=MANAGER)
    for manifest in project(sample.input).manifests:
        if manifest["kind"] not in ("Deployment", "StatefulSet", "Job"):
            continue
        name = manifest["metadata"]["name"]
        pod = _pod(manifest)
        for namespace in [baseline] if name == "db" else [baseline, restricted]:
            answer = await kube.create(
                resources.PODS, namespace, _moved(pod, namespace), manager=MANAGER
            )
            assert answer["metadata"]["name"] == name


async def test_the_database_is_the_one_exception(kube: KubeClient, samples: Any) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await _namespace(kube, "restricted-db", labels)
    await kube.create(resources.SERVICE_ACCOUNTS, "restricted-db", ACCOUNT, manager=MANAGER)
    manifests = project(samples["minimal"].input).manifests
    database = next(m for m in manifests if m["kind"] == "StatefulSet")
    body = _moved(_pod(database), "restricted-db")
    with pytest.raises(KubeError, match="restricted"):
        await kube.create(resources.PODS, "restricted-db", body, manager=MANAGER)


async def test_an_autoscaled_workload_wakes_up_again(kube: KubeClient, make_input: Any) -> None:
    await _namespace(kube, "render-scaled", namespace_labels("s" * 20))

    async def replicas(state: str) -> int:
        spec = {"desiredState": state, "rest": {"autoscaling": {"maxReplicas": 3}}}
        for manifest in project(make_input(spec)).manifests:
            if manifest["metadata"]["name"] == "rest" and manifest["kind"] == "Deployment":
                live = await kube.get(resources.DEPLOYMENTS, "render-scaled", "rest")
                moved = _moved(manifest, "render-scaled")
                assert live is None or list(differences(moved, live))
                answer = await _apply(kube, "render-scaled", manifest)
                return int(answer["spec"]["replicas"])
        raise AssertionError("no Deployment")

    assert await replicas("Running") == 1
    assert await replicas("Paused") == 0
    assert await replicas("Running") == 1


def _pod(workload: Mapping[str, Any]) -> dict[str, Any]:
    template = copy.deepcopy(workload["spec"]["template"])
    template["metadata"] |= {"name": workload["metadata"]["name"], "namespace": "-"}
    return {"apiVersion": "v1", "kind": "Pod", **template}
