"""Rows of projects that were read before, so that long lists are not read anew at each request.

What a caller may see is asked of the database every time: it names the rows and the version of
each. Only what a version holds is remembered, and that by itself lets nobody see anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from .caller import PROJECT_COLUMNS, ROW_VERSION, ProjectRow, project_row
from .database import Connection

MOST = 50_000
"""Rows that are remembered; one takes about a kilobyte."""

_READ: LiteralString = f"""
SELECT {ROW_VERSION}, jsonb_build_object({PROJECT_COLUMNS})
  FROM project p JOIN organizations o ON o.id = p.organization_id
 WHERE p.id = ANY (%s) AND p.state <> 'gone'
"""  # noqa: S608, put together from constants


class ProjectRows:
    """The memory of one process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: dict[str, ProjectRow] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def of(self, connection: Connection, versions: Sequence[str]) -> tuple[ProjectRow, ...]:
        """The rows of those versions, in that order; one statement when some are not known yet.

        A row that changes meanwhile is left out: who may see it was not asked for its new version.
        """
        known = self._known
        unread = [int(each.partition(":")[0]) for each in versions if each not in known]
        if unread:
            cursor = await connection.execute(_READ, (unread,))
            known |= {version: project_row(value) async for version, value in cursor}
        rows = tuple([row for row in map(known.get, versions) if row is not None])
        if len(known) > self._most:
            for oldest in list(known)[: len(known) - self._most]:
                del known[oldest]
        return rows
