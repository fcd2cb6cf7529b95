"""What is known about a cluster between two commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from supaplane_devcluster.options import ClusterOptions
from supaplane_devcluster.processes import Process
from supaplane_devcluster.state import State, load, ports_of_all, save, write_private


def a_state() -> State:
    return State(
        name="dev",
        binary="/cache/controlplane",
        ports={"api": 20001},
        options=ClusterOptions(nodes=5, audit="all", feature_gates={"A": True}),
        processes={"etcd": Process(12, "345@boot")},
    )


def test_a_state_reads_back_as_it_was_written(tmp_path: Path) -> None:
    save(tmp_path / "state.json", a_state())
    assert load(tmp_path / "state.json") == a_state()


def test_the_state_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    save(tmp_path / "inner" / "state.json", a_state())
    assert (tmp_path / "inner" / "state.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "inner").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": "dev"}', "null"])
def test_a_state_that_cannot_be_read_is_no_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert load(tmp_path / "state.json") is None


def test_a_cluster_that_is_down_keeps_its_ports(tmp_path: Path) -> None:
    save(tmp_path / "dev" / "state.json", a_state())
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "state.json").write_text("{")
    assert ports_of_all(tmp_path) == {20001}


def test_an_option_of_a_later_version_is_passed_over() -> None:
    assert ClusterOptions.from_dict({"nodes": 2, "later": 1}) == ClusterOptions(nodes=2)


def test_writing_again_leaves_one_file_and_the_new_text(tmp_path: Path) -> None:
    for text in ("one", "two"):
        write_private(tmp_path / "file", text)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "two"
