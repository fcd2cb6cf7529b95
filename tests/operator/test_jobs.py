"""What is done once beside a component: does the component wait for it, and say why it failed?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.spec import ComponentName, DesiredState
from supaplane_contract.status import Reason
from supaplane_kube import resources as kinds
from supaplane_operator.children import keep
from supaplane_operator.observe import Trouble, see
from supaplane_operator.render import RenderedComponent

READY = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
STORE = RenderedComponent(
    ComponentName.OBJECTSTORE,
    "image",
    ("StatefulSet", "objectstore"),
    1,
    jobs=(("objectstore-bucket-1", "bucket"),),
)


def ended(how: str, message: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": how, "status": "True", "message": message}]}


def job(status: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": "objectstore-bucket-1", "namespace": "ns", "labels": {}}
    return {"kind": "Job", "metadata": meta, "spec": {}, "status": status}


def seen(status: dict[str, Any] | None, troubles: dict[str, Trouble] | None = None) -> Any:
    meta = {"name": "objectstore", "generation": 1}
    workload = {"kind": "StatefulSet", "metadata": meta, "spec": {"replicas": 1}, "status": READY}
    children = {(kinds.STATEFUL_SETS, "objectstore"): keep(workload)}
    if status is not None:
        children[kinds.JOBS, "objectstore-bucket-1"] = keep(job(status))
    (one,) = see([STORE], children, troubles or {})
    return one


def test_a_component_is_as_wished_when_its_job_has_ended_well():
    assert seen(ended("Complete")).as_wished
    assert seen(ended("Complete")).trouble is None


@pytest.mark.parametrize("status", [None, {}, {"active": 1}, ended("Suspended")])
def test_until_then_it_only_needs_time_and_serves_all_the_same(status):
    one = seen(status)
    assert (one.as_wished, one.serves, one.trouble) == (False, True, None)


def test_a_job_that_failed_is_named_with_what_to_do():
    one = seen(ended("Failed", "Job has reached the specified backoff limit"))
    assert not one.as_wished
    assert one.trouble.reason is Reason.COMPONENT_NOT_READY
    for words in ("objectstore-bucket-1", "backoff limit", "kubectl logs", "delete it"):
        assert words in one.trouble.message


def test_what_the_pods_of_a_job_say_is_told_of_its_component():
    pull = Trouble(Reason.IMAGE_PULL_FAILED, "image rclone cannot be pulled")
    assert seen({}, {"bucket": pull}).trouble == pull
    assert seen({}, {"rest": pull}).trouble is None


def test_what_was_done_no_longer_troubles_anybody():
    late = Trouble(Reason.COMPONENT_NOT_READY, "a pod failed")
    assert seen(ended("Complete"), {"bucket": late}).trouble is None


class WithJob:
    """The stage's renderer, with a Job beside the data API while the project runs."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.name = inner, "rest-once-1"

    def __call__(self, wish: Any) -> Any:
        rendered = self.inner(wish)
        if wish.spec.desired_state is DesiredState.PAUSED:
            return rendered
        labels = {names.LABEL_REF: wish.ref, names.LABEL_MANAGED_BY: names.MANAGED_BY}
        meta = {"name": self.name, "namespace": names.project_namespace(wish.ref)}
        body = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": meta | {"labels": labels},
            "spec": {"template": {"spec": {"restartPolicy": "Never"}}},
        }
        components = tuple(
            replace(c, jobs=((self.name, "once"),)) if c.name is ComponentName.REST else c
            for c in rendered.components
        )
        return replace(rendered, manifests=(*rendered.manifests, body), components=components)


def end(stage: Any, name: str, how: str) -> None:
    live = stage.kube.peek(kinds.JOBS, stage.namespace(), name)
    stage.kube.put(kinds.JOBS, {**live, "status": ended(how, "because")})


def jobs(stage: Any) -> list[str]:
    return [o["metadata"]["name"] for o in stage.kube.all(kinds.JOBS, stage.namespace())]


@pytest.fixture
async def staged(stage):
    """A stage whose renderer asks for a Job."""
    stage.renderer = WithJob(stage.renderer)
    await stage.restart()
    return stage


async def test_a_project_is_healthy_when_its_job_has_ended_and_no_sooner(staged):
    staged.make()
    await staged.until(lambda: staged.status().get("namespace") and jobs(staged))
    await staged.quiet()
    assert staged.phase() == "COMING_UP"
    end(staged, "rest-once-1", "Complete")
    await staged.active()


async def test_a_job_that_failed_is_told_and_made_again_when_it_is_deleted(staged):
    staged.make()
    await staged.until(lambda: staged.status().get("namespace") and jobs(staged))
    end(staged, "rest-once-1", "Failed")
    await staged.until(lambda: "rest-once-1 failed: because" in staged.status().get("message", ""))
    assert staged.phase() == "COMING_UP"
    first = staged.kube.peek(kinds.JOBS, staged.namespace(), "rest-once-1")["metadata"]["uid"]
    await staged.kube.delete(kinds.JOBS, staged.namespace(), "rest-once-1")

    def again() -> bool:
        found = staged.kube.peek(kinds.JOBS, staged.namespace(), "rest-once-1")
        return found is not None and found["metadata"]["uid"] != first

    await staged.until(again)
    end(staged, "rest-once-1", "Complete")
    await staged.active()


async def test_other_work_is_another_job_and_the_old_one_goes(staged):
    staged.make()
    await staged.until(lambda: staged.status().get("namespace") and jobs(staged))
    end(staged, "rest-once-1", "Complete")
    await staged.active()
    staged.renderer.name = "rest-once-2"
    staged.change(displayName="Other")
    await staged.until(lambda: jobs(staged) == ["rest-once-2"])


async def test_a_paused_project_has_no_job_and_a_resumed_one_does_its_work_again(staged):
    staged.make()
    await staged.until(lambda: staged.status().get("namespace") and jobs(staged))
    end(staged, "rest-once-1", "Complete")
    await staged.active()
    staged.change(desiredState="Paused")
    await staged.until(lambda: staged.phase() == "INACTIVE")
    assert jobs(staged) == []
    staged.change(desiredState="Running")
    await staged.until(lambda: jobs(staged))
    end(staged, "rest-once-1", "Complete")
    await staged.active()
