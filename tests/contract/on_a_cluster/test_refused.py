"""What does a person see who asks for what cannot be, and is nothing made then?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from supaplane_devcluster import Cluster
from supaplane_kube import Invalid

pytestmark = pytest.mark.cluster

TABLE = yaml.safe_load(Path(__file__).with_name("refused.yaml").read_text(encoding="utf-8"))
LONG: dict[str, Any] = {
    "a name for people without end": {
        "spec": {"displayName": "x" * 257},
        "says": "spec.displayName: Too long",
    },
    "nine domains": {
        "spec": {"customDomains": [f"{n}.org" for n in range(9)]},
        "says": "must have at most 8 items",
    },
    "too many annotations": {
        "spec": {"ingress": {"annotations": {f"a{n}": "" for n in range(33)}}},
        "says": "must have at most 32 items",
    },
    "a parameter without end": {
        "spec": {"database": {"parameters": {"a" * 64: "1"}}},
        "says": "a key has at most 63 characters",
    },
    "too many parameters": {
        "spec": {"database": {"parameters": {f"a{n}": "" for n in range(65)}}},
        "says": "must have at most 64 items",
    },
}
REFUSED = {**TABLE, **LONG}


@pytest.mark.parametrize("row", REFUSED.values(), ids=list(REFUSED))
async def test_what_cannot_be_is_refused_in_words_and_nothing_is_made(
    server: Any, row: dict[str, Any]
) -> None:
    name = server.new_name()
    with pytest.raises(Invalid) as refusal:
        await server.create(row["spec"], name)
    assert row["says"] in str(refusal.value)
    assert await server.get(name) is None


async def test_a_name_of_which_no_others_can_be_made_is_refused(server: Any) -> None:
    with pytest.raises(Invalid, match="at most 52 characters"):
        await server.create({}, "x" * 53)
    assert await server.get("x" * 53) is None
    assert await server.create({}, "x" * 52)


def test_without_strict_validation_a_typo_would_be_dropped_silently(
    devcluster: Cluster, namespace: str
) -> None:
    """Why our writers always ask for it: this is what the server does of itself."""
    body = {
        "apiVersion": "supaplane.dev/v1alpha1",
        "kind": "SupabaseProject",
        "metadata": {"name": "typo", "namespace": namespace},
        "spec": {"dispalyName": "x"},
    }
    asked = ("create", "--validate=ignore", "-o", "json", "-f", "-")
    made = json.loads(devcluster.kubectl(*asked, input=json.dumps(body)).stdout)
    assert "dispalyName" not in made["spec"]


async def test_several_mistakes_are_told_at_once(server: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        await server.create({"size": "huge", "rest": {"replicas": 0}, "auth": {"siteUrl": "x"}})
    assert all(word in str(refusal.value) for word in ("spec.size", "replicas", "siteUrl"))


def test_the_table_is_long_enough_to_be_trusted() -> None:
    assert len(REFUSED) >= 80
