"""Functions and their variables, as clients send and read them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from supaplane_api.schema import Answer, Body
from supaplane_api.text import Name, Word, encodable

Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=63)]
Source = Annotated[str, StringConstraints(max_length=1_000_000), AfterValidator(encodable)]
TAKEN = ("SUPABASE_", "SUPAPLANE_")
OURS = frozenset({"DENO_DIR", "HOME", "PATH"})


def _free(name: str) -> str:
    if name.startswith(TAKEN) or name in OURS:
        raise ValueError("is a name that the platform sets itself: choose another")
    return name


VariableName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=253),
    AfterValidator(_free),
]
VariableValue = Annotated[
    str,
    StringConstraints(max_length=24576, pattern=r"^[^\x00]*$"),
    AfterValidator(encodable),
]


class Function(Answer):
    """A function. Times in milliseconds since 1970."""

    id: str
    slug: str
    name: str
    status: Literal["ACTIVE"] = "ACTIVE"
    version: int
    created_at: int
    updated_at: int
    verify_jwt: bool
    import_map: bool
    entrypoint_path: str
    import_map_path: str | None


class Functions(Answer):
    """Functions after a change of several."""

    functions: list[Function]


class Metadata(Body):
    """What is said of the files of a deployment."""

    entrypoint_path: Word = "index.ts"
    import_map_path: Word | None = None
    static_patterns: Annotated[list[Word], Field(max_length=64)] | None = None
    """Nothing has to be done for them: every file that is sent lies beside the function."""
    verify_jwt: bool | None = None
    name: Name | None = None


class CreateFunction(Body):
    """A new function of one file."""

    slug: Slug
    name: Name
    body: Source
    verify_jwt: bool | None = None


class FunctionChange(Body):
    """A change of a function."""

    name: Name | None = None
    verify_jwt: bool | None = None
    body: Source | None = None


class BulkFunction(Body):
    """A function that was sent before with `bundleOnly`, or stays as it is."""

    id: Word
    slug: Slug
    name: Name
    version: int
    status: Word | None = None
    verify_jwt: bool | None = None


class Variable(Answer):
    """A variable that functions see; its value as SHA-256 in hexadecimal."""

    name: str
    value: str


class VariableWish(Body):
    """A variable that functions should see."""

    name: VariableName
    value: VariableValue
