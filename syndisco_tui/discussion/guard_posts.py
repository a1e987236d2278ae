"""Where a reply continues in somebody else's name, told apart from a list of names.

``User NAME posted:`` at the start of a line is how prompts quote posts: nothing else looks so. A
line ``NAME: …`` may also be an entry of a list. It is one if the line before it ends with a colon
or is an entry itself, or if two short ones follow each other. A list has each name once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .guard_patterns import HeaderPatterns
from .names import name_key

MAX_WORDS = 5
MAX_CHARACTERS = 60
"""The limits of an entry in a list that nothing introduces."""
_LINE_END = re.compile(r"\n|\\n")
_SENTENCE_ENDS = (".", "!", "?", "…")
_MARKS = ' \t\r\n"“”*_\\'


@dataclass(frozen=True)
class NamedLine:
    """A line that begins with a name and a colon; its text begins at ``text_start``."""

    start: int
    text_start: int
    name: str


def end_of_own_words(
    text: str,
    start: int,
    patterns: HeaderPatterns,
    first_line: NamedLine | None,
    *,
    complete: bool,
) -> tuple[int, str]:
    """Where the speaker's own words end, and in whose name the reply continues, if it does.

    Args:
        text: the reply, of which ``text[:start]`` is known to be no further post.
        start: position of the first word.
        patterns: the headers that posts may have.
        first_line: the reply's first line, if it begins with another's name.
        complete: whether the reply does not grow any more.
    """
    candidate = first_line
    """A line that is a list's entry if the next one is, else a further post."""
    listed: set[str] = set()
    last_entry: NamedLine | None = None
    for match in patterns.posts(text, start):
        is_bare = match["bare"] is not None
        name = patterns.name_in(match["bare"] or match["posted"])
        line = NamedLine(match.start(), match.end(), name)
        is_new = name_key(name) not in listed
        if is_bare and is_new and _is_list_entry(text, line, candidate, last_entry, complete):
            if candidate:
                listed.add(name_key(candidate.name))
            listed.add(name_key(name))
            last_entry, candidate = line, None
        elif candidate and candidate is not first_line:
            return candidate.start, candidate.name
        elif is_bare and is_new and _is_short(text, line, complete):
            candidate = line
        else:
            return line.start, line.name
    if candidate and candidate is not first_line:
        return candidate.start, candidate.name
    return len(text), ""


def _is_list_entry(
    text: str,
    line: NamedLine,
    candidate: NamedLine | None,
    last_entry: NamedLine | None,
    complete: bool,
) -> bool:
    """Whether ``line`` continues a list, begins one, or forms one with ``candidate``."""
    if candidate:
        return (
            name_key(line.name) != name_key(candidate.name)
            and _are_neighbours(text, candidate, line)
            and _is_short(text, candidate, complete=True)
            and _is_short(text, line, complete)
        )
    if last_entry and _are_neighbours(text, last_entry, line):
        return True
    return text[max(0, line.start - 40) : line.start].rstrip(_MARKS).endswith((":", "："))


def _are_neighbours(text: str, line: NamedLine, later: NamedLine) -> bool:
    """Whether only blank lines are between two lines."""
    return not _LINE_END.search(text[line.text_start : later.start].rstrip())


def _is_short(text: str, line: NamedLine, complete: bool) -> bool:
    """Whether the line has a few words that are no sentence; of one that grows, so far."""
    content = text[line.text_start : line.text_start + 2 * MAX_CHARACTERS]
    end = _LINE_END.search(content)
    content = (content[: end.start()] if end else content).strip(_MARKS)
    if len(content) > MAX_CHARACTERS or len(content.split()) > MAX_WORDS:
        return False
    is_over = complete or end is not None
    return not is_over or (bool(content) and not content.endswith(_SENTENCE_ENDS))
