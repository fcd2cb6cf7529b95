"""The documents are complete where a reader counts on it."""

from __future__ import annotations

import re
from pathlib import Path

from supaplane_contract.status import Reason


def test_every_reason_of_a_condition_has_an_entry_in_the_troubleshooting_page(root: Path) -> None:
    page = (root / "docs" / "troubleshooting.md").read_text()
    entries = re.findall(r"^### (\w+)\n+(\S.*)", page, re.MULTILINE)
    assert {name for name, _ in entries} == {reason.value for reason in Reason}
    assert len(entries) == len(Reason)
