"""Which mistakes are looked for, and what is said of them? The names are those that Studio knows.

Pure; `statement.py` is how they are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Category = Literal["PERFORMANCE", "SECURITY"]
Level = Literal["ERROR", "WARN", "INFO"]
GUIDE: Final = "https://supabase.com/docs/guides/database/database-linter"


@dataclass(frozen=True)
class Check:
    """One kind of mistake. `detail` is about `{thing}` and `{more}`."""

    name: str
    title: str
    level: Level
    category: Category
    description: str
    detail: str


@dataclass(frozen=True)
class Finding:
    """A mistake that was found."""

    check: Check
    schema: str
    name: str
    kind: str
    more: str

    @property
    def key(self) -> str:
        """The same for the same mistake every time."""
        return "_".join(
            part for part in (self.check.name, self.schema, self.name, self.more) if part
        )

    @property
    def detail(self) -> str:
        """What is wrong, in a sentence."""
        thing = f"{self.schema}.{self.name}" if self.schema else self.name
        return self.check.detail.format(thing=thing, more=self.more)


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name="rls_disabled_in_public",
        title="RLS disabled in public",
        level="ERROR",
        category="SECURITY",
        description="Tables of the exposed schema `public` that everybody with a key may reach.",
        detail="Table `{thing}` is in `public`, and row level security is not enabled on it.",
    ),
    Check(
        name="policy_exists_rls_disabled",
        title="Policy exists, RLS disabled",
        level="ERROR",
        category="SECURITY",
        description="Tables with policies that count for nothing, since RLS is not enabled.",
        detail="Table `{thing}` has policies, but row level security is not enabled on it.",
    ),
    Check(
        name="rls_enabled_no_policy",
        title="RLS enabled, no policy",
        level="INFO",
        category="SECURITY",
        description="Tables with RLS and without a policy: only the service key reaches them.",
        detail="Table `{thing}` has row level security enabled, but no policy.",
    ),
    Check(
        name="no_primary_key",
        title="No primary key",
        level="INFO",
        category="PERFORMANCE",
        description="Tables without a primary key.",
        detail="Table `{thing}` has no primary key.",
    ),
    Check(
        name="unindexed_foreign_keys",
        title="Unindexed foreign keys",
        level="INFO",
        category="PERFORMANCE",
        description="Foreign keys without an index that begins with their columns.",
        detail="Table `{thing}` has a foreign key `{more}` without an index for its columns.",
    ),
    Check(
        name="duplicate_index",
        title="Duplicate index",
        level="WARN",
        category="PERFORMANCE",
        description="Indexes that do what another one does already.",
        detail="Table `{thing}` has indexes that are the same: {more}.",
    ),
    Check(
        name="function_search_path_mutable",
        title="Function search path mutable",
        level="WARN",
        category="SECURITY",
        description="Functions whose search path whoever calls them decides.",
        detail="Function `{thing}` has no search path of its own.",
    ),
    Check(
        name="security_definer_view",
        title="Security definer view",
        level="ERROR",
        category="SECURITY",
        description="Views that see what their owner may see, and not what their reader may.",
        detail="View `{thing}` works with the rights of its owner.",
    ),
    Check(
        name="extension_in_public",
        title="Extension in public",
        level="WARN",
        category="SECURITY",
        description="Extensions in the exposed schema `public`.",
        detail="Extension `{thing}` is installed in the schema `public`.",
    ),
)
_BY_NAME: Final[Mapping[str, Check]] = {check.name: check for check in CHECKS}


def findings(rows: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """What the rows say; a row of a check that does not exist is left out."""
    for row in rows:
        check = _BY_NAME.get(str(row.get("lint")))
        if check is not None:
            schema, name = str(row.get("schema") or ""), str(row.get("name") or "")
            kind, more = str(row.get("kind") or ""), str(row.get("more") or "")
            yield Finding(check, schema, name, kind, more)
