"""How much is `512Mi`, and how does an API server write it?

The server rewrites quantities of pods, claims and quotas into one normal form; what we render in
that form is found again unchanged. The rules are those of
k8s.io/apimachinery/pkg/api/resource (Quantity), for amounts that are not negative.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_DECIMAL: Final = ("m", "", "k", "M", "G", "T", "P", "E")
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_FACTOR: Final = {
    **{suffix: Fraction(1000) ** (place - 1) for place, suffix in enumerate(_DECIMAL)},
    **{suffix: Fraction(1024**place) for place, suffix in enumerate(_BINARY)},
}
_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([mkMGTPE]|[KMGTPE]i)?", re.ASCII)


def parse(text: str) -> Fraction:
    """The amount in cores or bytes. Raises ValueError; knows no exponents (`1e3`)."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity such as 500m or 512Mi")
    return Fraction(match[1]) * _FACTOR[match[2] or ""]


def normal(text: str) -> str:
    """The same amount as the API server writes it: `1000m` is `1`, `1024Mi` is `1Gi`."""
    amount = parse(text)
    whole = amount.denominator == 1 and amount >= 1024
    return binary(amount) if text.endswith("i") and whole else decimal(amount)


def decimal(amount: Fraction | int) -> str:
    """An amount with the largest suffix of thousands that leaves it whole; rounds up to `m`."""
    thousandths = _ceil(Fraction(amount) * 1000)
    return _largest(thousandths, 1000, _DECIMAL)


def binary(amount: Fraction | int) -> str:
    """An amount with the largest suffix of 1024s that leaves it whole; rounds up to bytes."""
    return _largest(_ceil(Fraction(amount)), 1024, _BINARY)


def _largest(number: int, base: int, suffixes: tuple[str, ...]) -> str:
    if number == 0:
        return "0"
    place = 0
    while number % base == 0 and place + 1 < len(suffixes):
        number, place = number // base, place + 1
    return f"{number}{suffixes[place]}"


def _ceil(amount: Fraction) -> int:
    return -(-amount.numerator // amount.denominator)
