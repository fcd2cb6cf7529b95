"""A new operator renders differently: whom does it disturb, and when?"""

from __future__ import annotations

from dataclasses import replace

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_kube import resources as kinds
from supaplane_operator.rollout import Turn

HOME = names.DEFAULT_HOME_NAMESPACE
PROJECTS = ("a", "b", "c")


def codes(stage, component="rest"):
    """Which code the workload of each project was rendered by."""
    return {name: _code(stage, name, component) for name in PROJECTS}


def _code(stage, name, component="rest"):
    container = stage.workload(component, name)["spec"]["template"]["spec"]["containers"][0]
    return container["env"][0]["value"]


async def three(stage):
    for name in PROJECTS:
        stage.make(name)
    for name in PROJECTS:
        await stage.active(name)


async def test_an_upgrade_of_the_operator_by_itself_changes_no_pod(stage, new_stage):
    await three(stage)
    await stage.stop()
    stage.kube.requests.clear()
    async with new_stage(code="2", rollout_concurrency=0) as newer:
        for name in PROJECTS:
            await newer.until(
                lambda name=name: (
                    newer.condition("UpToDate", name)["reason"] == Reason.NEW_RENDERING
                )
            )
        await newer.quiet()
        assert codes(newer) == dict.fromkeys(PROJECTS, "1")
        assert newer.touched == {"SupabaseProject"}
        assert newer.phase("a") == "ACTIVE_HEALTHY"
        assert newer.condition("Ready", "a")["status"] == "True"


async def test_one_project_at_a_time_gets_the_new_rendering(stage, new_stage):
    await three(stage)
    await stage.stop()
    async with new_stage(code="2", lazy=["rest"]) as newer:
        await newer.until(lambda: list(codes(newer).values()).count("2") == 1)
        await newer.quiet()
        assert list(codes(newer).values()).count("2") == 1
        newer.lazy = set()
        newer.controllers_look()
        await newer.until(lambda: codes(newer) == dict.fromkeys(PROJECTS, "2"))
        for name in PROJECTS:
            await newer.until(
                lambda name=name: newer.condition("UpToDate", name)["status"] == "True"
            )


async def test_a_rollout_goes_on_where_the_last_operator_left_it(stage, new_stage):
    await three(stage)
    await stage.stop()
    async with new_stage(code="2", lazy=["rest"]) as newer:
        await newer.until(
            lambda: [
                n for n in PROJECTS if newer.condition("UpToDate", n)["reason"] == Reason.ROLLING
            ]
        )
        await newer.restart()
        await newer.quiet()
        assert list(codes(newer).values()).count("2") == 1


async def test_the_rollout_stops_at_the_first_that_does_not_come_back(stage, new_stage, settings):
    await three(stage)
    await stage.stop()
    deadlines = replace(settings.deadlines, changing=1.0)
    async with new_stage(code="2", unready=["rest"], deadlines=deadlines) as newer:
        await newer.until(lambda: newer.engine.world.fleet.halted)
        assert list(codes(newer).values()).count("2") == 1
        await newer.until(
            lambda: [
                n for n in PROJECTS if newer.condition("UpToDate", n)["reason"] == Reason.FAILED
            ]
        )
        newer.unready = set()
        newer.controllers_look()
        await newer.until(lambda: codes(newer) == dict.fromkeys(PROJECTS, "2"))


async def test_a_change_of_the_wish_brings_the_new_rendering_along(stage, new_stage):
    await three(stage)
    await stage.stop()
    async with new_stage(code="2", rollout_concurrency=0) as newer:
        newer.change("b", rest={"maxRows": 5})
        await newer.until(lambda: codes(newer)["b"] == "2")
        await newer.quiet()
        assert codes(newer) == {"a": "1", "b": "2", "c": "1"}
        assert codes(newer, "gateway")["b"] == "1"


async def test_a_held_component_keeps_its_secret(stage, new_stage):
    await three(stage)
    namespace = stage.namespace("a")
    before = stage.kube.peek(kinds.SECRETS, namespace, "rest")
    await stage.stop()
    async with new_stage(code="2", rollout_concurrency=0) as newer:
        await newer.quiet()
        assert newer.kube.peek(kinds.SECRETS, namespace, "rest") == before
        newer.kube.remove(kinds.SECRETS, namespace, "rest")
        newer.engine.look((HOME, "a"))
        await newer.until(lambda: newer.kube.peek(kinds.SECRETS, namespace, "rest"))


async def test_what_pods_of_the_old_rendering_name_stays_until_they_are_rolled(stage, new_stage):
    await three(stage)
    namespace = stage.namespace("a")
    old = stage.kube.peek(kinds.SECRETS, namespace, "rest")
    old["metadata"] = {**old["metadata"], "name": "rest-of-the-old-rendering"}
    stage.kube.put(kinds.SECRETS, old)
    await stage.stop()
    async with new_stage(code="2", rollout_concurrency=0) as newer:
        await newer.quiet()
        assert newer.kube.peek(kinds.SECRETS, namespace, "rest-of-the-old-rendering")
    async with new_stage(code="2") as newer:
        await newer.until(lambda: codes(newer) == dict.fromkeys(PROJECTS, "2"))
        await newer.until(
            lambda: not newer.kube.peek(kinds.SECRETS, namespace, "rest-of-the-old-rendering")
        )


async def test_drift_in_a_template_that_is_up_to_date_is_put_back(stage):
    stage.make()
    namespace = await stage.active()
    live = stage.workload("rest")
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "somebody/elses:1"
    stage.kube.put(kinds.DEPLOYMENTS, live)
    await stage.until(
        lambda: (
            stage.workload("rest")["spec"]["template"]["spec"]["containers"][0]["image"]
            == "image/rest:1"
        )
    )
    assert namespace


async def test_a_held_workload_can_still_be_paused(stage, new_stage):
    await three(stage)
    await stage.stop()
    async with new_stage(code="2", rollout_concurrency=0) as newer:
        newer.change("a", desiredState="Paused")
        await newer.until(lambda: newer.phase("a") == "INACTIVE")
        await newer.until(lambda: codes(newer)["a"] == "2")
        assert codes(newer)["b"] == "1"


async def test_of_a_hundred_projects_few_are_rolled_at_once_and_all_in_the_end(stage, new_stage):
    names_ = [f"shop-{n}" for n in range(100)]
    for name in names_:
        stage.make(name)
    for name in names_:
        await stage.until(lambda name=name: stage.phase(name) == "ACTIVE_HEALTHY", seconds=60)
    await stage.quiet()
    await stage.stop()
    most = 0
    async with new_stage(code="2", rollout_concurrency=3) as newer:

        def rolling() -> int:
            turns = [newer.engine.world.fleet.turn((HOME, name)) for name in names_]
            return turns.count(Turn.ROLLING)

        def done() -> bool:
            nonlocal most
            most = max(most, rolling())
            told = [newer.condition("UpToDate", name)["status"] for name in names_]
            new = [_code(newer, name) for name in names_]
            return told.count("True") == new.count("2") == len(names_)

        await newer.until(done, seconds=120)
    assert 1 <= most <= 3
