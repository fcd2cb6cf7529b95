"""What the tests of the contract share: specs drawn at random, and randomness that repeats."""

from __future__ import annotations

import random
import re
import types
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from supaplane_contract.spec import ProjectSpec

RandomBytes = Callable[[int], bytes]


@pytest.fixture(scope="session")
def random_bytes() -> Callable[[int], RandomBytes]:
    """A source of bytes for a seed: the same seed, the same bytes."""
    return lambda seed: random.Random(seed).randbytes


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def specs() -> st.SearchStrategy[ProjectSpec]:
    """Specs that the models take, built from the models' own annotations, field by field."""
    return _model(ProjectSpec, most=6)


@st.composite
def _model(draw: st.DrawFn, model: type[BaseModel], most: int = 3) -> Any:
    """A model with what it requires and a few of the optional fields."""
    fields = model.model_fields
    required = [name for name, info in fields.items() if info.is_required()]
    optional = [name for name in fields if name not in required]
    chosen = draw(st.sets(st.sampled_from(optional), max_size=most)) if optional else set()
    given = [name for name in fields if name in chosen or name in required]
    return model(**{n: draw(_value(fields[n].annotation, fields[n].metadata)) for n in given})


def _value(kind: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        return _value(inner, [*more, *metadata])
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = [option for option in get_args(kind) if option is not type(None)]
        return _value(inner, metadata)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    return _plain(kind, _limits(metadata))


def _plain(kind: Any, limits: dict[str, Any]) -> st.SearchStrategy[Any]:
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(limits.get("ge"), limits.get("le"))
    if kind is str:
        return _text(limits)
    least, most = limits.get("min_length", 0), min(3, limits.get("max_length", 3))
    parts = [_value(part, []) for part in get_args(kind)]
    if get_origin(kind) is list:
        return st.lists(parts[0], min_size=least, max_size=most, unique=True)
    assert get_origin(kind) is dict, f"no strategy for {kind}"
    return st.dictionaries(parts[0], parts[1], max_size=most)


def _text(limits: dict[str, Any]) -> st.SearchStrategy[str]:
    least, most = limits.get("min_length", 0), limits.get("max_length", 60)
    pattern = limits.get("pattern")
    if pattern is None:
        return st.text(min_size=least, max_size=min(most, 60))
    if "0-9a-fA-F.:" in pattern:
        return st.ip_addresses().filter(_speakable).map(lambda address: f"{address}/32")
    drawn = st.from_regex(re.compile(pattern, re.ASCII))
    return drawn.filter(lambda text: least <= len(text) <= most and not text.endswith("\n"))


def _speakable(address: Any) -> bool:
    return not getattr(address, "ipv4_mapped", None)


def _limits(metadata: list[Any]) -> dict[str, Any]:
    """Constraints by name, from annotated_types, pydantic's own and those inside a Field."""
    found: dict[str, Any] = {}
    for item in metadata:
        if isinstance(item, FieldInfo):
            found |= _limits(item.metadata)
        elif isinstance(item, StringConstraints):
            found |= {key: value for key, value in vars(item).items() if value is not None}
        else:
            names = ("ge", "le", "min_length", "max_length", "pattern")
            found |= {n: getattr(item, n) for n in names if getattr(item, n, None) is not None}
    return found
