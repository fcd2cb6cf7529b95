"""Are names what the cluster takes, and is the ref of a project the same each time?"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_contract import names

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
object_names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", fullmatch=True)


@given(cluster=st.uuids(), namespace=object_names, name=object_names)
def test_every_project_has_a_ref_of_twenty_letters(
    cluster: object, namespace: str, name: str
) -> None:
    ref = names.derive_ref(cluster_uid=str(cluster), namespace=namespace, name=name)
    assert re.fullmatch(r"[a-z]{20}", ref)
    again = names.derive_ref(cluster_uid=str(cluster), namespace=namespace, name=name)
    assert again == ref


def test_the_derived_ref_never_changes_between_releases() -> None:
    ref = names.derive_ref(cluster_uid="uid", namespace="supaplane-projects", name="shop")
    assert ref == "sdjtvixjlhiuozpdujdi"


def test_a_name_that_is_a_ref_is_the_ref() -> None:
    name = "abcdefghijklmnopqrst"
    assert names.derive_ref(cluster_uid="uid", namespace="home", name=name) == name


def test_clusters_namespaces_and_names_give_different_refs() -> None:
    refs = {
        names.derive_ref(cluster_uid=cluster, namespace=namespace, name=name)
        for cluster in ("a", "b")
        for namespace in ("x", "y")
        for name in ("one", "two")
    }
    assert len(refs) == 8


def test_a_slash_cannot_be_moved_between_namespace_and_name() -> None:
    one = names.derive_ref(cluster_uid="u", namespace="a", name="b-c")
    other = names.derive_ref(cluster_uid="u", namespace="a-b", name="c")
    assert one != other


def test_all_letters_are_used_evenly() -> None:
    refs = (names.derive_ref(cluster_uid="u", namespace="n", name=str(i)) for i in range(2000))
    counted = Counter("".join(refs))
    expected = 2000 * 20 / 26
    assert len(counted) == 26
    assert all(0.8 * expected < count < 1.2 * expected for count in counted.values())


@pytest.mark.parametrize(
    "text", ["", "abc", "a" * 19, "a" * 21, "A" * 20, "a" * 19 + "1", "a" * 20 + "\n", "ä" * 20]
)
def test_what_is_no_ref_is_seen(text: str) -> None:
    assert not names.is_ref(text)


def test_the_project_namespace_is_a_dns_label() -> None:
    namespace = names.project_namespace("a" * 20)
    assert namespace == "supabase-aaaaaaaaaaaaaaaaaaaa"
    assert DNS_LABEL.fullmatch(namespace)


@given(ref=st.from_regex(r"[a-z]{20}", fullmatch=True))
def test_no_two_kinds_of_public_host_are_alike(ref: str) -> None:
    made = [names.api_host, names.studio_host, names.database_host, names.pooler_host]
    hosts = {make(ref, "example.org") for make in made}
    assert len(hosts) == 4
    assert all(host.endswith(".example.org") for host in hosts)
    assert all(DNS_LABEL.fullmatch(label) for host in hosts for label in host.split("."))


def test_the_owner_of_a_namespace_names_this_very_object() -> None:
    assert names.owner_value(namespace="home", name="shop", uid="1-2") == "home/shop/1-2"
