"""Which objects need no second look? Remembers how each was when it last was as rendered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .children import WATCHED, Child, Name
from .errors import Problem
from .observe import Observed
from .render import RenderedComponent

Addresses = frozenset[tuple[Name, tuple[str, ...]]]


def addresses(children: Mapping[Name, Child]) -> Addresses:
    """Where clients reach what has an address of its own."""
    return frozenset((name, child.addresses) for name, child in children.items() if child.addresses)


@dataclass(frozen=True, slots=True)
class Settled:
    """An object that was as rendered: which one, how it looked, and what was rendered."""

    uid: str
    shape: str
    rendered: str


@dataclass(frozen=True)
class Whole:
    """What a whole pass found in good order, for the glances that follow it."""

    wish: object
    """What the SupabaseProject asked for, to be compared with what it asks for now."""
    at: float
    """When, by the monotonic clock."""
    observed: Observed
    components: tuple[RenderedComponent, ...]
    addresses: Addresses
    """Where the way in was."""
    network: Problem | None
    """Why the project does not get a host that it asks for."""
    certificates: Mapping[str, str]
    """Hosts that a certificate is to be issued for, by the name of its Secret."""


@dataclass
class Memory:
    """What is remembered of one project. Lost with the process, which costs one look at all."""

    settled: dict[Name, Settled] = field(default_factory=dict)
    looked_at: float = float("-inf")
    """When the kinds that are not watched were last compared, by the monotonic clock."""
    looked_for: object = None
    """What the SupabaseProject asked for then. A person who touches it, if only by a label, wants
    everything looked at, and the event may be old news when the pass has read it already."""
    whole: Whole | None = None

    def keep_only(self, names: Collection[Name]) -> None:
        """Forgets what is not rendered any more."""
        self.settled = {name: seen for name, seen in self.settled.items() if name in names}

    def undisturbed(self, children: Mapping[Name, Child], ref: str) -> bool:
        """Whether the watched objects are those that were as rendered, and look as they did."""
        ours = {name: child for name, child in children.items() if child.ref == ref}
        known = {name: seen for name, seen in self.settled.items() if name[0] in WATCHED}
        return ours.keys() == known.keys() and all(
            (child.uid, child.shape) == (known[name].uid, known[name].shape)
            for name, child in ours.items()
        )
