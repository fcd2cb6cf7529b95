"""What must be in an answer for a page to work with it? Shapes, held against values and schemas.

A shape is `str`, `float` (any number), `bool`, `dict` (any object), `ANY`, `Or(shape, None)` for
what may be null, `Word("a", "b")`, `[shape]` for a list, or `{"key": shape}`, where a key that ends
in `?` may be absent. Other keys may be there as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ANY = object()
PLAIN = {str: "string", bool: "boolean", dict: "object"}


class Or:
    """Any of several shapes."""

    def __init__(self, *shapes: Any) -> None:
        self.shapes = shapes


@dataclass(frozen=True, init=False)
class Word:
    """One of these words."""

    words: frozenset[str]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", frozenset(words))


def missing(shape: Any, value: Any, at: str = "answer") -> Iterator[str]:
    """What the value lacks of the shape."""
    if shape is ANY:
        return
    if isinstance(shape, Or):
        if all(list(missing(one, value, at)) for one in shape.shapes):
            yield f"{at}: {value!r:.60} is none of what it may be"
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{at}: no object but {value!r:.60}"
            return
        for key, inner in shape.items():
            name = key.removesuffix("?")
            if name in value:
                yield from missing(inner, value[name], f"{at}.{name}")
            elif not key.endswith("?"):
                yield f"{at}.{name} is not there"
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{at}: no list but {value!r:.60}"
            return
        for index, item in enumerate(value):
            yield from missing(shape[0], item, f"{at}[{index}]")
    elif not _is(shape, value):
        yield f"{at}: {value!r:.60} is not {shape}"


def _is(shape: Any, value: Any) -> bool:
    if isinstance(shape, Word):
        return value in shape.words
    if shape is None:
        return value is None
    if shape is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, shape)


def unpromised(shape: Any, schema: Any, document: Any, at: str = "schema") -> Iterator[str]:
    """What a JSON schema does not promise of the shape. `{}` promises nothing and is let pass:
    what a project's own service answers is handed on as it is."""
    schema = _resolved(schema, document)
    if shape is ANY or not set(schema) - {"title", "description"}:
        return
    options = schema.get("anyOf")
    if options is not None:
        wanted = shape.shapes if isinstance(shape, Or) else (shape,)
        for option in options:
            complaints = [list(unpromised(one, option, document, at)) for one in wanted]
            if all(complaints):
                yield from min(complaints, key=len)
        return
    if isinstance(shape, Or):
        complaints = [list(unpromised(one, schema, document, at)) for one in shape.shapes]
        if all(complaints):
            yield from min(complaints, key=len)
    elif isinstance(shape, dict):
        yield from _unpromised_keys(shape, schema, document, at)
    elif isinstance(shape, list):
        if schema.get("type") != "array":
            yield f"{at}: {schema.get('type')} and no list"
        elif "items" in schema:
            yield from unpromised(shape[0], schema["items"], document, f"{at}[]")
    else:
        yield from _unpromised_plain(shape, schema, at)


def _unpromised_keys(shape: Any, schema: Any, document: Any, at: str) -> Iterator[str]:
    if schema.get("type") != "object":
        yield f"{at}: {schema.get('type')} and no object"
        return
    known, sure = schema.get("properties", {}), set(schema.get("required", ()))
    for key, inner in shape.items():
        name = key.removesuffix("?")
        if name in known:
            if name not in sure and "default" not in known[name] and not key.endswith("?"):
                yield f"{at}.{name} may be absent"
            yield from unpromised(inner, known[name], document, f"{at}.{name}")
        elif not key.endswith("?"):
            yield f"{at}.{name} is not promised"


def _unpromised_plain(shape: Any, schema: Any, at: str) -> Iterator[str]:
    kind = schema.get("type")
    if shape is None:
        fine = kind == "null"
    elif shape is float:
        fine = kind in ("integer", "number")
    elif isinstance(shape, Word):
        said = set(schema.get("enum", ())) | ({schema["const"]} if "const" in schema else set())
        fine = kind == "string" and said <= shape.words
    else:
        fine = kind == PLAIN[shape]
    if not fine:
        yield f"{at}: {kind} and not {shape}"


def _resolved(schema: Any, document: Any) -> Any:
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][name]
    return schema
