"""Newer releases may be offered over the network: checked, kept for good, never needed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Reason
from supaplane_kube import Forbidden, Unreachable
from supaplane_kube import resources as kinds
from supaplane_operator import catalogue, release_feed
from supaplane_operator.errors import SettingsRefused
from supaplane_operator.main import _settings, parser
from supaplane_operator.releases import as_data, load_releases, parse
from supaplane_operator.releases.offer import MOST_BYTES, MOST_RELEASES, read, take_in
from supaplane_operator.render.components import PARTS

PLACE = "supaplane-system"
COMPONENTS = ["db", "auth", "rest", "gateway"]


def entry(name: str = "2026.3", **changes: Any) -> dict[str, Any]:
    images = {component: f"acme/{component}:1" for component in COMPONENTS}
    data = {"name": name, "postgresVersion": "17", "images": images}
    return data | {"defaultComponents": COMPONENTS} | changes


def taken(*entries: Any, known: Any = ()) -> Any:
    before = {e["name"]: parse(e["name"], e) for e in known}
    return take_in(entries, before, renderable=PARTS.keys())


def test_a_document_is_json_or_yaml():
    as_json = json.dumps({"releases": [entry()]}).encode()
    as_yaml = b"releases:\n  - name: '2026.3'\n    postgresVersion: '17'\n"
    assert read(as_json) == [entry()]
    assert read(as_yaml) == [{"name": "2026.3", "postgresVersion": "17"}]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "key releases"),
        (b"<html>not found</html>", "key releases"),
        (b"[]", "key releases"),
        (b'{"releases": {}}', "must be a list"),
        (b'{"releases": [], "more": 1}', "no other"),
        (b"releases: [", "neither JSON nor YAML"),
        (b"releases: \xff\xfe", "neither JSON nor YAML"),
        (b"a: &a [x]\nreleases: [*a, *a]", "neither JSON nor YAML"),
        (b"releases: !!python/object/apply:os.system [id]", "neither JSON nor YAML"),
        (b"releases: " + b"[" * 5000, "neither JSON nor YAML"),
        (b" " * (MOST_BYTES + 1), "longer than"),
    ],
)
def test_what_is_no_document_is_refused(document: bytes, why: str):
    with pytest.raises(ValueError, match=why):
        read(document)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": 7}, "without a name"),
        ({"name": "Über"}, "name"),
        ({"name": "../x"}, "name"),
        ({"surprise": True}, "surprise: Extra inputs"),
        ({"postgresVersion": 17}, "postgresVersion"),
        ({"images": {"db": "acme/db:1"}}, "no image for auth"),
        ({"images": {"teapot": "acme/teapot:1"}}, "teapot"),
        ({"images": {"db": "acme/db:latest"}}, "tag with a number, or a digest"),
        ({"images": {"db": "acme/db"}}, "tag with a number, or a digest"),
        ({"images": {"db": "registry.acme.test:5000/db"}}, "tag with a number, or a digest"),
        ({"images": {"db": "acme/db:1; rm -rf /"}}, "images.db"),
        ({"variants": {"gateway": {"kong": "kong/kong:stable"}}}, "variants.gateway.kong"),
        ({"helpers": {"Bucket": "acme/b:1"}}, "helpers"),
    ],
)
def test_one_that_is_wrong_is_refused_and_keeps_no_other_from_it(changes: Any, why: str):
    result = taken(entry("2026.4"), entry() | changes, "nonsense")
    assert list(result.new) == ["2026.4"]
    assert len(result.refused) == 2
    assert why in result.refused[0]


def test_an_image_by_its_digest_is_as_good_as_by_a_tag():
    digest = "acme/db@sha256:" + "a" * 64
    images = entry()["images"] | {"db": digest}
    assert taken(entry(images=images)).new["2026.3"].images[ComponentName.DB] == digest


def test_what_needs_a_newer_operator_is_refused():
    result = take_in([entry()], {}, renderable={ComponentName.DB})
    assert result.new == {}
    assert "cannot bring about auth, gateway, rest" in result.refused[0]


def test_a_release_never_changes_once_it_is_known():
    other = entry(images=entry()["images"] | {"db": "acme/db:2"})
    result = taken(other, known=[entry()])
    assert result.new == {}
    assert "a release never changes" in result.refused[0]
    assert taken(entry(), known=[entry()]) == taken()
    assert len(taken(entry(), other).refused) == 1


def test_there_is_an_end_to_how_many_are_taken_in():
    result = taken(*(entry(f"2030.{n}") for n in range(MOST_RELEASES + 1)))
    assert (len(result.new), len(result.refused)) == (MOST_RELEASES, 1)


def test_every_release_is_written_down_as_it_was_read():
    for name, release in load_releases().items():
        assert parse(name, json.loads(json.dumps(as_data(release)))) == release


@dataclass
class Server:
    """Where SERVICE_VERSION_URL points to."""

    url: str = ""
    status: int = 200
    releases: list[Any] = field(default_factory=list)
    body: bytes | None = None
    asked: int = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        body = self.body or json.dumps({"releases": self.releases}).encode()
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(status=self.status, body=body, headers=headers)


@pytest.fixture
async def server(monkeypatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(release_feed, "REFRESH_SECONDS", 0.05)
    monkeypatch.setattr(release_feed, "FIRST_PAUSE", 0.02)
    server = Server()
    application = web.Application()
    application.router.add_get("/releases", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}/releases"
    yield server
    await runner.cleanup()


@pytest.fixture
async def offered(stage, server):
    """A stage whose operator asks the server."""
    stage.kube.put(kinds.NAMESPACES, {"metadata": {"name": PLACE}})
    stage.settings = replace(stage.settings, releases_url=server.url, operator_namespace=PLACE)
    await stage.restart()
    return stage


def kept(stage) -> dict[str, str]:
    found = stage.kube.peek(kinds.CONFIG_MAPS, PLACE, catalogue.NAME) or {}
    return found.get("data") or {}


def fetches(stage, result: str) -> float:
    name = "supaplane_release_fetches_total"
    return stage.engine.metrics.registry.get_sample_value(name, {"result": result}) or 0.0


async def test_a_new_project_gets_the_newest_offered_release(offered, server):
    server.releases = [entry()]
    await offered.until(lambda: kept(offered))
    offered.make()
    await offered.active()
    assert offered.status()["release"] == "2026.3"


async def test_a_project_that_waits_for_a_release_comes_up_when_it_is_offered(offered, server):
    offered.make(release="2026.3")
    await offered.until(lambda: offered.condition("Accepted").get("status") == "False")
    told = offered.condition("Accepted")
    assert told["reason"] == Reason.RELEASE_UNKNOWN
    assert "SERVICE_VERSION_URL" in told["message"]
    server.releases = [entry()]
    await offered.active()
    assert offered.status()["release"] == "2026.3"


async def test_a_pinned_release_outlives_the_offer_and_the_operator(offered, server):
    server.releases = [entry()]
    await offered.until(lambda: kept(offered))
    offered.make()
    await offered.active()
    server.status = 503
    offered.kube.requests.clear()
    await offered.restart()
    await offered.until(lambda: fetches(offered, "failed") >= 2)
    await offered.quiet()
    assert offered.phase() == "ACTIVE_HEALTHY"
    assert offered.condition("Accepted")["status"] == "True"
    assert offered.touched == set()

    offered.settings = replace(offered.settings, releases_url=None)
    await offered.restart()
    offered.change(displayName="Still there")
    await offered.active()
    assert offered.status()["release"] == "2026.3"


async def test_another_release_of_the_same_name_changes_nothing(offered, server, caplog):
    caplog.set_level(logging.WARNING)
    server.releases = [entry()]
    await offered.until(lambda: kept(offered))
    before = kept(offered)
    server.releases = [entry(images=entry()["images"] | {"db": "evil/db:1"}), entry("2026.1")]
    await offered.until(lambda: fetches(offered, "refused") >= 3)
    assert kept(offered) == before
    assert "evil" not in json.dumps(as_data(offered.engine.world.catalogue.releases["2026.3"]))
    lines = [r.getMessage() for r in caplog.records if "never changes" in r.getMessage()]
    assert len(lines) == 2, "what is refused again is told once"


async def test_releases_that_are_offered_no_more_stay_known(offered, server):
    server.releases = [entry("2026.3")]
    await offered.until(lambda: kept(offered))
    server.releases = [entry("2026.4")]
    await offered.until(lambda: len(kept(offered)) == 2)
    await offered.restart()
    assert {"2026.1", "2026.2", "2026.3", "2026.4"} == set(offered.engine.world.catalogue.releases)
    sample = offered.engine.metrics.registry.get_sample_value
    assert sample("supaplane_releases", {"origin": "shipped"}) == 2
    assert sample("supaplane_releases", {"origin": "offered"}) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"nothing here"),
        (302, None),
        (200, b"<html>"),
        (200, b" " * (MOST_BYTES + 1)),
    ],
)
async def test_without_an_offer_everything_goes_on(offered, server, status, body, caplog):
    caplog.set_level(logging.WARNING)
    server.status, server.body, server.releases = status, body, [entry()]
    await offered.until(lambda: fetches(offered, "failed") >= 1)
    offered.make()
    await offered.active()
    assert offered.status()["release"] == "2026.2"
    assert server.url not in caplog.text


async def test_at_rest_nothing_is_written(offered, server):
    server.releases = [entry()]
    await offered.until(lambda: kept(offered))
    offered.make()
    await offered.active()
    offered.kube.requests.clear()
    before = server.asked
    await offered.until(lambda: server.asked > before + 3)
    assert offered.touched == set()


async def test_no_project_is_judged_before_kept_releases_are_read(offered, server, monkeypatch):
    server.releases = [entry()]
    await offered.until(lambda: kept(offered))
    offered.make(release="2026.3")
    await offered.active()
    await offered.stop()
    monkeypatch.setattr("supaplane_operator.engine.RELEASES_PAUSE_SECONDS", 0.01)
    tries = []
    get = offered.kube.get

    async def flaky(resource, namespace, name):
        if name == catalogue.NAME and len(tries) < 3:
            tries.append(name)
            raise Unreachable("slow")
        return await get(resource, namespace, name)

    monkeypatch.setattr(offered.kube, "get", flaky)
    offered.kube.requests.clear()
    await offered.start()
    await offered.until(lambda: offered.engine.passes)
    await offered.quiet()
    assert (len(tries), offered.touched) == (3, set())


async def test_an_operator_without_the_right_goes_on_with_what_ships(stage, monkeypatch, caplog):
    await stage.stop()
    stage.settings = replace(stage.settings, operator_namespace=PLACE)
    get = stage.kube.get

    async def forbidden(resource, namespace, name):
        if name == catalogue.NAME:
            raise Forbidden(403, "Forbidden", "no right", {})
        return await get(resource, namespace, name)

    monkeypatch.setattr(stage.kube, "get", forbidden)
    await stage.start()
    stage.make()
    await stage.active()
    assert "upgrade the chart" in caplog.text


async def test_what_somebody_wrote_into_the_configmap_is_judged_too(offered, caplog):
    caplog.set_level(logging.WARNING)
    data = {"2026.9.json": "{", "2026.8.json": json.dumps(entry("2026.8"))}
    meta = {"name": catalogue.NAME, "namespace": PLACE}
    offered.kube.put(kinds.CONFIG_MAPS, {"metadata": meta, "data": data})
    await offered.restart()
    await offered.until(lambda: offered.engine.passes or offered.engine.synced)
    await offered.until(lambda: "2026.8" in offered.engine.world.catalogue.releases)
    assert "2026.9" not in offered.engine.world.catalogue.releases
    assert "release 2026.9" in caplog.text


def test_offers_need_a_place_to_be_kept():
    environment = {
        "DOMAIN_BASE": "example.org",
        "SERVICE_VERSION_URL": "https://releases.example.org/supaplane.yaml",
    }
    with pytest.raises(SettingsRefused, match="SUPAPLANE_OPERATOR_NAMESPACE"):
        _settings(parser().parse_args(["--no-lease"]), environment)
    there = environment | {"SUPAPLANE_OPERATOR_NAMESPACE": PLACE}
    settings = _settings(parser().parse_args(["--no-lease"]), there)
    assert settings.releases_url == environment["SERVICE_VERSION_URL"]


async def test_the_question_ends_with_the_operator(offered, server):
    await offered.until(lambda: server.asked)
    await offered.stop()
    before = server.asked
    await asyncio.sleep(0.2)
    assert server.asked == before
