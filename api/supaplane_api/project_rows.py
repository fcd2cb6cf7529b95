"""Rows of projects that were read before, so that long lists are not read anew at each request.

What a caller may see is asked of the database every time: it names the rows and the version of
each. Only what a version holds is remembered, and that by itself lets nobody see anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString

from .caller import PROJECT_COLUMNS, ROW_VERSION, ProjectRow, RowVersion, project_row
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
        self._known: dict[int, tuple[RowVersion, ProjectRow]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def of(
        self, connection: Connection, versions: Sequence[RowVersion]
    ) -> tuple[ProjectRow, ...]:
        """The rows of those versions, in that order; one statement when some are not known yet.

        A row that changes meanwhile is left out: who may see it was not asked for its new version.
        """
        unread = [each[0] for each in versions if self._row(each) is None]
        if not unread:
            return tuple(self._known[each[0]][1] for each in versions)
        self._known |= await _read(connection, unread)
        rows = [self._row(each) for each in versions]
        for oldest in list(self._known)[: max(0, len(self._known) - self._most)]:
            del self._known[oldest]
        return tuple(row for row in rows if row is not None)

    def _row(self, version: RowVersion) -> ProjectRow | None:
        known = self._known.get(version[0])
        return known[1] if known is not None and known[0] == version else None


async def _read(
    connection: Connection, ids: Sequence[int]
) -> Mapping[int, tuple[RowVersion, ProjectRow]]:
    cursor = await connection.execute(_READ, (ids,))
    return {version[0]: (version, project_row(value)) async for version, value in cursor}
