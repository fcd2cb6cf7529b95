"""What may change in a project that is there, and what never?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from supaplane_kube import Invalid

pytestmark = pytest.mark.cluster

REF, OTHER = "abcdefghijklmnopqrst", "tsrqponmlkjihgfedcba"
FORBIDDEN, ALLOWED = (
    yaml.safe_load(Path(__file__).with_name(f"{kind}_changes.yaml").read_text(encoding="utf-8"))
    for kind in ("forbidden", "allowed")
)


@pytest.mark.parametrize("row", FORBIDDEN.values(), ids=list(FORBIDDEN))
async def test_what_would_cost_data_is_refused_and_nothing_changes(
    server: Any, row: dict[str, Any]
) -> None:
    project = await server.create(row["spec"])
    with pytest.raises(Invalid) as refusal:
        await server.change(project, {"spec": row["change"]})
    assert row["says"] in str(refusal.value)
    found = await server.get(project["metadata"]["name"])
    assert found["spec"] == project["spec"]


@pytest.mark.parametrize("row", ALLOWED.values(), ids=list(ALLOWED))
async def test_what_costs_nothing_may_change(server: Any, row: dict[str, Any]) -> None:
    project = await server.create(row["spec"])
    changed = await server.change(project, {"spec": row["change"]})
    assert changed["spec"] != project["spec"]
    assert changed["metadata"]["generation"] == 2


async def accepted(server: Any, spec: dict[str, Any], ref: str = REF) -> Any:
    """A project for which the operator has spoken."""
    project = await server.create(spec)
    return await server.change(project, {"status": {"ref": ref, "phase": "COMING_UP"}}, "status")


@pytest.mark.parametrize("before", [{"ref": REF}, {}], ids=["wished for", "derived"])
async def test_the_ref_of_a_project_never_changes(server: Any, before: dict[str, Any]) -> None:
    project = await accepted(server, before)
    with pytest.raises(Invalid, match=r"remove spec\.ref or set it to status\.ref"):
        await server.change(project, {"spec": {"ref": OTHER}})


async def test_the_ref_may_be_written_down_later_and_removed_again(server: Any) -> None:
    project = await accepted(server, {})
    written = await server.change(project, {"spec": {"ref": REF}})
    assert written["spec"]["ref"] == REF
    removed = await server.change(project, {"spec": {"ref": None}})
    assert "ref" not in removed["spec"]
    assert removed["status"]["ref"] == REF


async def test_another_ref_cannot_come_in_by_way_of_removing_the_first(server: Any) -> None:
    project = await accepted(server, {"ref": REF})
    await server.change(project, {"spec": {"ref": None}})
    with pytest.raises(Invalid, match="the ref of a project cannot change"):
        await server.change(project, {"spec": {"ref": OTHER}})


@pytest.mark.parametrize(
    ("before", "change"),
    [({"ref": REF}, {"ref": OTHER}), ({"ref": REF}, {"ref": None}), ({}, {"ref": REF})],
    ids=["changed", "removed", "set"],
)
async def test_before_the_operator_has_spoken_the_ref_stays_as_it_was_wished(
    server: Any, before: dict[str, Any], change: dict[str, Any]
) -> None:
    project = await server.create(before)
    with pytest.raises(Invalid, match=r"wait for it, or delete the SupabaseProject"):
        await server.change(project, {"spec": change})


async def test_the_operator_cannot_write_another_ref_than_the_one_wished_for(server: Any) -> None:
    project = await server.create({"ref": REF})
    with pytest.raises(Invalid, match="the ref of a project cannot change"):
        await server.change(project, {"status": {"ref": OTHER}}, "status")


async def test_the_operator_cannot_change_the_ref_that_it_wrote(server: Any) -> None:
    project = await accepted(server, {})
    with pytest.raises(Invalid, match="the ref of a project cannot change"):
        await server.change(project, {"status": {"ref": OTHER}}, "status")


async def test_a_status_that_was_wiped_can_be_written_again(server: Any) -> None:
    project = await accepted(server, {"ref": REF})
    wiped = await server.change(project, {"status": None}, "status")
    assert "status" not in wiped
    again = await server.change(project, {"status": {"ref": REF}}, "status")
    assert again["status"]["ref"] == REF


async def test_the_status_cannot_be_written_together_with_the_spec(server: Any) -> None:
    project = await server.create({})
    changed = await server.change(project, {"status": {"phase": "ACTIVE_HEALTHY"}})
    assert "status" not in changed


async def test_words_that_this_version_does_not_know_may_stand_in_the_status(server: Any) -> None:
    project = await server.create({})
    status = {
        "phase": "HIBERNATING",
        "conditions": [{"type": "Dreaming", "status": "Perhaps", "reason": "Winter"}],
        "components": [{"name": "vector", "phase": "Asleep"}],
    }
    changed = await server.change(project, {"status": status}, "status")
    assert changed["status"] == status


async def test_a_condition_stands_once(server: Any) -> None:
    project = await server.create({})
    ready = {"type": "Ready", "status": "True", "reason": "Ready"}
    with pytest.raises(Invalid, match="Duplicate value"):
        await server.change(project, {"status": {"conditions": [ready, ready]}}, "status")


async def test_a_message_at_its_limit_is_taken(server: Any) -> None:
    project = await server.create({})
    changed = await server.change(project, {"status": {"message": "ü" * 4096}}, "status")
    assert len(changed["status"]["message"]) == 4096


async def test_a_change_of_the_status_is_no_new_generation(server: Any) -> None:
    project = await accepted(server, {})
    assert project["metadata"]["generation"] == 1
