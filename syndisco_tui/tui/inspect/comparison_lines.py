"""Two discussions as lines: side by side, or one below the other where there is no room.

Plain text and the names of styles; laid out on any thread. All foreign text is made safe here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size

from ...analysis.compare import MessagePair, SetupDifference, first_difference
from ...analysis.recorded_changes import RecordedChange
from ...discussion import Message
from ...text import one_line, safe
from ..transcript.view import BAR
from ..transcript.wrapping import wrap
from .change_text import describe_change, field_label

GAP = 3
"""Cells between the sides."""
HANGING_INDENT = 2
"""Cells by which the further lines of a change are indented."""
SIDES = ("A", "B")
_TAGS = {"seed": "seed opinion", "user": ""}

Span = tuple[str, str]
"""A text and its style: ``text``, ``quiet``, ``strong``, ``mark``, or a speaker's ``@name``."""
Line = tuple[Span, ...]
ChangesOfBoth = tuple[Sequence[RecordedChange], Sequence[RecordedChange]]


@dataclass(frozen=True)
class ComparisonLayout:
    """The lines, and the index of the one that marks the first difference."""

    lines: Sequence[Line]
    first_difference: int


def lay_out(
    differences: Sequence[SetupDifference],
    pairs: Sequence[MessagePair],
    width: int,
    *,
    stacked: bool,
    changes: ChangesOfBoth = ((), ()),
) -> ComparisonLayout:
    """Lay out how the setups differ, what was changed in each discussion, and all messages.

    ``width`` is in cells; ``stacked``: B stands below A.
    """
    columns = _Columns(width if stacked else max(4, (width - GAP) // 2), stacked)
    lines: list[Line] = [(("Setup differences", "strong"),)]
    if not differences:
        lines = [(("The setups are identical", "quiet"),)]
    lines += columns.setup_differences(differences)
    lines += columns.changes(changes)
    first = first_difference(pairs)
    for index, pair in enumerate(pairs):
        if index == first:
            marked_line = len(lines) + 1
            lines += [(), _difference_mark(pair, width)]
        lines.append(())
        lines += columns.pair(pair, is_dim=index < first)
    if first == len(pairs):
        marked_line = len(lines) + 1
        lines += [(), (("All messages are identical.", "quiet"),)]
    return ComparisonLayout(lines, marked_line)


def _difference_mark(pair: MessagePair, width: int) -> Line:
    label = f" first difference, turn {pair.turn} " if pair.turn else " first difference "
    left = max(2, (width - len(label)) // 2)
    return (("─" * left + label + "─" * max(2, width - left - len(label)), "mark"),)


@dataclass(frozen=True)
class _Columns:
    """Lays out parts of the comparison in columns of ``width`` cells each."""

    width: int
    stacked: bool

    def changes(self, both: ChangesOfBoth) -> Iterable[Line]:
        """Every change of either side under its own; those that both have are dimmed."""
        if not any(both):
            return
        yield ()
        yield (("Changes during the discussion", "strong"),)
        common = set(both[0]) & set(both[1])
        sides: list[list[Line]] = []
        for changes, side in zip(both, SIDES, strict=True):
            label = f"{side}  " if self.stacked else ""
            lines: list[Line] = []
            for change in changes:
                style, indent = "quiet" if change in common else "text", label
                room = self.width - len(label) - HANGING_INDENT
                for text in _wrapped(describe_change(change), max(2, room)):
                    lines.append(((indent, "mark"), (text, style)))
                    indent = " " * (len(label) + HANGING_INDENT)
            sides.append(lines or ([] if self.stacked else [(("none", "quiet"),)]))
        yield from [*sides[0], *sides[1]] if self.stacked else self._beside(*sides)

    def setup_differences(self, differences: Iterable[SetupDifference]) -> Iterable[Line]:
        """Every field with the values of both sides."""
        rows = [
            (one_line(field_label(each.field), 60), safe(each.a), safe(each.b))
            for each in differences
        ]
        widest = max((cell_len(field) for field, _, _ in rows), default=0)
        label = min(widest, self.width // 2 - 1) + 2
        for field, a, b in rows:
            if self.stacked:
                yield from self._labelled(field, f"{a}  →  {b}", label)
            else:
                right: list[Line] = [((text, "text"),) for text in _wrapped(b, self.width)]
                yield from self._beside(self._labelled(field, a, label), right)

    def _labelled(self, field: str, value: str, label: int) -> list[Line]:
        lines: list[Line] = []
        head = one_line(field, label - 2)
        for text in _wrapped(value, max(2, self.width - label)):
            lines.append(((set_cell_size(head, label), "quiet"), (text, "text")))
            head = ""
        return lines

    def pair(self, pair: MessagePair, *, is_dim: bool) -> Iterable[Line]:
        """Two messages; in stacked lines, one that both sides have is shown once."""
        shows_side = self.stacked and not pair.is_common
        left, right = (
            self._message(message, side if shows_side else "", pair.turn, is_dim)
            for message, side in zip((pair.a, pair.b), SIDES, strict=True)
        )
        if not self.stacked:
            return self._beside(left, right)
        if pair.is_common:
            return left
        return [*left, *([()] if left and right else []), *right]

    def _message(self, message: Message | None, side: str, turn: int, is_dim: bool) -> list[Line]:
        if message is None:
            return []
        name = one_line(message.name, 40)
        colour = "quiet" if is_dim else f"@{name}"
        bar: Span = (f"{BAR} ", colour)
        tags = [_TAGS.get(message.role, message.role), "stays silent" if message.is_silence else ""]
        head: list[Span] = [bar, (name, "quiet" if is_dim else f"{colour}!")]
        head += [(f"  {tag}", "quiet") for tag in tags if tag]
        head += [(f"  {side}", "mark")] if side else []
        number = str(turn) if message.role == "user" else ""
        gap = self.width - _length(head) - len(number)
        if number and gap > 1:
            head += [(" " * gap, "text"), (number, "quiet")]
        lines: list[Line] = [self._clipped(head)]
        if not message.is_silence:
            for text in _wrapped(safe(message.text).strip(), max(2, self.width - 2)):
                lines.append((bar, (text, "quiet" if is_dim else "text")))
        return lines

    def _clipped(self, spans: Iterable[Span]) -> Line:
        clipped: list[Span] = []
        for text, style in spans:
            room = self.width - _length(clipped)
            if room > 0:
                clipped.append((set_cell_size(text, min(room, cell_len(text))), style))
        return tuple(clipped)

    def _beside(self, left: Sequence[Line], right: Sequence[Line]) -> Iterable[Line]:
        for one, other in zip_longest(left, right, fillvalue=()):
            gap = (" " * max(0, self.width - _length(one) + GAP), "text")
            yield (*one, gap, *other) if other else one


def _wrapped(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, width)]


def _length(spans: Iterable[Span]) -> int:
    return sum(cell_len(text) for text, _ in spans)
