"""By which numbers does Studio know roles? Pure.

A role in the whole organization has the number of ROLE_IDS. One that is limited to projects is that
member's own, and its number is made of both.
"""

from __future__ import annotations

from supaplane_api.access import ROLE_IDS, Role
from supaplane_api.problems import Invalid

_BY_ID = {number: role for role, number in ROLE_IDS.items()}
_FIRST_LIMITED = 100


def role_of(number: int) -> Role:
    """The role of that number. Raises Invalid."""
    if number not in _BY_ID:
        known = ", ".join(f"{n} ({role.value})" for n, role in _BY_ID.items())
        raise Invalid(f"role_id: must be one of {known}")
    return _BY_ID[number]


def number_of(role: Role, account_id: int, *, limited: bool) -> int:
    """The number of a member's role."""
    if not limited:
        return ROLE_IDS[role]
    return _FIRST_LIMITED + account_id * len(ROLE_IDS) + ROLE_IDS[role]
