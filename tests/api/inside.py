"""A way into projects behind which a test stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from supaplane_api.inside import Call, Reply


class ScriptedInside:
    """Remembers every call and answers what it is told to."""

    def __init__(self, answer: Any = None, status: int = 200) -> None:
        self.calls: list[Call] = []
        self.answer = answer
        self.status = status
        self.told: Callable[[Call], Reply] | None = None

    async def send(self, call: Call) -> Reply:
        self.calls.append(call)
        if self.told is not None:
            return self.told(call)
        return Reply(self.status, orjson.dumps(self.answer))

    async def close(self) -> None:
        """There is nothing to end."""

    @property
    def last(self) -> Call:
        return self.calls[-1]

    @property
    def sent(self) -> Any:
        """The body of the last call."""
        return orjson.loads(self.last.body or b"null")
