"""Is the password of a database hard enough to guess?"""

from __future__ import annotations

from supaplane_api.problems import Invalid
from supaplane_api.services import Services

from .wishes import LEAST_STRENGTH


async def demand(services: Services, field: str, password: str, known: tuple[str, ...]) -> None:
    """Raises Invalid, naming `field`, for a password that is not; Unavailable when too many are
    being judged. `known`: what somebody who guesses knows of its owner."""
    strength = await services.passwords.strength(password, known)
    if strength.score < LEAST_STRENGTH:
        advice = " ".join(filter(None, (strength.warning, *strength.suggestions)))
        raise Invalid(f"{field}: too weak for a database. {advice}".strip())
