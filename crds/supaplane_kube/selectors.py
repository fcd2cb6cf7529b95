"""Does a set of labels fit a label selector?"""

from __future__ import annotations

from collections.abc import Mapping


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
