"""The DNS hook hears of hosts: signed, at least once, and nothing breaks when it is away."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import resources as kinds
from supaplane_operator import dns_hook
from supaplane_operator.dns_answer import Heard, judged
from supaplane_operator.dns_ledger import Entry, Event
from supaplane_operator.dns_request import Call
from supaplane_operator.errors import LeaseLost
from supaplane_operator.settings import Deadlines, Hook

HOME = names.DEFAULT_HOME_NAMESPACE
REF = "h" * 20
API, STUDIO = f"{REF}.example.org", f"studio-{REF}.example.org"
KEY = "a key that nobody else knows, 32 or more"
INGRESS = {"kind": "Ingress"}


@dataclass
class Receiver:
    """A hook as its docs say: it checks the signature, and keeps the highest revision."""

    url: str = ""
    status: int = 200
    heard: list[dict] = field(default_factory=list)
    records: dict[str, list[str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = request.headers["Supaplane-Timestamp"]
        wanted = hmac.new(KEY.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(request.headers["Supaplane-Signature"], f"v1={wanted}")
        call = json.loads(body)
        self.heard.append(call)
        if self.hold is not None:
            await self.hold.wait()
        if self.status == 200:
            targets = call["targets"]
            self.records.pop(call["host"], None)
            if call["event"] != "delete":
                self.records[call["host"]] = targets
        headers = {"Location": f"{self.url}/elsewhere"} if 300 <= self.status < 400 else {}
        return web.Response(status=self.status, headers=headers)

    async def elsewhere(self, request: web.Request) -> web.Response:
        self.seen.append(request.path)
        return web.Response()

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(call["event"], call["host"]) for call in self.heard]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    app.router.add_route("*", "/hook/elsewhere", receiver.elsewhere)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def stage(new_stage, receiver, monkeypatch):
    """An operator with that hook, which is not patient."""
    monkeypatch.setattr(dns_hook, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(dns_hook, "LAST_PAUSE", 0.1)
    async with new_stage(
        dns_hook=Hook(receiver.url, KEY), deadlines=Deadlines(dns_hook=60.0)
    ) as stage:
        yield stage


def ready(stage) -> tuple[str, str]:
    condition = stage.condition("DNSReady")
    return condition.get("status", ""), condition.get("reason", "")


async def settled(stage) -> str:
    """Waits until a project is active and its hosts are known."""
    stage.make(ref=REF, ingress=INGRESS)
    namespace = await stage.active()
    await stage.until(lambda: ready(stage) == ("True", Reason.DNS_ACKNOWLEDGED))
    await stage.quiet()
    return namespace


def publish(stage, namespace: str, *points: dict[str, str]) -> None:
    """The ingress controller says where it is reached."""
    live = stage.kube.peek(kinds.INGRESSES, namespace, "gateway")
    live["status"] = {"loadBalancer": {"ingress": list(points)}}
    stage.kube.put(kinds.INGRESSES, live)


async def test_each_host_is_told_once_and_then_nothing_is_written(stage, receiver):
    await settled(stage)
    assert receiver.told == [("create", API), ("create", STUDIO)]
    call = receiver.heard[0]
    assert call["version"] == 1
    assert call["id"] == f"{REF}/{API}/{call['revision']}"
    assert call["project"] == {"ref": REF, "namespace": HOME, "name": "shop"}
    stage.kube.requests.clear()
    stage.engine.look((HOME, "shop"))
    await stage.quiet()
    assert stage.kube.writes == ()
    assert len(receiver.heard) == 2


async def test_the_address_is_told_when_it_is_known_and_when_it_changes(stage, receiver):
    namespace = await settled(stage)
    assert receiver.records == {API: [], STUDIO: []}
    publish(stage, namespace, {"ip": "203.0.113.7"})
    await stage.until(lambda: receiver.records[API] == receiver.records[STUDIO] == ["203.0.113.7"])
    publish(stage, namespace, {"hostname": "lb.example.net"})
    await stage.until(lambda: receiver.records[STUDIO] == ["lb.example.net"])
    assert {call["event"] for call in receiver.heard[2:]} == {"change"}
    revisions = [call["revision"] for call in receiver.heard]
    assert revisions == sorted(set(revisions))


async def test_a_custom_domain_is_its_owners_business(stage, receiver):
    stage.make(ref=REF, ingress=INGRESS, customDomains=["www.acme.test"])
    await stage.active()
    await stage.until(lambda: ready(stage)[0] == "True")
    assert {host for _, host in receiver.told} == {API, STUDIO}


async def test_a_host_that_goes_is_deleted(stage, receiver):
    await settled(stage)
    stage.change(ingress={"kind": "None"})
    await stage.until(lambda: receiver.records == {})
    await stage.until(lambda: ready(stage) == ("True", Reason.NO_PUBLIC_HOST))
    stage.change(ingress=INGRESS)
    await stage.until(lambda: receiver.records == {API: [], STUDIO: []})


async def test_a_hook_that_is_away_is_told_of_and_called_until_it_answers(stage, receiver):
    receiver.status = 503
    stage.make(ref=REF, ingress=INGRESS)
    await stage.active()
    await stage.until(lambda: ready(stage) == ("False", Reason.DNS_HOOK_UNAVAILABLE))
    assert stage.condition("Ready")["status"] == "True"
    assert "503" in stage.condition("DNSReady")["message"]
    stage.kube.requests.clear()
    calls = len(receiver.heard)
    await stage.until(lambda: len(receiver.heard) > calls + 4)
    assert stage.kube.writes == ()
    assert {call["id"] for call in receiver.heard} == {call["id"] for call in receiver.heard[:2]}
    receiver.status = 200
    await stage.until(lambda: ready(stage) == ("True", Reason.DNS_ACKNOWLEDGED))


async def test_a_refusal_is_told_and_not_repeated_at_once(stage, receiver):
    receiver.status = 422
    stage.make(ref=REF, ingress=INGRESS)
    await stage.active()
    await stage.until(lambda: ready(stage) == ("False", Reason.DNS_HOOK_REFUSED))
    await stage.until(lambda: len(receiver.heard) == 2)
    stage.engine.look((HOME, "shop"))
    await stage.quiet()
    assert len(receiver.heard) == 2


async def test_a_refusal_is_tried_again_after_a_rest(stage, receiver, monkeypatch):
    receiver.status = 422
    stage.make(ref=REF, ingress=INGRESS)
    await stage.active()
    await stage.until(lambda: ready(stage) == ("False", Reason.DNS_HOOK_REFUSED))
    receiver.status = 200
    monkeypatch.setattr(dns_hook, "REST_SECONDS", 0.0)
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: ready(stage)[0] == "True")


async def test_a_redirect_is_not_followed(stage, receiver):
    receiver.status = 307
    stage.make(ref=REF, ingress=INGRESS)
    await stage.active()
    await stage.until(lambda: ready(stage) == ("False", Reason.DNS_HOOK_REFUSED))
    assert receiver.seen == []


async def test_an_operator_that_is_killed_in_a_call_makes_the_same_call_again(stage, receiver):
    receiver.hold = asyncio.Event()
    stage.make(ref=REF, ingress=INGRESS)
    await stage.until(lambda: receiver.heard)
    await stage.stop()
    receiver.hold.set()
    receiver.hold = None
    await stage.start()
    await stage.until(lambda: ready(stage)[0] == "True")
    same = [call for call in receiver.heard if call["host"] == API]
    assert len(same) == 2
    assert same[0] == same[1]


async def test_a_restarted_operator_calls_nobody_and_writes_nothing(stage, receiver):
    await settled(stage)
    await stage.stop()
    stage.kube.requests.clear()
    await stage.start()
    await stage.until(lambda: stage.kube.requests)
    await stage.quiet()
    assert stage.kube.writes == ()
    assert len(receiver.heard) == 2


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
async def test_a_deletion_takes_the_hosts_back_first(stage, receiver, policy):
    stage.make(ref=REF, ingress=INGRESS, deletion={"policy": policy})
    await stage.active()
    await stage.until(lambda: ready(stage)[0] == "True")
    receiver.status = 503
    await stage.delete()
    await stage.until(lambda: ("delete", API) in receiver.told)
    await asyncio.sleep(0.3)
    namespace = stage.kube.peek(kinds.NAMESPACES, None, f"supabase-{REF}")
    assert names.ANNOTATION_OWNER in namespace["metadata"]["annotations"]
    receiver.status = 200
    await stage.until(stage.gone)
    assert receiver.records == {}


async def test_a_hook_that_stays_away_does_not_hold_up_a_deletion_for_ever(stage, receiver, caplog):
    await settled(stage)
    receiver.status = 503
    await stage.delete()
    await stage.until(lambda: ("delete", API) in receiver.told)
    assert not stage.gone()
    stage.later = timedelta(seconds=61)
    await stage.until(stage.gone)

    def told() -> int:
        reasons = [e["reason"] for e in stage.kube.all(kinds.EVENTS, HOME)]
        return reasons.count(Reason.DNS_HOOK_UNAVAILABLE)

    # Events are made in the background.
    await stage.until(told)
    await stage.quiet()
    assert told() == 1
    assert f"{API}, {STUDIO} goes" in caplog.text


async def test_who_keeps_the_operators_hands_off_keeps_it_from_calling(stage, receiver):
    await settled(stage)
    stage.annotate(reconcile="paused")
    await stage.until(lambda: stage.condition("Reconciling")["reason"] == Reason.RECONCILE_PAUSED)
    publish(stage, f"supabase-{REF}", {"ip": "203.0.113.9"})
    await stage.quiet()
    assert len(receiver.heard) == 2
    assert ready(stage) == ("True", Reason.DNS_ACKNOWLEDGED)
    stage.annotate(reconcile=None)
    await stage.until(lambda: receiver.records[API] == ["203.0.113.9"])


async def test_without_a_hook_nothing_is_said_or_written_of_it(new_stage):
    async with new_stage() as stage:
        stage.make(ref=REF, ingress=INGRESS)
        namespace = await stage.active()
        assert stage.condition("DNSReady") == {}
        live = stage.kube.peek(kinds.NAMESPACES, None, namespace)
        assert names.ANNOTATION_DNS not in live["metadata"]["annotations"]


async def test_the_key_is_in_no_log_and_nowhere_in_the_cluster(stage, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    receiver.status = 403
    stage.make(ref=REF, ingress=INGRESS)
    await stage.active()
    await stage.until(lambda: ready(stage)[0] == "False")
    every = [stage.kube.all(kind) for kind in {kinds.NAMESPACES, *kinds.BY_KIND.values()}]
    assert KEY not in str(every) + caplog.text + repr(stage.settings)


async def test_calls_that_replace_others_are_made_once(receiver):
    hook = dns_hook.DnsHook(
        Hook(receiver.url, KEY),
        deadline=60.0,
        wanted=lambda _: None,
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        demand=lambda: None,
        count=lambda _: None,
    )
    for revision in (1, 2, 3):
        entry = Entry(Event.CREATE, (), revision)
        hook.tell((HOME, "shop"), [Call(REF, HOME, "shop", API, entry)])
    running = asyncio.create_task(hook.run())
    await asyncio.sleep(0.3)
    running.cancel()
    assert [call["revision"] for call in receiver.heard] == [3]


async def test_without_the_lease_nobody_is_called(receiver):
    def refuse() -> None:
        raise LeaseLost("no Lease")

    hook = dns_hook.DnsHook(
        Hook(receiver.url, KEY),
        deadline=1.0,
        wanted=lambda _: None,
        now=lambda: pytest.fail("nothing is sent"),
        monotonic=lambda: 0.0,
        demand=refuse,
        count=lambda _: None,
    )
    hook.tell((HOME, "shop"), [Call(REF, HOME, "shop", API, Entry(Event.CREATE, (), 1))])
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(hook.run(), 5)
    assert caught.group_contains(LeaseLost)
    assert receiver.heard == []


@pytest.mark.parametrize(
    ("status", "heard"),
    [
        (200, Heard.YES),
        (204, Heard.YES),
        (301, Heard.REFUSED),
        (404, Heard.REFUSED),
        (408, Heard.FAILED),
        (429, Heard.FAILED),
        (500, Heard.FAILED),
        (503, Heard.FAILED),
    ],
)
def test_what_may_pass_is_tried_again(status, heard):
    assert judged(status).heard is heard


async def test_calls_rest_when_the_deadline_is_over(new_stage, receiver, monkeypatch):
    monkeypatch.setattr(dns_hook, "FIRST_PAUSE", 0.01)
    receiver.status = 500
    async with new_stage(
        dns_hook=Hook(receiver.url, KEY), deadlines=replace(Deadlines(), dns_hook=0.1)
    ) as stage:
        stage.make(ref=REF, ingress=INGRESS)
        await stage.active()
        await asyncio.sleep(0.3)
        calls = len(receiver.heard)
        stage.engine.look((HOME, "shop"))
        await asyncio.sleep(0.2)
        assert len(receiver.heard) == calls
        assert ready(stage) == ("False", Reason.DNS_HOOK_UNAVAILABLE)
