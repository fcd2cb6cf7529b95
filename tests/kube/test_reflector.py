"""A copy of a list in memory that is never wrong for long, whatever happens to its watch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from supaplane_kube import Reflector, ServerUnavailable, Unreachable
from supaplane_kube import reflector as module
from supaplane_kube.memory import MemoryKube
from supaplane_kube.resources import CONFIG_MAPS


class Watched:
    """A reflector that keeps the field x, and what it told."""

    def __init__(self, kube: MemoryKube) -> None:
        self.kube = kube
        self.told: list[tuple[str, str | None, str | None]] = []
        self.reflector: Reflector[str] = Reflector(
            kube,
            CONFIG_MAPS,
            keep=lambda item: item["data"]["x"],
            changed=lambda key, old, new: self.told.append((key[1], old, new)),
        )

    def put(self, name: str, x: str) -> dict[str, Any]:
        meta = {"name": name, "namespace": "default"}
        return self.kube.put(CONFIG_MAPS, {"metadata": meta, "data": {"x": x}})

    def remove(self, name: str) -> None:
        self.kube.remove(CONFIG_MAPS, "default", name)

    def holds(self) -> dict[str, str]:
        return {key[1]: value for key, value in self.reflector.items().items()}

    async def until(self, wanted: dict[str, str]) -> None:
        await eventually(lambda: self.holds() == wanted)


async def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.002)


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(module, "FIRST_BACKOFF", 0.001)
    watched = Watched(MemoryKube())
    watched.put("a", "1")
    task = asyncio.create_task(watched.reflector.run())
    await watched.reflector.wait_synced()
    yield watched
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_follows(watched):
    watched.put("b", "1")
    watched.put("a", "2")
    await watched.until({"a": "2", "b": "1"})
    watched.remove("a")
    await watched.until({"b": "1"})
    assert watched.told == [("a", None, "1"), ("b", None, "1"), ("a", "1", "2"), ("a", "2", None)]
    assert watched.reflector.relists == 1


async def test_what_stays_equal_is_not_told(watched):
    meta = {"name": "a", "namespace": "default", "labels": {"team": "blue"}}
    watched.kube.put(CONFIG_MAPS, {"metadata": meta, "data": {"x": "1"}})
    watched.put("b", "1")
    await watched.until({"a": "1", "b": "1"})
    assert [name for name, _, _ in watched.told] == ["a", "b"]


async def test_a_deletion_in_the_gap_after_a_410_is_told(watched):
    watched.put("b", "1")
    await watched.until({"a": "1", "b": "1"})
    watched.remove("a")
    watched.put("c", "1")
    watched.kube.forget_history()
    await watched.until({"b": "1", "c": "1"})
    assert ("a", "1", None) in watched.told


async def test_after_a_broken_connection_it_goes_on_without_a_new_list(watched):
    watched.kube.break_watches(Unreachable("reset"))
    watched.put("b", "1")
    await watched.until({"a": "1", "b": "1"})
    assert watched.reflector.relists == 1


async def test_after_an_error_of_the_server_it_lists_anew(watched):
    watched.kube.break_watches(ServerUnavailable(500, "", "etcd is away", {}))
    watched.put("b", "1")
    await watched.until({"a": "1", "b": "1"})
    assert watched.reflector.relists == 2


async def test_a_server_that_is_away_for_long_is_asked_again(watched):
    watched.kube.fail(Unreachable("no"), times=5, when=lambda r: r.verb == "list")
    watched.kube.forget_history()
    watched.put("b", "1")
    await watched.until({"a": "1", "b": "1"})


async def test_an_answer_to_a_write_is_known_before_the_watch_tells_of_it(watched):
    answer = watched.put("a", "2")
    watched.reflector.learn(answer)
    assert watched.holds() == {"a": "2"}
    await asyncio.sleep(0.02)
    assert watched.holds() == {"a": "2"}
    assert watched.told.count(("a", "1", "2")) == 1


async def test_an_event_older_than_an_answer_changes_nothing(watched):
    watched.put("a", "2")
    answer = watched.put("a", "3")
    watched.reflector.learn(answer)
    await asyncio.sleep(0.02)
    assert watched.holds() == {"a": "3"}
    assert ("a", "3", "2") not in watched.told


async def test_a_late_answer_does_not_bring_back_the_dead(watched):
    answer = watched.put("b", "1")
    watched.remove("b")
    watched.put("c", "1")
    await watched.until({"a": "1", "c": "1"})
    watched.reflector.learn(answer)
    assert "b" not in watched.holds()


async def test_a_server_restored_from_a_backup_is_believed(watched):
    watched.put("a", "5")
    await watched.until({"a": "5"})
    restored = MemoryKube()
    meta = {"name": "a", "namespace": "default"}
    restored.put(CONFIG_MAPS, {"metadata": meta, "data": {"x": "0"}})
    for _ in range(20):
        watched.put("a", "5-and-more")
        watched.put("a", "5")
    await watched.until({"a": "5"})
    watched.reflector._kube = restored
    watched.kube.forget_history()
    await watched.until({"a": "0"})


async def test_versions_of_the_dead_do_not_pile_up(watched, monkeypatch):
    monkeypatch.setattr(module, "TOMBSTONES", 10)
    for number in range(100):
        watched.put(f"b{number}", "1")
        watched.remove(f"b{number}")
    watched.put("z", "1")
    await watched.until({"a": "1", "z": "1"})
    assert len(watched.reflector._versions) < 20


async def test_it_says_how_long_the_server_has_been_silent(watched):
    assert watched.reflector.silence < 5
