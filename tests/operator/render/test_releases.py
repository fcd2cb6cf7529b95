"""Are releases complete, immutable and in the right order?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest

from supaplane_contract.spec import ComponentName
from supaplane_operator.releases import Release, load_releases, newest, parse
from supaplane_operator.render.components import PARTS

SHIPPED = {
    "2026.9.1": "fd7a0189",
    "2026.9.2": "e5496b56",
}
"""Beginnings of the SHA-256 of releases that have shipped; their files never change again."""


def _release(name: str) -> Release:
    return Release(name, {}, frozenset(), "17")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["2026.9.1", "2026.10.1"], "2026.10.1"),
        (["2026.9.1", "2026.9.10", "2026.9.2"], "2026.9.10"),
        (["2027.1.1", "2026.12.9"], "2027.1.1"),
        (["2026.9.1", "2026.9.1-rc1"], "2026.9.1"),
    ],
)
def test_the_newest_is_found_by_its_numbers(names: list[str], expected: str) -> None:
    assert newest({name: _release(name) for name in names}).name == expected


def test_without_a_release_it_says_so() -> None:
    with pytest.raises(ValueError, match="no release"):
        newest({})


def test_what_is_on_by_default_can_be_rendered() -> None:
    for release in load_releases().values():
        assert release.default_components <= PARTS.keys()
        assert release.default_components <= release.images.keys()


def test_every_image_has_a_tag_that_does_not_move() -> None:
    for release in load_releases().values():
        for component, image in release.images.items():
            tag = image.rpartition(":")[2]
            assert tag not in ("", "latest"), component
            assert any(c.isdigit() for c in tag), component


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": {"db": "x:1"}}, "no image for auth"),
        ({"name": "other"}, "says it is other"),
        ({"images": {"nonsense": "x:1"}}, "nonsense"),
    ],
)
def test_a_file_that_is_wrong_stops_the_operator(change: Mapping[str, Any], message: str) -> None:
    data = {
        "name": "1",
        "postgresVersion": "17",
        "images": {"db": "x:1", "auth": "y:1"},
        "defaultComponents": ["db", "auth"],
    }
    assert parse("1", data).images[ComponentName.AUTH] == "y:1"
    with pytest.raises(ValueError, match=message):
        parse("1", data | dict(change))


def test_a_release_that_shipped_is_never_changed() -> None:
    folder = resources.files("supaplane_operator.releases")
    for name, beginning in SHIPPED.items():
        content = (folder / f"{name}.yaml").read_bytes()
        assert hashlib.sha256(content).hexdigest().startswith(beginning), (
            f"release {name} has shipped and projects are pinned to it: add a new file"
        )
