"""What every request body and every answer has in common.

Bodies are strict in their types: "1" is no number and 1 no boolean. Fields that we do not know are
ignored, since newer clients send more, and counted, so that somebody can see what is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from pydantic import BaseModel, ConfigDict

unknown_fields: ContextVar[Callable[[int], None] | None] = ContextVar(
    "unknown_fields", default=None
)
"""Told how many unknown fields a body of the current request holds."""


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(
        strict=True,
        extra="allow",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # an error that nobody foresaw is logged
    )

    def model_post_init(self, _context: Any, /) -> None:
        """Counts and forgets what we do not know."""
        if self.__pydantic_extra__:
            tell = unknown_fields.get()
            if tell is not None:
                tell(len(self.__pydantic_extra__))
            self.__pydantic_fields_set__.difference_update(self.__pydantic_extra__)
            self.__pydantic_extra__.clear()


class Answer(BaseModel):
    """An answer; whoever builds one gives every field by its name."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,  # every field is sent
    )


class Sparse(Answer):
    """An answer whose empty fields are left out: its route says `response_model_exclude_none`."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)


class Empty(Answer):
    """Nothing but that it is done; an object, since Studio parses every answer."""


class GoTrueMessage(Answer):
    """What every error below /auth says, in the words of GoTrue's clients."""

    message: str
    """What went wrong and what to do."""
    msg: str
    """The same, where older clients look for it."""
    code: int
    """The HTTP status."""
    error_code: str
    """The kind of error, as a constant."""


class Message(Answer):
    """What every error says."""

    message: str
    """What went wrong and what to do."""
