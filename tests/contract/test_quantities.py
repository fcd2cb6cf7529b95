"""Are quantities read and written as the API server does it?"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_contract import quantities

NORMAL = [
    ("1000m", "1"),
    ("0.5", "500m"),
    ("1.5", "1500m"),
    ("1500m", "1500m"),
    ("2", "2"),
    ("1000", "1k"),
    ("1024Mi", "1Gi"),
    ("1536Mi", "1536Mi"),
    ("1.5Gi", "1536Mi"),
    ("0.5Gi", "512Mi"),
    ("512", "512"),
    ("536870912", "536870912"),
    ("0.5Ki", "512"),
    ("1Ki", "1Ki"),
    ("1.3Ki", "1331200m"),
    ("0", "0"),
    ("0Mi", "0"),
    ("2000M", "2G"),
    ("3000m", "3"),
    ("0.0001", "1m"),
    ("1024Gi", "1Ti"),
    ("1000Gi", "1000Gi"),
]


@pytest.mark.parametrize(("written", "normal"), NORMAL)
def test_the_normal_form_is_the_servers(written: str, normal: str) -> None:
    assert quantities.normal(written) == normal


quantity = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,3})?([mkMGT]|[KMGT]i)?", fullmatch=True)


@given(text=quantity)
def test_the_normal_form_is_normal(text: str) -> None:
    normal = quantities.normal(text)
    assert quantities.normal(normal) == normal


@given(text=quantity)
def test_normalising_changes_the_amount_by_no_more_than_the_smallest_unit(text: str) -> None:
    before, after = quantities.parse(text), quantities.parse(quantities.normal(text))
    assert before <= after < before + 1


@given(text=st.from_regex(r"[1-9][0-9]{0,5}(m|[KMGT]i)?", fullmatch=True))
def test_whole_amounts_are_kept_exactly(text: str) -> None:
    assert quantities.parse(quantities.normal(text)) == quantities.parse(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("250m", Fraction(1, 4)), ("1Ki", Fraction(1024)), ("2k", Fraction(2000)), ("7", Fraction(7))],
)
def test_an_amount_is_in_cores_or_bytes(text: str, amount: Fraction) -> None:
    assert quantities.parse(text) == amount


@pytest.mark.parametrize("text", ["", "m", "1e3", "-1", "1 Gi", "1gb", "1Gi\n", "١", ".5"])
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 500m or 512Mi"):
        quantities.parse(text)
