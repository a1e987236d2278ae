"""A message as the transcript shows it: a header, its text in lines, and a blank line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache

from ...discussion import Message
from ...text import one_line, safe
from .wrapping import Span, wrap

NAME_LENGTH = 40
_TAGS = {"seed": "seed opinion", "human": "human", "moderator": "moderator"}


@lru_cache(1024)
def shown_name(name: str) -> str:
    """A speaker's name, safe to show, on one line of at most 40 characters."""
    return one_line(name, NAME_LENGTH)


@dataclass(eq=False, slots=True)
class Block:
    """``name``, ``text``, ``tag`` and ``note`` are safe to show. Line 0 is the header.

    ``tag`` stands beside the name, the guard's ``marks`` after it, ``note`` at the right end of the
    header. ``entry`` is the message's index in the discussion. A block without text shows its
    header only, unless it is growing. ``spans`` are the lines of the text, once it was wrapped.
    """

    name: str
    text: str = ""
    _: KW_ONLY
    tag: str = ""
    marks: str = ""
    note: str = ""
    entry: int = 0
    is_growing: bool = False
    spans: list[Span] = field(default_factory=list)

    @property
    def height(self) -> int:
        """Lines, with the header and the blank line after the text."""
        return len(self.spans) + 2

    def wrap(self, width: int) -> None:
        """Break the text into lines of at most ``width`` cells."""
        self.spans = wrap(self.text, width) if self.text or self.is_growing else []

    def grow(self, text: str, width: int) -> int:
        """Replace the text, most often by one that begins with it: only the end is wrapped again.

        Returns the first line that may have changed.
        """
        text = safe(text).strip()
        unchanged = 0
        if self.text and self.spans and text.startswith(self.text):
            unchanged = len(self.spans) - 1
        start = self.spans[unchanged][0] if unchanged else 0
        self.spans[unchanged:] = wrap(text, width, start)
        self.text = text
        return 1 + unchanged

    def line(self, number: int) -> str:
        """The text of a line that is neither the header nor the blank one."""
        start, end = self.spans[number - 1]
        return self.text[start:end]


def block_of(message: Message, entry: int = 0, *, is_outsider: bool = False) -> Block:
    """A message of the record as a block; ``is_outsider``: its speaker takes no part."""
    tags = [_TAGS.get(message.role, ""), *changes(message)]
    if is_outsider:
        tags.append("takes no part")
    text = ""
    if message.is_silence:
        tags = [*tags[1:], "stays silent"]
    else:
        text = safe(message.text).strip()
    if message.is_cut:
        text += " […]"
        tags.append("cut at the token limit")
    return Block(
        shown_name(message.name),
        text,
        tag=" · ".join(filter(None, tags)),
        marks=" · ".join(mark_labels(message)),
        note=str(message.turn) if message.role == "user" else "",
        entry=entry,
    )


def changes(message: Message) -> list[str]:
    """What people did to a message, in a few words each."""
    changes = {
        "edited": message.is_edited,
        "regenerated": message.attempt > 0,
        "chosen by you": message.speaker_overridden,
        "shorter: memory was full": message.shortened is not None,
    }
    return [change for change, applies in changes.items() if applies]


def mark_labels(message: Message) -> list[str]:
    """The guard's marks of a message, safe to show, in a few words each."""
    return [one_line(label, 2 * NAME_LENGTH) for label in message.mark_labels]


def as_text(messages: Iterable[Message]) -> str:
    """The messages as plain text: names, texts, and a blank line between; no silences."""
    spoken = (message for message in messages if not message.is_silence)
    return "\n\n".join(f"{message.name}:\n{message.text.strip()}" for message in spoken) + "\n"
