"""What can be wrong with what a project already has?"""

from __future__ import annotations


class CredentialsLost(ValueError):
    """A missing value cannot be made without breaking one that is there.

    The message names the keys and the cure, and holds no secret.
    """
