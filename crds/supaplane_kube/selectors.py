"""Does an object fit a selector?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether `labels` fit an equality-based selector such as `a=b,c!=d,e,!f`.

    The set-based form (`a in (b,c)`) is not understood; ValueError says so.
    """
    return all(_fits(term.strip(), labels) for term in selector.split(",") if term.strip())


def _fits(term: str, labels: Mapping[str, str]) -> bool:
    if "(" in term:
        raise ValueError(f"set-based label selectors are not understood: {term}")
    if "!=" in term:
        name, value = term.split("!=", 1)
        return labels.get(name.strip()) != value.strip()
    if "=" in term:
        name, value = term.replace("==", "=").split("=", 1)
        return labels.get(name.strip()) == value.strip()
    return (term[1:] not in labels) if term.startswith("!") else (term in labels)


def fields_match(selector: str, manifest: Mapping[str, Any]) -> bool:
    """Whether an object fits a field selector such as `type=Warning,involvedObject.kind=Pod`."""
    fields = (term.partition("=")[0] for term in selector.split(",") if term)
    values = {path: _field(manifest, path.rstrip("!")) for path in fields}
    return matches(selector, {path.rstrip("!"): value for path, value in values.items()})


def _field(manifest: Mapping[str, Any], path: str) -> str:
    value: Any = manifest
    for key in path.split("."):
        value = (value or {}).get(key)
    return "" if value is None else str(value)
