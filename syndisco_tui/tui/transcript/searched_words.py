"""Finds words in messages, ignoring case and accents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ...text import search_key, search_positions
from .wrapping import Span

_KEPT_TEXTS = 64
"""Texts whose matches are remembered: about a screenful, which is drawn line by line."""


@dataclass(frozen=True)
class SearchedWords:
    """Words that follow each other, with any white space between them."""

    pattern: re.Pattern[str]

    @classmethod
    def of(cls, query: str) -> SearchedWords | None:
        """The words of ``query``; None if it has none."""
        words = map(re.escape, search_key(query).split())
        pattern = r"\s+".join(words)
        return cls(re.compile(pattern)) if pattern else None

    def are_in(self, text: str) -> bool:
        """Whether ``text`` has the words."""
        return self.pattern.search(search_key(text)) is not None

    def spans(self, text: str) -> tuple[Span, ...]:
        """The (start, end) of each occurrence in ``text``."""
        return _spans(self.pattern, text)


@lru_cache(maxsize=_KEPT_TEXTS)
def _spans(pattern: re.Pattern[str], text: str) -> tuple[Span, ...]:
    key, positions = search_positions(text)
    return tuple(
        (positions[match.start()], positions[match.end() - 1] + 1)
        for match in pattern.finditer(key)
    )
