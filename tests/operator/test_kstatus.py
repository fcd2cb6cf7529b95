"""Argo CD, Flux and `kubectl wait` judge a SupabaseProject by rules that know nothing of it.

https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from supaplane_operator.projects import PROJECTS


def kstatus(project: dict[str, Any]) -> str:
    """What kstatus makes of any object that has conditions."""
    status = project.get("status") or {}
    holds = {c["type"]: c["status"] for c in status.get("conditions") or []}
    if "deletionTimestamp" in project["metadata"]:
        return "Terminating"
    if status.get("observedGeneration") != project["metadata"]["generation"]:
        return "InProgress"
    if holds.get("Stalled") == "True":
        return "Failed"
    if holds.get("Reconciling") == "True":
        return "InProgress"
    return "Current" if holds.get("Ready") == "True" else "InProgress"


class History:
    """Every version of the SupabaseProject, as a watcher sees it."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage
        self.seen: list[tuple[str, str]] = []
        stage.kube.on_request = lambda _: self.look()

    def look(self) -> str:
        """Notes phase and judgement if they changed; the judgement."""
        found = [p for p in self._stage.kube.all(PROJECTS) if p["metadata"]["name"] == "shop"]
        if not found:
            return "gone"
        now = (found[0].get("status") or {}).get("phase", ""), kstatus(found[0])
        if not self.seen or self.seen[-1] != now:
            self.seen.append(now)
        return now[1]


@pytest.fixture
def history(stage):
    return History(stage)


async def test_a_project_is_current_when_it_is_active_and_not_before(stage, history):
    stage.make()
    await stage.active()
    assert history.look() == "Current"
    assert {judged for phase, judged in history.seen if phase != "ACTIVE_HEALTHY"} == {"InProgress"}


async def test_a_change_is_in_progress_until_it_is_there(stage, history):
    stage.make()
    await stage.active()
    stage.lazy.add("rest")
    history.seen.clear()
    stage.change(rest={"resources": {"limits": {"memory": "1Gi"}}})
    assert history.look() == "InProgress"
    await stage.until(lambda: stage.condition("Reconciling")["status"] == "True")
    assert history.look() == "InProgress"
    stage.lazy.clear()
    stage.controllers_look()
    await stage.active()
    assert history.look() == "Current"


async def test_a_paused_project_is_current_when_nothing_runs_any_more(stage, history):
    stage.make()
    await stage.active()
    history.seen.clear()
    stage.change(desiredState="Paused")
    await stage.until(lambda: stage.phase() == "INACTIVE")
    assert history.look() == "Current"
    assert ("PAUSING", "Current") not in history.seen


async def test_what_waiting_does_not_cure_is_failed_and_mends(stage, history):
    stage.unready = {"rest"}
    stage.make()
    await stage.until(lambda: stage.phase() == "COMING_UP")
    stage.later = timedelta(hours=1)
    stage.engine.look(("supaplane-projects", "shop"))
    await stage.until(lambda: stage.phase() == "INIT_FAILED")
    assert history.look() == "Failed"
    stage.unready = set()
    stage.controllers_look()
    await stage.active()
    assert history.look() == "Current"


async def test_a_project_that_goes_is_terminating(stage, history):
    stage.make()
    await stage.active()
    history.seen.clear()
    await stage.delete()
    await stage.until(stage.gone)
    assert {judged for _, judged in history.seen} <= {"Current", "Terminating"}
    assert history.seen[-1][1] == "Terminating"
