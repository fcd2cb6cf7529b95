"""Amounts are amounts, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_operator.quantity import amount, same_amount


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1Gi", "1024Mi"),
        ("1e3", "1k"),
        ("1E3", "1000"),
        ("1.5Gi", "1536Mi"),
        ("100", 100),
        ("1G", "1000M"),
        (".5", "500m"),
        ("2.", 2),
    ],
)
def test_the_same(one, other):
    assert same_amount(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("1G", "1Gi"), ("1", "1m"), ("", ""), ("a", "a"), (True, 1), (None, None)]
)
def test_not_the_same(one, other):
    assert not same_amount(one, other)


@given(st.text(max_size=12))
def test_no_text_makes_trouble(text):
    amount(text)


@given(st.integers(min_value=0, max_value=10**15))
def test_thousandths_and_units_agree(number):
    assert same_amount(f"{number * 1000}m", str(number))
