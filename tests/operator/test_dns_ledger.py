"""What the DNS hook is told next follows from what it was told, what it acknowledged, what is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_operator.dns_ledger import Ledger, acknowledged, dumped, loaded, revised

A, B = "a.example.org", "b.example.org"
HERE, THERE = ("203.0.113.7",), ("203.0.113.8",)


def said(ledger):
    return [(host, entry.event.value, entry.targets) for host, entry in ledger.untold]


def told(ledger):
    return acknowledged(ledger, [entry.revision for _, entry in ledger.untold])


def test_a_new_host_is_created_and_then_nothing_is_left_to_say():
    ledger = revised(Ledger(), {A: HERE}, now=100.0)
    assert said(ledger) == [(A, "create", HERE)]
    assert said(told(ledger)) == []
    assert revised(told(ledger), {A: HERE}, now=200.0) == told(ledger)


def test_another_address_is_a_change_of_what_was_acknowledged():
    ledger = told(revised(Ledger(), {A: ()}, now=100.0))
    assert said(revised(ledger, {A: HERE}, now=100.0)) == [(A, "change", HERE)]


def test_a_host_that_was_never_acknowledged_is_still_created():
    ledger = revised(Ledger(), {A: ()}, now=100.0)
    assert said(revised(ledger, {A: HERE}, now=100.0)) == [(A, "create", HERE)]


def test_a_host_that_goes_is_told_of_until_that_is_acknowledged():
    ledger = revised(told(revised(Ledger(), {A: HERE}, now=1.0)), {}, now=2.0)
    assert said(ledger) == [(A, "delete", ())]
    assert revised(ledger, {}, now=3.0) == ledger
    assert told(ledger).entries == {}


def test_a_host_that_may_have_been_heard_of_is_taken_back_too():
    never_acknowledged = revised(Ledger(), {A: HERE}, now=1.0)
    assert said(revised(never_acknowledged, {}, now=2.0)) == [(A, "delete", ())]


def test_a_host_that_comes_back_is_created_anew_with_a_higher_revision():
    first = told(revised(Ledger(), {A: HERE}, now=100.0))
    gone = revised(first, {}, now=100.0)
    back = revised(gone, {A: HERE}, now=100.0)
    assert said(back) == [(A, "create", HERE)]
    assert back.revision > gone.revision > first.revision


def test_an_acknowledgement_of_an_older_word_does_not_count_for_a_newer_one():
    older = revised(Ledger(), {A: HERE}, now=1.0)
    newer = revised(older, {A: THERE}, now=1.0)
    assert said(acknowledged(newer, [older.revision])) == [(A, "create", THERE)]


def test_revisions_go_on_growing_when_the_ledger_was_lost():
    before = revised(Ledger(), {A: HERE}, now=1_000.0)
    assert revised(loaded(None), {A: HERE}, now=1_060.0).revision > before.revision


def test_revisions_grow_when_the_clock_goes_back():
    before = revised(Ledger(), {A: HERE}, now=1_000.0)
    assert revised(before, {A: THERE}, now=10.0).revision == before.revision + 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"hosts": {"a": {}}}', '{"hosts": 3}', "null"])
def test_what_cannot_be_read_counts_as_nothing_said(text):
    assert loaded(text) == Ledger()


STEPS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from([A, B]), st.sampled_from([(), HERE, THERE])), st.booleans()
    ),
    max_size=12,
)


@given(steps=STEPS)
def test_a_hook_that_takes_every_call_in_order_ends_up_with_what_is_wanted(steps):
    ledger, records, wanted = Ledger(), {}, {}
    for number, (wanted, acknowledges) in enumerate(steps):
        ledger = loaded(dumped(revised(ledger, wanted, now=float(number))))
        for host, event, targets in said(ledger):
            records.pop(host, None) if event == "delete" else records.update({host: targets})
        ledger = told(ledger) if acknowledges else ledger
    assert records == wanted
    revisions = [entry.revision for entry in ledger.entries.values()]
    assert len(revisions) == len(set(revisions))
