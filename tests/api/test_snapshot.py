"""What lies in the cluster is read tolerantly."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_api.projects.snapshot import PROJECTS, UNKNOWN, Snapshot, read
from supaplane_contract import Phase, ProjectSpec
from supaplane_kube import errors

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["ref", "phase", "conditions", "endpoints", "api", "size", "database", "storage"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_nothing_that_lies_in_the_cluster_is_fatal(metadata, spec, status):
    seen = read({"metadata": metadata, "spec": spec, "status": status})
    assert seen.phase is None or seen.phase == UNKNOWN or seen.phase in set(Phase)
    assert seen.ref is None or len(seen.ref) == 20
    assert isinstance(seen.region, str)
    hash(seen)


@pytest.mark.parametrize(
    ("status_ref", "spec_ref", "name", "ref"),
    [
        ("a" * 20, "b" * 20, "c" * 20, "a" * 20),
        (None, "b" * 20, "c" * 20, "b" * 20),
        (None, None, "c" * 20, "c" * 20),
        (None, None, "shop", None),
        ("short", None, "shop", None),
    ],
)
def test_the_ref_is_the_operators_word_then_the_wish_then_the_name(status_ref, spec_ref, name, ref):
    manifest = {
        "metadata": {"name": name},
        "spec": {"ref": spec_ref},
        "status": {"ref": status_ref},
    }
    assert read(manifest).ref == ref


def test_what_is_odd_is_counted_by_its_place():
    odd = []
    read(
        {"metadata": {}, "spec": {"region": 5}, "status": {"phase": "FLYING", "message": []}},
        odd=odd.append,
    )
    assert sorted(odd) == ["spec.region", "status.message", "status.phase"]


def test_fields_of_a_newer_definition_are_counted_without_their_names():
    odd = []
    spec, status = {"quantum": True, "region": "x"}, {"teleporter": {}, "phase": "COMING_UP"}
    read({"metadata": {}, "spec": spec, "status": status}, odd=odd.append)
    assert odd == ["unknown field of spec", "unknown field of status"]


def test_every_field_of_the_contract_is_known():
    odd = []
    spec = {field.alias: None for field in ProjectSpec.model_fields.values()}
    assert "displayName" in spec
    read({"metadata": {}, "spec": spec}, odd=odd.append)
    assert odd == []


async def follow(snapshot, body):
    running = asyncio.create_task(snapshot.run())
    try:
        await asyncio.wait_for(snapshot.wait_synced(), 5)
        return await body()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def project(name, namespace="one", **more):
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ref": (name * 20)[:20]},
    } | more


async def test_it_follows_every_home_namespace_and_no_other(kube):
    for namespace in ("one", "two", "three"):
        kube.put(PROJECTS, project("shop", namespace))
    snapshot = Snapshot(kube, ["one", "two"])

    async def body():
        assert {seen.namespace for seen in snapshot.all()} == {"one", "two"}
        assert snapshot.get("three", "shop") is None

    await follow(snapshot, body)


async def test_only_what_changes_whose_it_is_wakes_the_sweeper(kube, until):
    kube.put(PROJECTS, project("shop"))
    stirred = []
    snapshot = Snapshot(kube, ["one"], stirred=stirred.append)

    async def body():
        assert stirred == [("one", "shop")]
        kube.put(PROJECTS, project("shop", status={"phase": "ACTIVE_HEALTHY"}))
        await until(lambda: snapshot.get("one", "shop").phase == "ACTIVE_HEALTHY")
        assert len(stirred) == 1
        kube.put(PROJECTS, project("shop", spec={"ref": "s" * 20, "organization": "acme"}))
        await until(lambda: len(stirred) == 2)
        kube.remove(PROJECTS, "one", "shop")
        await until(lambda: len(stirred) == 3)

    await follow(snapshot, body)


async def test_after_a_gap_in_the_watch_a_deleted_project_is_missed_no_longer(kube, until):
    kube.put(PROJECTS, project("shop"))
    kube.put(PROJECTS, project("store"))
    snapshot = Snapshot(kube, ["one"])

    async def body():
        kube.break_watches(errors.Unreachable("gone away"))
        kube.remove(PROJECTS, "one", "shop")
        kube.forget_history()
        await until(lambda: [seen.name for seen in snapshot.all()] == ["store"])

    await follow(snapshot, body)


async def test_one_unreadable_project_does_not_hide_the_others(kube):
    kube.put(PROJECTS, project("odd", spec=["not", "a", "spec"], status="neither"))
    kube.put(PROJECTS, project("shop"))
    snapshot = Snapshot(kube, ["one"])

    async def body():
        assert sorted(seen.name for seen in snapshot.all()) == ["odd", "shop"]

    await follow(snapshot, body)
