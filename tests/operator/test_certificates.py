"""A public host without its certificate is told of, with cert-manager's own words."""

from __future__ import annotations

from typing import Any

import pytest

from supaplane_contract.status import Reason
from supaplane_kube import Forbidden, NotFound
from supaplane_kube.memory import MemoryKube
from supaplane_operator import certificates
from supaplane_operator.certificates import CERTIFICATES, Certificates, expected, trouble

WANTED = {"gateway-tls": "a.example.org, studio-a.example.org"}


def certificate(ready: str, message: str = "", **more: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready, "message": message}]
    if "failed" in more:
        issuing = {"type": "Issuing", "status": "False", "reason": "Failed"}
        conditions.append({**issuing, "message": more["failed"]})
    return {
        "metadata": {"name": "gateway-tls", "namespace": "default"},
        "spec": {"secretName": "gateway-tls"},
        "status": {"conditions": conditions},
    }


def test_an_issued_certificate_is_no_trouble():
    assert trouble(WANTED, [certificate("True", "up to date")]) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "is it installed"),
        ([certificate("False", "Issuing certificate as Secret does not exist")], "does not exist"),
        ([certificate("False", "waiting", failed="order is invalid")], "order is invalid"),
        ([{"spec": {"secretName": "gateway-tls"}}], "not looked at it yet"),
    ],
)
def test_the_message_says_which_hosts_and_why(found, words):
    problem = trouble(WANTED, found)
    assert problem.reason is Reason.CERTIFICATE_NOT_ISSUED
    assert problem.message.startswith("the certificate of a.example.org, studio-a.example.org")
    assert words in problem.message


def ingress(annotations: dict[str, str]) -> dict[str, Any]:
    tls = [{"hosts": ["a.example.org"], "secretName": "gateway-tls"}]
    return {"kind": "Ingress", "metadata": {"annotations": annotations}, "spec": {"tls": tls}}


def test_certificates_are_expected_where_an_issuer_signs_them():
    signed = ingress({"cert-manager.io/issuer": "ca"})
    assert expected([signed]) == {"gateway-tls": "a.example.org"}
    assert expected([ingress({})]) == {}


async def test_what_is_issued_is_not_looked_at_again_for_a_while():
    now = 0.0
    kube = MemoryKube()
    look = Certificates(kube, clock=lambda: now)
    problem, again = await look.trouble("default", WANTED)
    assert problem is not None
    assert again == certificates.SOONEST
    kube.put(CERTIFICATES, certificate("True"))
    assert (await look.trouble("default", WANTED))[0] is problem
    now += certificates.SOONEST
    assert await look.trouble("default", WANTED) == (None, None)
    kube.requests.clear()
    now += 60
    await look.trouble("default", WANTED)
    assert kube.requests == []
    more = {**WANTED, "gateway-tls-x": "www.acme.test"}
    assert "www.acme.test" in (await look.trouble("default", more))[0].message


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotFound(404, "NotFound", "the server could not find the requested resource", {}), True),
        (Forbidden(403, "Forbidden", "no", {}), False),
    ],
)
async def test_without_cert_manager_it_is_told_and_without_the_right_it_is_not(error, told):
    kube = MemoryKube()
    kube.fail(error)
    problem, _ = await Certificates(kube, clock=lambda: 0.0).trouble("default", WANTED)
    assert (problem is not None) is told


@pytest.fixture
def signed(stage, monkeypatch):
    """Its Ingress has a certificate, which is asked for often."""
    monkeypatch.setattr(certificates, "SOONEST", 0.05)
    inner = stage.renderer.__class__.__call__

    def render(renderer, wish):
        rendered = inner(renderer, wish)
        for manifest in rendered.manifests:
            if manifest["kind"] == "Ingress":
                manifest["metadata"]["annotations"] = {"cert-manager.io/issuer": "ca"}
                hosts = [rule["host"] for rule in manifest["spec"]["rules"]]
                manifest["spec"]["tls"] = [{"hosts": hosts, "secretName": "gateway-tls"}]
        return rendered

    monkeypatch.setattr(stage.renderer.__class__, "__call__", render)
    return stage


def network(stage: Any) -> str:
    return str(stage.condition("NetworkReady").get("reason"))


async def test_a_project_says_that_its_certificate_is_missing_until_it_is_there(signed):
    signed.make(ingress={"kind": "Ingress"})
    await signed.until(lambda: signed.phase() == "ACTIVE_HEALTHY")
    await signed.until(lambda: network(signed) == Reason.CERTIFICATE_NOT_ISSUED)
    assert signed.condition("Ready")["reason"] == Reason.CERTIFICATE_NOT_ISSUED
    issued = certificate("True")
    issued["metadata"]["namespace"] = signed.namespace()
    signed.kube.put(CERTIFICATES, issued)
    await signed.until(lambda: signed.condition("Ready")["status"] == "True")
    signed.kube.requests.clear()
    await signed.quiet()
    assert signed.kube.writes == ()


async def test_a_glance_at_the_pods_sees_the_certificate_too(signed):
    signed.lazy.add("rest")
    signed.make(ingress={"kind": "Ingress"})
    await signed.until(lambda: signed.condition("DatabaseReady").get("status") == "True")
    await signed.quiet()
    assert network(signed) == Reason.READY
    signed.lazy.clear()
    signed.controllers_look()
    await signed.until(lambda: network(signed) == Reason.CERTIFICATE_NOT_ISSUED)
    signed.unready = {"rest"}
    signed.controllers_look()
    await signed.until(lambda: signed.phase() == "ACTIVE_UNHEALTHY")
    assert network(signed) == Reason.CERTIFICATE_NOT_ISSUED
