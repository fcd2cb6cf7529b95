"""How is one image made: from which sources, of which layers?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import sources
from .archive import Config, architecture
from .content import Item
from .sources import Source


@dataclass(frozen=True)
class Recipe:
    """An image as a value."""

    name: str
    layers: tuple[tuple[Item, ...], ...]
    """From the lowest up. Equal layers of several images are kept once by a container engine."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    config: Config = field(default_factory=Config)

    @property
    def reference(self) -> str:
        """What containers call it."""
        return f"localhost/{self.name}:1"

    def identity(self, maker: str) -> str:
        """Changes with whatever goes into the image. `maker`: the state of this program itself."""
        parts = [maker, architecture(), self.name, repr(self.layers), repr(self.config)]
        parts += [
            f"{name} {sources.identity(source)}" for name, source in sorted(self.sources.items())
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
