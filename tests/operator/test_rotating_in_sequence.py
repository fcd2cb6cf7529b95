"""Secrets are replaced on an API server in memory: step by step, and killed at every step."""

from __future__ import annotations

import pytest

from supaplane_contract import names
from supaplane_contract.credentials import from_secret_data, to_secret_data
from supaplane_contract.rotation import PENDING_KEYS
from supaplane_kube import Unreachable
from supaplane_kube import resources as kinds

HOME = names.DEFAULT_HOME_NAMESPACE
REQUESTED = names.requested_secret("shop")
JWT, PASSWORD = "rotateJwtSecret", "rotateDatabasePassword"
STEPS = ("get", "create", "apply", "patch", "delete")
CHOSEN = "plum-kettle-plum-kettle-plum-kettle"


def master(stage):
    return from_secret_data(stage.kube.peek(kinds.SECRETS, HOME, "shop-credentials"))


def copy(stage):
    return from_secret_data(stage.kube.peek(kinds.SECRETS, stage.namespace(), "credentials"))


def inputs(stage, component):
    template = stage.workload(component)["spec"]["template"]
    return template["metadata"]["annotations"][names.ANNOTATION_INPUTS]


def ask(stage, kind, id_="one", **parameters):
    stage.change(operation={"id": id_, "kind": kind, "parameters": parameters})


def bring(stage, **values):
    """The Secret in which the API brings what people chose."""
    labels = {
        names.LABEL_REF: stage.status()["ref"],
        names.LABEL_MANAGED_BY: names.FIELD_MANAGER_API,
    }
    meta = {"name": REQUESTED, "namespace": HOME, "labels": labels}
    stage.kube.put(kinds.SECRETS, {"metadata": meta, "data": to_secret_data(values)})


def ended(stage, id_="one"):
    """The operation of that id, once it has ended; Jobs end well in the meantime."""
    for job in stage.kube.all(kinds.JOBS, stage.namespace()):
        if not job.get("status"):
            done = [{"type": "Complete", "status": "True"}]
            stage.kube.put(kinds.JOBS, {**job, "status": {"conditions": done}})
    last = stage.status().get("lastOperation") or {}
    return last if last.get("id") == id_ else None


async def test_a_new_jwt_secret_reaches_all_that_sign_and_check_and_the_project_serves(stage):
    stage.make()
    await stage.active()
    before, database = master(stage), inputs(stage, "db")
    stage.lazy = {"rest"}
    ask(stage, JWT)
    await stage.until(lambda: stage.status().get("operation"))
    assert stage.status()["operation"]["step"] == "ReplacingPods"
    await stage.until(lambda: stage.status()["operation"].get("message") == "waiting for rest")
    assert stage.phase() == "ACTIVE_HEALTHY"
    stage.lazy = set()
    stage.controllers_look()
    last = await stage.until(lambda: ended(stage))
    assert (last["phase"], last["message"]) == (
        "Succeeded",
        "tokens and keys of before are refused now",
    )
    assert stage.condition("OperationSucceeded")["status"] == "True"
    after = master(stage)
    changed = {key for key in after if after[key] != before[key]}
    assert {"jwt-secret", "anon-key", "service-role-key", "jwt-jwks"} <= changed
    assert not {key for key in changed if key.startswith("password") or key.endswith("enc-key")}
    assert copy(stage) == after
    assert inputs(stage, "db") == database
    assert after["jwt-secret"] in inputs(stage, "rest")
    template = stage.workload("gateway")["spec"]["template"]
    assert template["metadata"]["annotations"][names.ANNOTATION_RESTARTED] == "one"


async def test_the_database_has_a_new_password_before_any_service_and_the_old_one_is_gone(stage):
    stage.make()
    await stage.active()
    old = master(stage)["password-postgres"]
    bring(stage, one=CHOSEN)
    ask(stage, PASSWORD, secretName=REQUESTED, secretKey="one")
    await stage.until(lambda: stage.kube.all(kinds.JOBS, stage.namespace()))
    await stage.until(lambda: stage.status().get("operation", {}).get("step") == "SettingPassword")
    assert master(stage)["password-postgres"] == old
    assert old in inputs(stage, "rest")
    assert stage.kube.peek(kinds.SECRETS, HOME, REQUESTED) is None
    last = await stage.until(lambda: ended(stage))
    await stage.active()
    assert last["phase"] == "Succeeded"
    assert master(stage)["password-postgres"] == CHOSEN
    assert CHOSEN in inputs(stage, "rest")
    assert not PENDING_KEYS.keys() & (master(stage).keys() | copy(stage).keys())
    await stage.until(lambda: not stage.kube.all(kinds.JOBS, stage.namespace()))


async def test_a_secret_of_a_persons_own_is_read_and_left_alone(stage):
    stage.make()
    await stage.active()
    meta = {"name": "mine", "namespace": HOME}
    stage.kube.put(kinds.SECRETS, {"metadata": meta, "data": to_secret_data({"key": CHOSEN})})
    ask(stage, JWT, secretName="mine", secretKey="key")
    await stage.until(lambda: ended(stage))
    assert master(stage)["jwt-secret"] == CHOSEN
    assert stage.kube.peek(kinds.SECRETS, HOME, "mine")


async def test_a_password_that_the_database_does_not_take_in_time_is_taken_back(stage):
    stage.make()
    await stage.active()
    before = master(stage)
    ask(stage, PASSWORD)
    await stage.until(lambda: stage.kube.all(kinds.JOBS, stage.namespace()))
    stage.later = stage.later.__class__(hours=1)
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: stage.status().get("lastOperation"))
    assert stage.status()["lastOperation"]["phase"] == "Failed"
    assert "the old one stays in use" in stage.status()["lastOperation"]["message"]
    assert stage.condition("OperationSucceeded")["status"] == "False"
    await stage.until(lambda: master(stage) == before)
    await stage.until(lambda: not stage.kube.all(kinds.JOBS, stage.namespace()))
    await stage.active()


async def test_the_wish_to_pause_ends_it_and_takes_a_password_back_that_nobody_has_yet(stage):
    stage.make()
    await stage.active()
    before = master(stage)
    ask(stage, PASSWORD)
    await stage.until(lambda: stage.status().get("operation"))
    stage.change(desiredState="Paused")
    await stage.until(lambda: stage.phase() == "INACTIVE")
    assert stage.status()["lastOperation"]["phase"] == "Failed"
    await stage.until(lambda: master(stage) == before)


async def test_a_paused_project_keeps_its_secrets_and_forgets_what_was_brought(stage):
    stage.make(desiredState="Paused")
    await stage.until(lambda: stage.phase() == "INACTIVE")
    before = master(stage)
    bring(stage, one=CHOSEN)
    ask(stage, JWT, secretName=REQUESTED, secretKey="one")
    last = await stage.until(lambda: ended(stage))
    assert (last["phase"], "paused" in last["message"]) == ("Failed", True)
    assert master(stage) == before
    assert stage.kube.peek(kinds.SECRETS, HOME, REQUESTED) is None


async def test_one_goes_on_to_its_end_before_the_next_begins(stage):
    stage.make()
    await stage.active()
    stage.lazy = {"rest"}
    ask(stage, JWT)
    await stage.until(lambda: stage.status().get("operation"))
    first = master(stage)["jwt-secret"]
    ask(stage, JWT, "two")
    await stage.quiet()
    assert master(stage)["jwt-secret"] == first
    assert stage.status()["operation"]["id"] == "one"
    stage.lazy = set()
    stage.controllers_look()
    await stage.until(lambda: ended(stage, "two"))
    assert master(stage)["jwt-secret"] != first
    assert stage.status()["pastOperations"] == ["two", "one"]


async def test_reconciling_that_is_paused_stops_it_where_it_is(stage):
    stage.make()
    await stage.active()
    ask(stage, PASSWORD)
    await stage.until(lambda: stage.status().get("operation"))
    stage.annotate(reconcile="paused")
    await stage.until(lambda: stage.condition("Reconciling")["reason"] == "ReconcilePaused")
    before = master(stage)
    await stage.quiet()
    assert not ended(stage)
    assert master(stage) == before
    stage.annotate(reconcile=None)
    assert (await stage.until(lambda: ended(stage)))["phase"] == "Succeeded"


@pytest.mark.parametrize("kind", [JWT, PASSWORD])
async def test_killed_at_any_step_it_is_done_once_and_whole(stage, kind):
    stage.make()
    await stage.active()
    patched = _spied(stage)
    steps = 0
    while True:
        steps += 1
        id_, chosen = f"op-{steps}", f"{CHOSEN}-{steps:04}"
        bring(stage, **{id_: chosen})
        patched.clear()
        died = _dies_before(stage, steps)
        ask(stage, kind, id_, secretName=REQUESTED, secretKey=id_)
        await stage.until(lambda: died or ended(stage, id_))  # noqa: B023
        if died:
            stage.kube.on_request = None
            await stage.restart()
        last = await stage.until(lambda: ended(stage, id_))  # noqa: B023
        await stage.quiet()
        key = "jwt-secret" if kind == JWT else "password-postgres"
        assert last["phase"] == "Succeeded", steps
        assert master(stage)[key] == chosen == copy(stage)[key], steps
        assert not PENDING_KEYS.keys() & (master(stage).keys() | copy(stage).keys()), steps
        assert [values for values in patched if key in values] == [{key: chosen}], steps
        assert stage.kube.peek(kinds.SECRETS, HOME, REQUESTED) is None, steps
        if not died:
            break
    assert steps > 10


def _dies_before(stage, count):
    """From the request of that number on, nothing that the operator asks is done any more."""
    made, died = [0], []

    def die(request):
        if request.verb not in STEPS or request.resource.kind == "Event":
            return
        made[0] += 1
        if made[0] >= count:
            died.append(request)
            raise Unreachable("the operator is dead")

    stage.kube.on_request = die
    return died


def _spied(stage):
    """Keys of interest of each patch of the master Secret that was really made."""
    made, patch = [], stage.kube.merge_patch

    async def spy(resource, namespace, name, body, **rest):
        answer = await patch(resource, namespace, name, body, **rest)
        if (resource, name) == (kinds.SECRETS, "shop-credentials"):
            plain = from_secret_data({"data": {k: v for k, v in body["data"].items() if v}})
            keys = plain.keys() & {"jwt-secret", "password-postgres"}
            made.append({key: plain[key] for key in keys})
        return answer

    stage.kube.merge_patch = spy
    return made
