"""How are a project's own services spoken to?"""

from .port import Call, Inside, NotReached, Nowhere, Part, Reply, TooMuch

__all__ = ["Call", "Inside", "NotReached", "Nowhere", "Part", "Reply", "TooMuch"]
