"""Merge patch by RFC 7396, and the field-wise merge of the server in memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_kube.merge import keys_of, merge_patched, merged, without_forgotten

# The examples of RFC 7396, appendix A.
RFC = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC)
def test_merge_patch(target, patch, result):
    assert merge_patched(target, patch) == result


def test_items_are_merged_by_their_keys():
    live = {"env": [{"name": "A", "value": "1"}, {"name": "X", "value": "theirs"}]}
    wanted = {"env": [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]}
    names = {item["name"]: item["value"] for item in merged(live, wanted)["env"]}
    assert names == {"A": "2", "B": "3", "X": "theirs"}


def test_other_lists_are_replaced():
    assert merged({"args": ["a", "b"]}, {"args": ["c"]}) == {"args": ["c"]}


def test_what_a_manager_stops_sending_goes_and_what_others_sent_stays():
    before = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}], "x": 1}
    wanted = {"env": [{"name": "A", "value": "1"}]}
    live = {"env": [*before["env"], {"name": "C", "value": "1"}], "x": 1, "y": 1}
    left = without_forgotten(live, before, wanted)
    assert left == {"env": [{"name": "A", "value": "1"}, {"name": "C", "value": "1"}], "y": 1}


@pytest.mark.parametrize(
    ("field", "items", "keys"),
    [
        ("ports", [{"containerPort": 1}], ("containerPort", "protocol")),
        ("ports", [{"port": 1}], ("port", "protocol")),
        ("ports", [{"port": 1}, {"endPort": 2}], None),
        ("env", [{"name": "A"}], ("name",)),
        ("args", ["a"], None),
        ("from", [{"podSelector": {}}], None),
    ],
)
def test_the_keys_of_lists(field, items, keys):
    assert keys_of(field, items) == keys


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(values, values)
def test_merging_twice_is_merging_once(live, wanted):
    once = merged(live, wanted)
    assert merged(once, wanted) == once
    patched = merge_patched(live, wanted)
    assert merge_patched(patched, wanted) == patched
