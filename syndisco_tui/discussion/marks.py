"""The marks of the guard: notes about a message for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from .names import name_key

MarkKind = Literal[
    "speaks_as", "left_out", "silence_words", "assistant", "refusal", "language", "repetition"
]
MARK_KINDS: tuple[MarkKind, ...] = get_args(MarkKind)

MARK_MEANINGS: dict[MarkKind, str] = {
    "speaks_as": "the reply begins with another participant's name",
    "left_out": "the reply continued with another post, which was left out",
    "silence_words": "the whole reply says only that nothing is said",
    "assistant": "the model speaks as an AI assistant",
    "refusal": "the model refuses",
    "language": "the reply is in another language than the discussion",
    "repetition": "the reply repeats itself",
}
"""What each kind says of a message, as a sentence without a capital and a full stop."""

_LABELS: dict[MarkKind, str] = {
    "silence_words": "perhaps a silence",
    "assistant": "speaks as an assistant",
    "refusal": "refusal",
    "language": "other language",
    "repetition": "repeats itself",
}


@dataclass(frozen=True)
class Mark:
    """One note of the guard. ``name`` is the participant it is about, if any."""

    kind: MarkKind
    name: str = ""

    def label(self, speaker: str) -> str:
        """The mark of a message by ``speaker``, in a few words."""
        if self.kind == "speaks_as":
            return f"speaks as {self.name}"
        if self.kind == "left_out":
            is_other = self.name and name_key(self.name) != name_key(speaker)
            return (
                f"what followed as {self.name} was left out"
                if is_other
                else ("a further post was left out")
            )
        return _LABELS[self.kind]


def has_mark(marks: Sequence[Mark], kind: MarkKind) -> bool:
    """Whether one of ``marks`` is of that kind."""
    return any(mark.kind == kind for mark in marks)
