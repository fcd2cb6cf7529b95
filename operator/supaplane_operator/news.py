"""What is news? Not what a pass has read already, nor what our own write made."""

from __future__ import annotations

from .projects import Key


class News:
    """The newest resource version of each SupabaseProject that a pass knows of."""

    def __init__(self) -> None:
        self._seen: dict[Key, int] = {}

    def is_news(self, key: Key, version: str) -> bool:
        """Whether a version is newer than what was seen. One that is no number always is."""
        return not version.isdecimal() or int(version) > self._seen.get(key, -1)

    def saw(self, key: Key, version: str) -> None:
        """A pass has read this version, or has made it by a write."""
        if version.isdecimal():
            self._seen[key] = max(int(version), self._seen.get(key, -1))

    def forget(self, key: Key) -> None:
        """The project is gone."""
        self._seen.pop(key, None)


def newer(one: str, other: str | None) -> str:
    """The newer of two versions; one that is no number counts as newest."""
    if other is None or not one.isdecimal():
        return one
    return max(one, other, key=int) if other.isdecimal() else other
