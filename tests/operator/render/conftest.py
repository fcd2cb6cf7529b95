"""What the renderer's tests share: a project with fixed credentials, and inputs to vary."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from supaplane_contract.credentials import mint
from supaplane_contract.spec import ProjectSpec
from supaplane_operator.releases import load_releases, newest
from supaplane_operator.render import Platform, RenderInput

REF = "abcdefghijklmnopqrst"
MakeInput = Callable[..., RenderInput]


def _counted_bytes() -> Callable[[int], bytes]:
    count = 0

    def random_bytes(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"render tests {count}".encode()).digest(length)

    return random_bytes


@pytest.fixture(scope="session")
def credentials() -> Mapping[str, str]:
    """Every credential of a project, the same in every run."""
    return mint({}, random_bytes=_counted_bytes(), now=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="session")
def platform() -> Platform:
    return Platform(domain_base="example.com")


@pytest.fixture(scope="session")
def make_input(credentials: Mapping[str, str], platform: Platform) -> MakeInput:
    """make_input(spec as a dict in camelCase, **fields of RenderInput that differ)."""

    def make(spec: Mapping[str, Any] | ProjectSpec | None = None, **fields: Any) -> RenderInput:
        parsed = spec if isinstance(spec, ProjectSpec) else ProjectSpec.model_validate(spec or {})
        values: dict[str, Any] = {
            "name": "shop",
            "namespace": "supaplane-projects",
            "ref": REF,
            "spec": parsed,
            "release": newest(load_releases()),
            "credentials": credentials,
            "platform": platform,
        }
        return RenderInput(**(values | fields))

    return make
