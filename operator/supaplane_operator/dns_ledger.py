"""What does the DNS hook know of a project's hosts, and what is it still to be told? Pure.

The ledger lies in an annotation of the project namespace. What the hook is to be told is written
there before it is told, and what it acknowledged is written there after: so an operator that is
killed in between tells it again, in the same words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson


class Event(StrEnum):
    """What happened to a host."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True)
class Entry:
    """The last word on one host."""

    event: Event
    targets: tuple[str, ...]
    """Addresses or names that the host should point to; empty: not known."""
    revision: int
    """Grows with every word on any host of the project."""
    acknowledged: bool = False


@dataclass(frozen=True)
class Ledger:
    """The last word on each host, by host; a deletion stays until it is acknowledged."""

    revision: int = 0
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def untold(self) -> Iterator[tuple[str, Entry]]:
        """What is not acknowledged yet, in the order in which it came up."""
        open_ = [(host, entry) for host, entry in self.entries.items() if not entry.acknowledged]
        return iter(sorted(open_, key=lambda item: item[1].revision))


def revised(ledger: Ledger, wanted: Mapping[str, tuple[str, ...]], *, now: float) -> Ledger:
    """The ledger that says what is wanted now: targets by host. `now`: seconds since 1970."""
    revision, entries = ledger.revision, {}
    for host in sorted({*ledger.entries, *wanted}):
        before = ledger.entries.get(host)
        word = _word(before, wanted.get(host))
        if before is None or (before.event, before.targets) != word:
            # The time only keeps revisions growing should the ledger ever be lost.
            revision = max(revision + 1, int(now))
            before = Entry(*word, revision)
        entries[host] = before
    return Ledger(revision, entries)


def _word(before: Entry | None, targets: tuple[str, ...] | None) -> tuple[Event, tuple[str, ...]]:
    """What is to be said of a host, given what was said last."""
    if targets is None:
        return Event.DELETE, ()
    if before is None or before.event is Event.DELETE:
        return Event.CREATE, targets
    if before.targets == targets:
        return before.event, targets
    return (Event.CHANGE if before.acknowledged else before.event), targets


def acknowledged(ledger: Ledger, revisions: Collection[int]) -> Ledger:
    """The ledger after the hook acknowledged these revisions."""
    entries = {}
    for host, entry in ledger.entries.items():
        heard = entry.acknowledged or entry.revision in revisions
        if not (heard and entry.event is Event.DELETE):
            entries[host] = replace(entry, acknowledged=heard)
    return replace(ledger, entries=entries)


def dumped(ledger: Ledger) -> str:
    """As it is written down."""
    hosts = {
        host: {
            "event": entry.event.value,
            "revision": entry.revision,
            "targets": list(entry.targets),
            "acknowledged": entry.acknowledged,
        }
        for host, entry in ledger.entries.items()
    }
    written = orjson.dumps(
        {"revision": ledger.revision, "hosts": hosts}, option=orjson.OPT_SORT_KEYS
    )
    return written.decode()


def loaded(text: str | None) -> Ledger:
    """As it was written down. What cannot be read counts as nothing: the hook is told all again."""
    try:
        data = orjson.loads(text or "{}")
        entries = {str(host): _entry(entry) for host, entry in data.get("hosts", {}).items()}
        return Ledger(int(data.get("revision", 0)), entries)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Ledger()


def _entry(data: Mapping[str, Any]) -> Entry:
    targets = tuple(str(target) for target in data["targets"])
    return Entry(Event(data["event"]), targets, int(data["revision"]), data["acknowledged"] is True)
