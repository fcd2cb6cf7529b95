"""What a person and their tools are told, on a real API server with real controllers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from supaplane_contract import names
from supaplane_kube import Forbidden, Invalid, Resource
from supaplane_kube import resources as kinds

pytestmark = pytest.mark.cluster

REF = "t" * 19


async def test_kubectl_waits_for_ready_through_every_change(cluster, operator, devcluster):
    async def wait(condition: str) -> None:
        arguments = ("wait", f"--for=condition={condition}", "sbp/shop", "-n", cluster.home)
        await asyncio.to_thread(devcluster.kubectl, *arguments, "--timeout=60s")

    await cluster.make("shop", ref=REF + "a")
    await wait("Ready")
    assert (await cluster.status("shop"))["phase"] == "ACTIVE_HEALTHY"
    await cluster.patch("shop", {"spec": {"desiredState": "Paused"}})
    await wait("Available=False")
    await cluster.until_phase("shop", "INACTIVE")
    await wait("Ready")
    await cluster.patch("shop", {"spec": {"desiredState": "Running"}})
    await wait("Available")
    await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    await cluster.delete("shop")
    gone = ("wait", "--for=delete", "sbp/shop", "-n", cluster.home, "--timeout=60s")
    await asyncio.to_thread(devcluster.kubectl, *gone)


async def test_a_quota_that_is_too_small_is_told_of_a_stateful_set_too(cluster, operator):
    await cluster.make("shop", ref=REF + "b")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "no-pods", "namespace": namespace},
        "spec": {"hard": {"pods": "0"}},
    }
    await cluster.kube.create(kinds.RESOURCE_QUOTAS, namespace, quota, manager="tests")

    async def counted() -> bool:
        live = await cluster.kube.get(kinds.RESOURCE_QUOTAS, namespace, "no-pods")
        return "used" in (live.get("status") or {})

    await cluster.until(counted)
    await cluster.kube.delete(kinds.PODS, namespace, "db-0")

    async def told() -> bool:
        found = await cluster.condition("shop", "DatabaseReady")
        return found["reason"] == "QuotaExceeded" and "no-pods" in found["message"]

    await cluster.until(told)
    await cluster.kube.delete(kinds.RESOURCE_QUOTAS, namespace, "no-pods")


async def test_pods_that_a_policy_refuses_are_told_of_with_its_words(cluster, operator, refuse):
    await cluster.make("shop", ref=REF + "e")
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    await refuse(namespace)
    await cluster.kube.delete(kinds.PODS, namespace, "db-0")

    async def told() -> bool:
        found = await cluster.condition("shop", "DatabaseReady")
        return found["reason"] == "ApplyRefused" and "not on a Sunday" in found["message"]

    await cluster.until(told)


@pytest.fixture
async def refuse(cluster) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Makes an admission policy that refuses pods in a namespace."""
    name = "tests-no-pods"
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}

    async def refuse(namespace: str) -> None:
        where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        match = {"namespaceSelector": where, "resourceRules": [pods | {"resources": ["pods"]}]}
        spec = {
            "matchConstraints": match,
            "validations": [{"expression": "false", "message": "not on a Sunday"}],
        }
        await cluster.kube.create(POLICIES, None, _policy(POLICIES, name, spec), manager="tests")
        spec = {"policyName": name, "validationActions": ["Deny"]}
        await cluster.kube.create(BINDINGS, None, _policy(BINDINGS, name, spec), manager="tests")
        await cluster.until(lambda: _is_refused(cluster, namespace))

    yield refuse
    await cluster.kube.delete(BINDINGS, None, name)
    await cluster.kube.delete(POLICIES, None, name)


def _policy(kind: Resource, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    body = {"apiVersion": kind.api_version, "kind": kind.kind}
    return {**body, "metadata": {"name": name}, "spec": spec}


async def _is_refused(cluster: Any, namespace: str) -> bool:
    """Policies hold a moment after they are made."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": namespace},
        "spec": {"containers": [{"name": "probe", "image": "probe"}]},
    }
    try:
        await cluster.kube.apply(kinds.PODS, namespace, "probe", pod, manager="tests", dry_run=True)
    except (Forbidden, Invalid) as error:
        return "not on a Sunday" in error.message
    return False


GROUP = "admissionregistration.k8s.io"
POLICIES = Resource(
    GROUP, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False
)
BINDINGS = Resource(
    GROUP,
    "v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding",
    namespaced=False,
)


async def test_a_storage_class_that_is_not_there_is_named(cluster, operator):
    storage = {"className": "nowhere"}
    await cluster.make("shop", ref=REF + "c", database={"storage": storage})

    async def told() -> bool:
        found = await cluster.condition("shop", "DatabaseReady")
        return found.get("reason") == "VolumePending" and "nowhere" in found["message"]

    await cluster.until(told)


class Hook:
    """Takes calls, or keeps them waiting."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.may_answer = asyncio.Event()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.heard.append(json.loads(await request.read()))
        await self.may_answer.wait()
        return web.Response()

    def told(self, event: str) -> set[str]:
        """Hosts of which it was told that."""
        return {call["host"] for call in self.heard if call["event"] == event}


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/", hook.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield hook
    await runner.cleanup()


async def test_the_dns_hook_hears_the_same_again_after_a_kill_and_of_the_end_too(
    cluster, new_operator, hook
):
    environ = {
        "DOMAIN_DNS_HOOK_URL": hook.url,
        "DOMAIN_DNS_HOOK_KEY": "0123456789abcdef" * 2,
        "SUPAPLANE_INGRESS_KIND": "Ingress",
    }
    first = new_operator(environ=environ)
    first.start()
    await cluster.make("shop", ref=REF + "d")

    async def heard() -> bool:
        return bool(hook.heard)

    await cluster.until(heard)
    first.kill()
    hook.may_answer.set()
    second = new_operator(environ=environ)
    second.start()

    async def known() -> bool:
        return (await cluster.condition("shop", "DNSReady")).get("status") == "True"

    await cluster.until(known)
    again = [call for call in hook.heard if call["host"] == hook.heard[0]["host"]]
    assert len(again) == 2
    assert again[0] == again[1]
    namespace = await cluster.until_phase("shop", "ACTIVE_HEALTHY")
    live = await cluster.kube.get(kinds.INGRESSES, namespace, "gateway")
    live["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}
    await cluster.kube.merge_patch(
        kinds.INGRESSES,
        namespace,
        "gateway",
        {"status": live["status"]},
        manager="somebody",
        subresource="status",
    )

    async def moved() -> bool:
        return {tuple(c["targets"]) for c in hook.heard if c["event"] == "change"} == {
            ("203.0.113.7",)
        } and len(hook.told("change")) == 2

    async def at_rest() -> bool:
        cluster.mark()
        await asyncio.sleep(1.0)
        return cluster.writes() == [] and await known()

    await cluster.until(moved)
    await cluster.until(at_rest)
    await cluster.patch("shop", {"metadata": {"labels": {"look": "again"}}})
    await asyncio.sleep(1.0)
    assert cluster.writes() == []
    await cluster.delete("shop")
    await cluster.until_gone("shop")
    assert hook.told("delete") == hook.told("create")
    released = await cluster.kube.get(kinds.NAMESPACES, None, namespace)
    assert '"hosts":{}' in released["metadata"]["annotations"][names.ANNOTATION_DNS]
    assert second.count('supaplane_dns_hook_calls_total{result="yes"}') >= 6
