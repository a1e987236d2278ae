"""Where a reply goes on as somebody else, told apart from a list of names.

``User NAME posted:`` at the start of a line is how prompts quote posts: nobody else writes so. A
line ``NAME: …`` may also be an entry of a list. It is one where the line before it ends with a
colon or is an entry itself, and where two short ones follow each other; a list has each name
once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .guard_patterns import HeaderPatterns
from .names import name_key

MOST_WORDS = 5
MOST_CHARACTERS = 60
"""Of an entry of a list that nothing introduces."""
_LINE_END = re.compile(r"\n|\\n")
_SENTENCE_ENDS = (".", "!", "?", "…")
_MARKS = ' \t\r\n"“”*_\\'


@dataclass(frozen=True)
class Entry:
    """A line that begins with a name and a colon; ``words`` is where its text begins."""

    start: int
    words: int
    name: str


class OtherTurns:
    """Finds the end of the speaker's own words in a reply that grows.

    ``first``: the entry that the reply begins with, if it begins with another's name.
    """

    def __init__(self, patterns: HeaderPatterns, start: int, first: Entry | None) -> None:
        self._patterns = patterns
        self._searched_to = start
        self._first = first
        self._listed: set[str] = set()
        self._last_entry = -1
        """Where the words of the list's last entry begin; -1 without a list."""
        self._cut: tuple[int, str] | None = None

    def end(self, text: str, complete: bool) -> tuple[int, str]:
        """The end of the speaker's words, and in whose name the text goes on (or nobody's)."""
        if self._cut:
            return self._cut
        doubtful = self._first
        for match in self._patterns.posts(text, self._searched_to):
            is_bare = match["bare"] is not None
            name = self._patterns.name_in(match["bare"] or match["posted"])
            entry = Entry(match.start(), match.end(), name)
            if is_bare and self._is_in_a_list(text, entry, doubtful, complete):
                if doubtful:
                    self._listed.add(name_key(doubtful.name))
                self._listed.add(name_key(name))
                self._last_entry, self._searched_to = entry.words, entry.words
                doubtful = self._first = None
            elif doubtful and doubtful is not self._first:
                return self._cut_before(doubtful)
            elif (
                is_bare and name_key(name) not in self._listed and _is_short(text, entry, complete)
            ):
                doubtful = entry
            else:
                return self._cut_before(entry)
        if doubtful and doubtful is not self._first:
            decided = len(text) - doubtful.words > MOST_CHARACTERS + self._patterns.longest
            if complete or decided or not _is_short(text, doubtful, complete):
                return self._cut_before(doubtful)
            self._searched_to = doubtful.start
            return doubtful.start, doubtful.name
        self._searched_to = max(self._searched_to, len(text) - self._patterns.longest)
        return len(text), ""

    def _cut_before(self, entry: Entry) -> tuple[int, str]:
        self._cut = entry.start, entry.name
        return self._cut

    def _may_begin_a_list(self, text: str, entry: Entry, complete: bool) -> bool:
        return name_key(entry.name) not in self._listed and _is_short(text, entry, complete)

    def _is_in_a_list(
        self, text: str, entry: Entry, doubtful: Entry | None, complete: bool
    ) -> bool:
        """Whether ``entry`` goes on with a list, begins one, or makes one with ``doubtful``."""
        if name_key(entry.name) in self._listed:
            return False
        if doubtful:
            return (
                name_key(entry.name) != name_key(doubtful.name)
                and _is_next_line(text, doubtful.words, entry.start)
                and _is_short(text, doubtful, True)
                and _is_short(text, entry, complete)
            )
        if self._last_entry >= 0 and _is_next_line(text, self._last_entry, entry.start):
            return True
        return text[max(0, entry.start - 40) : entry.start].rstrip(_MARKS).endswith((":", "："))


def _is_next_line(text: str, words: int, start: int) -> bool:
    """Whether the line at ``start`` follows the one in which ``words`` are, blank ones aside."""
    return not _LINE_END.search(text[words:start].rstrip())


def _is_short(text: str, entry: Entry, complete: bool) -> bool:
    """Whether the entry has a few words that are no sentence; so far, where it still grows."""
    line = text[entry.words : entry.words + 2 * MOST_CHARACTERS]
    end = _LINE_END.search(line)
    line = (line[: end.start()] if end else line).strip(_MARKS)
    if len(line) > MOST_CHARACTERS or len(line.split()) > MOST_WORDS:
        return False
    is_over = complete or end is not None
    return not is_over or (bool(line) and not line.endswith(_SENTENCE_ENDS))
