"""What is accepted, and what a person is told who asked for what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from supaplane_contract.resource import from_manifest
from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Reason
from supaplane_operator.accept import Accepted, Rivals, accept
from supaplane_operator.errors import Problem
from supaplane_operator.projects import Known
from supaplane_operator.releases import Release
from supaplane_operator.render import Platform

REF = "a" * 20
RELEASES = {n: Release(n, {ComponentName.DB: "x"}, frozenset(), "17") for n in ("1.9", "1.10")}
NEWER = {"2.0": Release("2.0", {ComponentName.DB: "y"}, frozenset(), "18")}

ALONE = Rivals()


EARLIER, MIDDLE, LATER = (f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3))


def known(name: str, created: str = MIDDLE) -> Known:
    return Known(("home", name), f"uid-{name}", created, REF, (), "", "1")


def accepted(
    *,
    namespace: str = "home",
    pinned: str | None = None,
    rivals: Rivals = ALONE,
    releases: Mapping[str, Release] = RELEASES,
    **spec: Any,
) -> Accepted:
    meta = {"name": "shop", "namespace": namespace, "uid": "u", "creationTimestamp": MIDDLE}
    return accept(
        from_manifest({"metadata": meta, "spec": spec}),
        ref=REF,
        pinned=pinned,
        homes=("home",),
        platform=Platform("example.org"),
        releases=releases,
        rivals=rivals,
    )


def refused(**rest: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        accepted(**rest)
    return caught.value


def test_the_newest_release_is_taken_by_number_not_by_letter():
    assert accepted().release.name == "1.10"


def test_a_newer_release_with_another_postgres_is_for_those_who_ask_for_it():
    assert accepted(releases=RELEASES | NEWER).release.name == "1.10"
    eighteen = accepted(releases=RELEASES | NEWER, database={"version": "18"})
    assert eighteen.release.name == "2.0"
    assert accepted(releases=NEWER).release.name == "2.0", "what it lacks is told when it renders"


def test_the_pinned_release_stays_and_the_spec_wins_over_it():
    assert accepted(pinned="1.9").release.name == "1.9"
    assert accepted(pinned="1.9", release="1.10").release.name == "1.10"


def test_a_pinned_release_that_is_no_longer_known_is_not_replaced_by_another():
    problem = refused(pinned="0.1")
    assert problem.reason is Reason.RELEASE_UNKNOWN
    assert "1.10, 1.9" in problem.message


def test_another_namespace_is_told_how_it_becomes_a_home():
    problem = refused(namespace="elsewhere")
    assert problem.reason is Reason.NAMESPACE_NOT_A_HOME
    assert "SUPAPLANE_HOME_NAMESPACES=home,elsewhere" in problem.message


def test_a_ref_belongs_to_the_oldest():
    accepted(rivals=Rivals(by_ref=[known("shop"), known("other", LATER)]))
    problem = refused(rivals=Rivals(by_ref=[known("other", EARLIER), known("shop")]))
    assert problem.reason is Reason.REF_TAKEN
    assert "home/other" in problem.message


def test_a_younger_rival_is_none_though_the_watch_has_told_of_it_first():
    accepted(rivals=Rivals(by_ref=[known("other", LATER)]))
    rivals = Rivals(by_host={"a.com": [known("other", LATER)]})
    assert accepted(rivals=rivals, customDomains=["a.com"]).network is None


def test_of_two_of_the_same_second_the_first_by_name_wins():
    accepted(rivals=Rivals(by_ref=[known("zoo"), known("shop")]))
    refused(rivals=Rivals(by_ref=[known("bar"), known("shop")]))


def test_an_own_host_below_the_platforms_domain_is_fine():
    result = accepted(host=f"{REF}.example.org")
    assert result.network is None
    assert result.spec.host == f"{REF}.example.org"


@pytest.mark.parametrize(
    "host", ["api.example.org", f"{'b' * 20}.example.org", "x.y.example.org", "example.org"]
)
def test_other_names_below_the_platforms_domain_are_reserved(host):
    for spec in ({"host": host}, {"customDomains": [host]}):
        result = accepted(**spec)
        assert result.network is not None
        assert result.network.reason is Reason.HOST_RESERVED
        assert result.spec.host is None
        assert result.spec.custom_domains == []


def test_a_name_that_only_ends_alike_is_not_reserved():
    assert accepted(host="notexample.org").network is None


def test_a_host_belongs_to_the_oldest_and_the_other_hosts_stay():
    older = [known("other", EARLIER), known("shop")]
    rivals = Rivals(by_host={"a.com": older, "b.com": [known("shop")]})
    result = accepted(rivals=rivals, customDomains=["a.com", "b.com"])
    assert result.network is not None
    assert result.network.reason is Reason.HOST_TAKEN
    assert result.spec.custom_domains == ["b.com"]
