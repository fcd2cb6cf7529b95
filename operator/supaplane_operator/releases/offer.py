"""What releases does a document from the network offer, and which of them may be taken in? Pure.

The document says `releases:` and a list of what stands in the files of releases, in JSON or YAML.
A release that cannot be taken in keeps no other from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from supaplane_contract.spec import ComponentName

from . import Release, parse

MOST_BYTES: Final = 128 * 1024
MOST_RELEASES: Final = 200
"""That are known at once: more would not fit where they are kept."""


@dataclass(frozen=True)
class Taken:
    """What is made of an offer."""

    new: Mapping[str, Release]
    refused: tuple[str, ...]
    """Why each of the others is not taken in; one that is known already is none of them."""


def read(document: bytes) -> list[Any]:
    """The entries of a document. Raises ValueError when it is none."""
    if len(document) > MOST_BYTES:
        raise ValueError(f"it is longer than {MOST_BYTES} bytes")
    try:
        data = yaml.load(document, _Plain)
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"it is neither JSON nor YAML ({type(error).__name__})") from None
    if not isinstance(data, dict) or set(data) != {"releases"}:
        raise ValueError("it must have the key releases and no other")
    if not isinstance(data["releases"], list):
        raise ValueError("releases must be a list")
    return data["releases"]


def take_in(
    entries: Iterable[Any],
    known: Mapping[str, Release],
    *,
    renderable: Collection[ComponentName],
) -> Taken:
    """`known`: releases that are there, which are never replaced. `renderable`: components that
    this operator can bring about."""
    new: dict[str, Release] = {}
    refused = []
    for entry in entries:
        try:
            release = _release(entry, renderable)
            if _is_news(release, {**known, **new}):
                new[release.name] = release
        except ValueError as error:
            refused.append(str(error))
    return Taken(new, tuple(refused))


def _release(entry: Any, renderable: Collection[ComponentName]) -> Release:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ValueError("an entry without a name")
    release = parse(entry["name"], entry)
    if unknown := sorted(release.default_components - set(renderable)):
        raise ValueError(
            f"release {release.name}: this operator cannot bring about {', '.join(unknown)}"
        )
    return release


def _is_news(release: Release, known: Mapping[str, Release]) -> bool:
    before = known.get(release.name)
    if before is not None and before != release:
        raise ValueError(
            f"release {release.name}: it is known with another content, and a release never "
            "changes: give the new content a new name"
        )
    if before is None and len(known) >= MOST_RELEASES:
        raise ValueError(f"release {release.name}: {MOST_RELEASES} releases are known already")
    return before is None


class _Plain(yaml.SafeLoader):
    """Without references, by which a short document can be a very long one."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references are not taken")
        return super().compose_node(parent, index)
