"""A message as it is shown: a header, its text in lines, and a blank line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...discussion import Message
from ...text import one_line, safe
from .wrapping import Span, wrap

NAME_LENGTH = 40
_TAGS = {"seed": "seed opinion", "human": "human", "moderator": "moderator"}


def shown_name(name: str) -> str:
    """A speaker's name as it is shown."""
    return one_line(name, NAME_LENGTH)


class Block:
    """``name``, ``text``, ``tag`` and ``note`` are safe to show. Line 0 is the header.

    ``tag`` stands beside the name, ``note`` at the right end of the header.
    """

    def __init__(
        self,
        name: str,
        text: str = "",
        *,
        tag: str = "",
        note: str = "",
        growing: bool = False,
        silent: bool = False,
    ) -> None:
        self.name = name
        self.text = text
        self.tag = tag
        self.note = note
        self.growing = growing
        self.silent = silent
        self.spans: list[Span] = []
        """The lines of ``text``, once it was wrapped."""
        self._width = 0
        self._searched: tuple[re.Pattern[str], str] | None = None
        self._matches: list[Span] = []

    @property
    def height(self) -> int:
        """In lines, with the header and the blank line after it."""
        return len(self.spans) + 2

    def wrap(self, width: int) -> None:
        """Break the text into lines of at most ``width`` cells."""
        if width != self._width:
            self._width = width
            self.spans = [] if self.silent else wrap(self.text, width)

    def grow(self, text: str) -> int:
        """Another text, most often the same and more: only the end is wrapped again.

        Returns the first line that may have changed.
        """
        text = safe(text).strip()
        kept = 0
        if self._width:
            if self.text and text.startswith(self.text):
                kept = len(self.spans) - 1
            start = self.spans[kept][0] if kept else 0
            self.spans[kept:] = wrap(text, self._width, start)
        self.text = text
        return 1 + kept

    def matches(self, pattern: re.Pattern[str]) -> list[Span]:
        """Where the text has what is searched for."""
        if self._searched != (pattern, self.text):
            self._searched = (pattern, self.text)
            self._matches = [found.span() for found in pattern.finditer(self.text)]
        return self._matches

    def line(self, number: int) -> str:
        """The text of a line that is neither the header nor the blank one."""
        start, end = self.spans[number - 1]
        return self.text[start:end]


def block_of(message: Message, *, is_stranger: bool = False) -> Block:
    """How a message of the record is shown; ``is_stranger``: its speaker takes no part."""
    name = shown_name(message.name)
    note = f"{message.turn}" if message.role == "user" else ""
    tags = [_TAGS.get(message.role, ""), *marks(message)]
    if is_stranger:
        tags.append("takes no part")
    if message.is_silence:
        tag = " · ".join(filter(None, [*tags[1:], "stays silent"]))
        return Block(name, tag=tag, note=note, silent=True)
    text = safe(message.text).strip()
    if message.is_cut:
        text += " […]"
        tags.append("cut at the token limit")
    return Block(name, text, tag=" · ".join(filter(None, tags)), note=note)


def marks(message: Message) -> list[str]:
    """What is unusual about a message, in a few words each: what people and the guard did to it."""
    marks = {
        "edited": message.is_edited,
        "regenerated": message.attempt > 0,
        "chosen by you": message.speaker_overridden,
        "shorter: memory was full": message.shortened is not None,
    }
    notes = [one_line(note, 2 * NAME_LENGTH) for note in message.guard_notes]
    return [*notes, *(word for word, is_so in marks.items() if is_so)]


def likely_height(text: str, width: int) -> int:
    """About how many lines the block of a message with ``text`` has; nothing is wrapped for it."""
    if not text:
        return 2
    return 3 + text.count("\n") + len(text) // width


def as_text(messages: Iterable[Message]) -> str:
    """The messages to read elsewhere: names, texts, and a blank line between; no silences."""
    said = (message for message in messages if not message.is_silence)
    return "\n\n".join(f"{message.name}:\n{message.text.strip()}" for message in said) + "\n"
