"""Which calls do Studio's pages make, what does each need, and what must be in its answer?

Typed by hand from Studio's source of 2024 to 2026. `test_pages.py` holds the API to it, in every
phase of a project; docs/studio.md shows it by page (`python -m tests.api.pages` writes it there).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from . import account, contents, operations, organization, project, settings
from .calls import Call, Form, Needs

__all__ = ["CALLS", "DOCUMENT", "Call", "Form", "Needs", "documented", "table"]
DOCUMENT = Path(__file__).parents[3] / "docs" / "studio.md"
BEGIN, END = "<!-- pages: begin -->\n", "<!-- pages: end -->\n"
CHANGES = (
    "Changes are made in every phase, in a paused project for when it comes back; but for these:\n"
)
CALLS = [
    Call(page, method, path, needs, shape, body, changes, phases)
    for part in (account, organization, project, settings, contents, operations)
    for page, rows in part.PAGES.items()
    for method, path, shape, needs, body, changes, phases in rows
]


def table(calls: Iterable[Call]) -> str:
    """The calls by page, in Markdown."""
    by_row: dict[tuple[str, Needs], list[str]] = {}
    for call in calls:
        by_row.setdefault((call.page, call.needs), []).append(shortly(call))
    rows = [
        f"| {page} | {needs.value} | {', '.join(dict.fromkeys(lines))} |"
        for (page, needs), lines in by_row.items()
    ]
    return "\n".join(["| page | takes | calls |", "|---|---|---|", *rows, ""])


def exceptions(calls: Iterable[Call]) -> str:
    """The calls that are answered otherwise in some phases, in Markdown."""
    by_row: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for call in calls:
        for status in sorted(set(call.phases.values())):
            phases = tuple(phase for phase, answer in call.phases.items() if answer == status)
            by_row.setdefault((status, phases), []).append(shortly(call))
    rows = [
        f"| {', '.join(phases)} | {status} | {', '.join(dict.fromkeys(lines))} |"
        for (status, phases), lines in by_row.items()
    ]
    return "\n".join(["| phase | answer | calls |", "|---|---|---|", *rows, ""])


def shortly(call: Call) -> str:
    """The call as it is written in the guide."""
    path = re.sub(r"^/platform", "", call.pattern)
    path = re.sub(r"/(buckets|api-keys)/(photos|anon-key)", r"/\1/{id}", path)
    path = re.sub(r"/organizations/{\w+}", "/organizations/{slug}", path)
    return f"`{call.method} {re.sub(r'{(?!ref|slug)[a-z]+}', '{id}', path)}`"


def documented(text: str) -> str:
    """The document with today's table in it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table(CALLS)}\n{CHANGES}\n{exceptions(CALLS)}{END}{after}"
