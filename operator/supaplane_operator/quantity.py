"""Are two Kubernetes quantities the same amount, however they are written?

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_FORM: Final = re.compile(r"^([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)([a-zA-Z]*|[eE][+-]?[0-9]+)$")

_SUFFIXES: Final = {
    "": Decimal(1),
    **{
        s: Decimal(10) ** e
        for s, e in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
    },
    **{f"{s}i": Decimal(1024) ** (n + 1) for n, s in enumerate("KMGTPE")},
}


def amount(text: str | int | float) -> Decimal | None:
    """The amount as a number; None when `text` is no quantity."""
    if isinstance(text, bool):
        return None
    if isinstance(text, (int, float)):
        return Decimal(str(text))
    match = _FORM.match(text)
    if match is None:
        return None
    number, suffix = match.groups()
    if suffix in _SUFFIXES:
        return Decimal(number) * _SUFFIXES[suffix]
    if suffix[:1] in ("e", "E") and suffix[1:].lstrip("+-").isdigit():
        return Decimal(number).scaleb(int(suffix[1:])) if len(suffix) < 6 else None
    return None


def same_amount(one: object, other: object) -> bool:
    """Whether both are quantities and equal. Text that is no quantity is the same as nothing."""
    if not isinstance(one, (str, int, float)) or not isinstance(other, (str, int, float)):
        return False
    first, second = amount(one), amount(other)
    return first is not None and first == second
