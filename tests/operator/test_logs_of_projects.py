"""Does the log shipper find the namespaces whose logs have somewhere to go, and no others?"""

from __future__ import annotations

from dataclasses import replace

from supaplane_contract import names
from supaplane_kube import resources as kinds

NAMESPACE = f"supabase-{'a' * 20}"


def mark(stage):
    return stage.kube.peek(kinds.NAMESPACES, None, NAMESPACE)["metadata"]["labels"].get(
        names.LABEL_LOGS
    )


def shipping(settings):
    return replace(settings.platform, log_namespace="logs", log_key="k" * 32)


async def test_a_project_with_analytics_is_marked_until_it_has_none(new_stage, settings):
    async with new_stage(platform=shipping(settings)) as stage:
        stage.make(ref="a" * 20, analytics={"enabled": True})
        await stage.active()
        assert mark(stage) == "collected"
        stage.change(analytics={"enabled": False})
        await stage.until(lambda: mark(stage) is None)
        stage.change(analytics={"enabled": True})
        await stage.until(lambda: mark(stage) == "collected")


async def test_a_project_without_analytics_is_not_marked(new_stage, settings):
    async with new_stage(platform=shipping(settings)) as stage:
        stage.make(ref="a" * 20)
        await stage.active()
        assert mark(stage) is None


async def test_without_a_log_shipper_nothing_is_marked(stage):
    stage.make(ref="a" * 20, analytics={"enabled": True})
    await stage.active()
    assert mark(stage) is None


async def test_a_log_shipper_that_goes_takes_the_marks_with_it(new_stage, settings):
    async with new_stage(platform=shipping(settings)) as stage:
        stage.make(ref="a" * 20, analytics={"enabled": True})
        await stage.active()
        assert mark(stage) == "collected"
    async with new_stage() as stage:
        await stage.until(lambda: mark(stage) is None)
