"""Is a value that we render missing in the live object?

What others added to the object does not count. Lists that the API server merges by key are compared
by key; all other lists are ours as a whole. Status is never rendered, so it never counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from supaplane_kube.merge import item_key, keys_of

from .quantity import same_amount

QUANTITIES: Final = frozenset(
    {"requests", "limits", "hard", "max", "min", "default", "defaultRequest", "capacity"}
    | {"sizeLimit", "divisor"}
)
"""Fields whose values are quantities, which the server may write differently."""
DROPPED_WHEN_EMPTY: Final = frozenset(
    {"annotations", "labels", "data", "matchLabels", "nodeSelector", "requests", "limits"}
)
"""Maps that the server leaves out when they are empty; elsewhere `{}` says something."""


def differs(rendered: Mapping[str, Any], live: Mapping[str, Any] | None) -> bool:
    """Whether applying `rendered` would change `live`. An object that is not there differs."""
    return live is None or next(differences(rendered, live), None) is not None


def differences(rendered: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[str]:
    """The paths at which `live` lacks what is rendered; values are left out, they may be secret."""
    for key, value in rendered.items():
        if key not in ("apiVersion", "kind", "status"):
            yield from _missing(value, live.get(key), key, key)


def _missing(wanted: Any, live: Any, field: str, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping):
        yield from _missing_in_map(wanted, live, field, path)
    elif isinstance(wanted, list):
        yield from _missing_in_list(wanted, live, field, path)
    elif not _equal(wanted, live, field):
        yield path


def _missing_in_map(wanted: Mapping[str, Any], live: Any, field: str, path: str) -> Iterator[str]:
    if not isinstance(live, Mapping):
        if wanted or live is not None or field not in DROPPED_WHEN_EMPTY:
            yield path
        return
    inner = field if field in QUANTITIES else ""
    for key, value in wanted.items():
        yield from _missing(value, live.get(key), inner or key, f"{path}.{key}")


def _missing_in_list(wanted: list[Any], live: Any, field: str, path: str) -> Iterator[str]:
    if live is None and not wanted:
        return
    if not isinstance(live, list):
        yield path
        return
    keys = keys_of(field, wanted, live)
    if keys is None or not wanted:
        if not _same_list(wanted, live, field):
            yield path
        return
    there = {item_key(item, keys): item for item in live}
    for item in wanted:
        name = item_key(item, keys)
        yield from _missing(item, there.get(name), "", f"{path}[{name[0]}]")


def _same_list(wanted: list[Any], live: list[Any], field: str) -> bool:
    """Whether a list that is ours as a whole is there as we want it, with nothing added."""
    return len(wanted) == len(live) and all(
        _same(one, other, field) for one, other in zip(wanted, live, strict=True)
    )


def _same(wanted: Any, live: Any, field: str) -> bool:
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return wanted.keys() == live.keys() and all(
            _same(value, live[key], key) for key, value in wanted.items()
        )
    if isinstance(wanted, list) and isinstance(live, list):
        return _same_list(wanted, live, field)
    return _equal(wanted, live, field)


def _equal(wanted: Any, live: Any, field: str) -> bool:
    if field in QUANTITIES and same_amount(wanted, live):
        return True
    if isinstance(wanted, bool) or isinstance(live, bool):
        return wanted is live
    return bool(wanted == live)
