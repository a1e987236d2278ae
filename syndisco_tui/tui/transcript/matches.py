"""Which messages have what is searched for."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from ...discussion import Message
from ...text import safe


class Matches:
    """``query`` in the texts as they are shown; capitals count if there are any in it."""

    def __init__(
        self,
        query: str,
        entries: Sequence[Message],
        shown: Iterable[int],
        wider: Matches | None = None,
    ) -> None:
        """Look at the entries ``shown``; if this is ``wider`` with more typed, at its hits."""
        if wider and wider.pattern and query.startswith(wider.query):
            shown = wider.hits
        self.query: str = query
        words = [re.escape(word) for word in query.split()]
        flags = re.NOFLAG if query != query.lower() else re.IGNORECASE
        self.pattern: re.Pattern[str] | None = None
        if words:
            self.pattern = re.compile(r"\s+".join(words), flags)
        self.hits: list[int] = []
        """The entries that have it, ascending."""
        for entry in list(shown):
            self.look_at(entry, entries[entry].text)

    def look_at(self, entry: int, text: str) -> None:
        """One more message, the last so far."""
        if self.pattern and self.pattern.search(safe(text)):
            insort(self.hits, entry)

    def next(self, entry: int) -> int | None:
        """The hit after ``entry``; after the last, the first."""
        after = bisect_right(self.hits, entry)
        return self.hits[after % len(self.hits)] if self.hits else None

    def previous(self, entry: int) -> int | None:
        """The hit before ``entry``; before the first, the last."""
        return self.hits[bisect_left(self.hits, entry) - 1] if self.hits else None

    def count(self, current: int | None) -> str:
        """``3 of 17``, or how many there are where the current message is none of them."""
        if not self.pattern:
            return ""
        if not self.hits:
            return "not found"
        if current in self.hits:
            return f"{self.hits.index(current) + 1} of {len(self.hits)}"
        return f"{len(self.hits)} found"
