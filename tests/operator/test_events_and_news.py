"""What is told by Events, what is news, and how several requests are made at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from supaplane_contract import names
from supaplane_contract.credentials import to_secret_data
from supaplane_contract.status import ProjectStatus
from supaplane_kube import Forbidden, Unreachable
from supaplane_kube import resources as kinds
from supaplane_operator.events import event
from supaplane_operator.news import News, newer
from supaplane_operator.parallel import in_parallel
from supaplane_operator.projects import PROJECTS
from supaplane_operator.subject import Subject

HOME = names.DEFAULT_HOME_NAMESPACE


async def test_each_new_phase_is_an_event_of_the_project(stage):
    stage.make()
    await stage.active()
    events = stage.kube.all(kinds.EVENTS, HOME)
    assert {e["reason"] for e in events} == {"ComingUp", "ActiveHealthy"}
    uid = stage.project()["metadata"]["uid"]
    assert {e["involvedObject"]["uid"] for e in events} == {uid}


async def test_an_event_that_cannot_be_made_stops_nothing(stage):
    stage.kube.fail(
        Forbidden(403, "Forbidden", "no", {}), times=99, when=lambda r: r.resource == kinds.EVENTS
    )
    stage.make()
    await stage.active()


def test_trouble_is_a_warning():
    meta = {"name": "shop", "namespace": "home", "uid": "u", "resourceVersion": "7"}
    subject = Subject({"metadata": meta}, "cluster")
    now = datetime.now(UTC)
    types = {
        phase: event(subject, ProjectStatus(phase=phase, message="m"), now)["type"]
        for phase in ("ACTIVE_UNHEALTHY", "INIT_FAILED", "ACTIVE_HEALTHY", "GOING_DOWN")
    }
    assert types == {
        "ACTIVE_UNHEALTHY": "Warning",
        "INIT_FAILED": "Warning",
        "ACTIVE_HEALTHY": "Normal",
        "GOING_DOWN": "Normal",
    }


def test_what_a_pass_has_read_is_no_news():
    news, key = News(), ("home", "shop")
    assert news.is_news(key, "5")
    news.saw(key, "5")
    assert not news.is_news(key, "5")
    assert not news.is_news(key, "4")
    assert news.is_news(key, "6")
    assert news.is_news(key, "opaque")
    news.forget(key)
    assert news.is_news(key, "5")


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [("5", None, "5"), ("9", "10", "10"), ("x", "10", "x"), ("9", "x", "x")],
)
def test_the_newer_of_two_versions(one, other, result):
    assert newer(one, other) == result


async def test_a_pass_does_not_wake_itself(stage):
    stage.make()
    await stage.active()
    passes = stage.engine.metrics.passes.labels("ok")._value.get()
    reads = [r for r in stage.kube.requests if r.verb == "list" and r.resource == kinds.SECRETS]
    assert not reads, "the first pass was whole, and nothing since gave reason for another"
    assert passes < 12


async def test_a_change_during_a_pass_counts_though_our_own_write_is_newer(stage, monkeypatch):
    stage.make()
    namespace = await stage.active()
    write, done = stage.kube.merge_patch, []

    async def after_somebody(resource, home, name, body, **more):
        if more.get("subresource") == "status" and not done:
            done.append(True)
            secret = stage.kube.peek(kinds.SECRETS, namespace, "rest")
            stage.kube.put(kinds.SECRETS, {**secret, "data": {"code": "d3Jvbmc="}})
            stage.annotate(look="again")
        return await write(resource, home, name, body, **more)

    monkeypatch.setattr(stage.kube, "merge_patch", after_somebody)
    stage.unready.add("rest")
    stage.controllers_look()
    await stage.until(lambda: done)
    await stage.quiet()
    secret = stage.kube.peek(kinds.SECRETS, namespace, "rest")
    assert secret["data"] == to_secret_data({"code": "1"})


async def test_a_change_that_a_pass_has_read_before_it_heard_of_it_is_looked_at_closely(
    stage, monkeypatch
):
    stage.make()
    namespace = await stage.active()
    read, done = stage.kube.get, []

    async def after_somebody(resource, home, name):
        if resource == PROJECTS and not done:
            done.append(True)
            secret = stage.kube.peek(kinds.SECRETS, namespace, "rest")
            stage.kube.put(kinds.SECRETS, {**secret, "data": {"code": "d3Jvbmc="}})
            stage.annotate(look="again")
            await asyncio.sleep(0.05)  # the event arrives while the pass waits for this answer
        return await read(resource, home, name)

    monkeypatch.setattr(stage.kube, "get", after_somebody)
    stage.kube.remove(kinds.SERVICES, namespace, "rest")
    await stage.until(lambda: stage.kube.peek(kinds.SERVICES, namespace, "rest"))
    await stage.quiet()
    assert done
    secret = stage.kube.peek(kinds.SECRETS, namespace, "rest")
    assert secret["data"] == to_secret_data({"code": "1"})


async def test_no_more_calls_than_allowed_are_made_at_once():
    inside, most = 0, 0

    async def call() -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        return inside

    assert len(await in_parallel([call] * 50, 7)) == 50
    assert most == 7


async def test_the_first_error_is_raised_as_itself():
    async def fails() -> None:
        raise Unreachable("no")

    async def waits() -> None:
        await asyncio.sleep(60)

    with pytest.raises(Unreachable):
        await in_parallel([waits, fails, waits], 3)
