"""Credentials are minted once in a project's life, and found again wherever they are left."""

from __future__ import annotations

import base64

from supaplane_contract import names
from supaplane_contract.credentials import KEYS, from_secret_data
from supaplane_contract.status import Reason
from supaplane_kube import Conflict
from supaplane_kube import resources as kinds

HOME = names.DEFAULT_HOME_NAMESPACE


def master(stage):
    return stage.kube.peek(kinds.SECRETS, HOME, "shop-credentials")


async def test_the_operator_mints_all_for_a_project_made_by_kubectl(stage):
    stage.make()
    await stage.active()
    assert set(from_secret_data(master(stage))) == set(KEYS)


async def test_what_the_api_minted_is_kept(stage):
    data = {"password-postgres": base64.b64encode(b"chosen by a person").decode()}
    stage.kube.put(
        kinds.SECRETS, {"metadata": {"name": "shop-credentials", "namespace": HOME}, "data": data}
    )
    stage.make()
    await stage.active()
    values = from_secret_data(master(stage))
    assert values["password-postgres"] == "chosen by a person"
    assert set(values) == set(KEYS)


async def test_a_lost_master_is_made_again_from_the_copy_with_the_same_values(stage):
    stage.make()
    await stage.active()
    before = master(stage)
    stage.kube.remove(kinds.SECRETS, HOME, "shop-credentials")
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: master(stage))
    assert master(stage)["data"] == before["data"]
    assert master(stage)["metadata"]["uid"] != before["metadata"]["uid"]


async def test_a_lost_key_is_taken_from_the_copy(stage):
    stage.make()
    await stage.active()
    before = master(stage)
    without = {k: v for k, v in before["data"].items() if k != "vault-enc-key"}
    stage.kube.put(kinds.SECRETS, before | {"data": without})
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: master(stage)["data"] == before["data"])


async def test_a_lost_copy_is_made_again_from_the_master(stage):
    stage.make()
    namespace = await stage.active()
    stage.kube.remove(kinds.SECRETS, namespace, "credentials")
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: stage.kube.peek(kinds.SECRETS, namespace, "credentials"))
    assert stage.kube.peek(kinds.SECRETS, namespace, "credentials")["data"] == master(stage)["data"]


async def test_with_both_lost_and_data_there_nothing_is_touched(stage):
    stage.make()
    namespace = await stage.active()
    stage.kube.remove(kinds.SECRETS, namespace, "credentials")
    stage.kube.remove(kinds.SECRETS, HOME, "shop-credentials")
    stage.kube.requests.clear()
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: stage.condition("Stalled")["reason"] == Reason.CREDENTIALS_LOST)
    assert master(stage) is None
    assert {r.subresource for r in stage.kube.writes} == {"status"}
    assert stage.phase() == "ACTIVE_HEALTHY"


async def test_an_encryption_key_that_was_exchanged_is_not_spread(stage):
    stage.make()
    namespace = await stage.active()
    copy = stage.kube.peek(kinds.SECRETS, namespace, "credentials")
    wrong = master(stage)
    wrong["data"]["pgsodium-root-key"] = base64.b64encode(b"0" * 64).decode()
    stage.kube.put(kinds.SECRETS, wrong)
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: stage.condition("Stalled")["reason"] == Reason.CREDENTIALS_LOST)
    assert "pgsodium-root-key" in stage.status()["message"]
    assert stage.kube.peek(kinds.SECRETS, namespace, "credentials") == copy


async def test_somebody_else_may_be_faster_at_making_them(stage):
    made = {}

    def race(request):
        if request.verb == "create" and request.resource == kinds.SECRETS and not made:
            data = {"password-postgres": base64.b64encode(b"theirs").decode()}
            meta = {"name": "shop-credentials", "namespace": HOME}
            made["by"] = stage.kube.put(kinds.SECRETS, {"metadata": meta, "data": data})

    stage.kube.on_request = race
    stage.make()
    await stage.active()
    assert from_secret_data(master(stage))["password-postgres"] == "theirs"
    assert master(stage)["metadata"]["uid"] == made["by"]["metadata"]["uid"]


async def test_a_conflict_while_adding_keys_is_tried_again(stage):
    meta = {"name": "shop-credentials", "namespace": HOME}
    stage.kube.put(kinds.SECRETS, {"metadata": meta, "data": {}})
    stage.kube.fail(
        Conflict(409, "Conflict", "changed", {}),
        when=lambda r: r.verb == "patch" and r.resource == kinds.SECRETS,
    )
    stage.make()
    await stage.active()
    assert set(from_secret_data(master(stage))) == set(KEYS)


async def test_a_secret_that_the_spec_names_and_that_is_missing_is_told(stage):
    wanted = {
        "smtp": {"host": "mail", "adminEmail": "a@b", "passwordRef": {"name": "s", "key": "p"}}
    }
    stage.make(auth=wanted)
    await stage.until(lambda: stage.phase() == "INIT_FAILED")
    assert stage.condition("Stalled")["reason"] == Reason.SECRET_MISSING
    assert "Secret s is missing" in stage.status()["message"]
    meta = {"name": "s", "namespace": HOME}
    stage.kube.put(kinds.SECRETS, {"metadata": meta, "data": {"p": "aHVzaA=="}})
    await stage.active()
    assert stage.renderer.inputs[-1].secrets == {("s", "p"): "hush"}


async def test_no_secret_value_reaches_a_log_line(stage, caplog):
    caplog.set_level("DEBUG")
    stage.make()
    namespace = await stage.active()
    stage.kube.remove(kinds.SECRETS, HOME, "shop-credentials")
    stage.kube.remove(kinds.SECRETS, namespace, "rest")
    stage.engine.look((HOME, "shop"))
    await stage.until(lambda: master(stage))
    await stage.quiet()
    for key, value in from_secret_data(master(stage)).items():
        if key != "dashboard-username":
            assert value not in caplog.text, key
