"""What can stop a pass over a project, and can waiting cure it?

PassStopped
├── Problem          the answer for the person: reason, message, and whether waiting can cure it
└── LookAgain        nothing is wrong; the same pass makes sense a moment later

Trouble with the API server is a `supaplane_kube.KubeError`, with its own `retryable`.
"""

from __future__ import annotations

from supaplane_contract.status import Reason


class PassStopped(Exception):
    """A pass over a project ends before its end."""


class Problem(PassStopped):
    """Something that the person must know. `waiting_helps`: it may pass by itself."""

    def __init__(self, reason: Reason, message: str, *, waiting_helps: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.waiting_helps = waiting_helps


class LookAgain(PassStopped):
    """The cluster changed under the pass; it starts over after `seconds`."""

    def __init__(self, why: str, *, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.seconds = seconds


class SettingsRefused(Exception):
    """The environment holds a setting that is wrong; the message says which and how to mend it."""


class LeaseLost(Exception):
    """Another replica leads, or may: this process must not write and ends."""
