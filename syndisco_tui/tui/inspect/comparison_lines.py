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
from ...text import one_line, safe
from ..transcript.view import BAR
from ..transcript.wrapping import wrap
from .change_text import described, field_label

GAP = 3
HANGING = 2
"""Cells by which the further lines of a change are indented."""
SIDES = ("A", "B")

Span = tuple[str, str]
"""A text and its style: ``text``, ``quiet``, ``strong``, ``mark``, or a speaker's ``@name``."""
Line = tuple[Span, ...]


@dataclass(frozen=True)
class ComparisonLayout:
    """The lines, and at which of them the discussions part."""

    lines: Sequence[Line]
    first_difference: int


def lay_out(
    differences: Sequence[SetupDifference],
    rows: Sequence[MessagePair],
    width: int,
    *,
    stacked: bool,
    on_the_way: tuple[Sequence[RecordedChange], Sequence[RecordedChange]] = ((), ()),
) -> ComparisonLayout:
    """What differs in the setup, what was changed on the way in each, then every row.

    ``width`` in cells.
    """
    column = width if stacked else max(4, (width - GAP) // 2)
    lines: list[Line] = [(("What differs in the setup", "strong"),)]
    if not differences:
        lines[0] = (("The setups are the same", "quiet"),)
    lines += _differences(differences, column, stacked)
    lines += _changed_on_the_way(on_the_way, column, stacked)
    first = first_difference(rows)
    at = len(lines) + 1
    for index, row in enumerate(rows):
        if index == first:
            at = len(lines) + 1
            lines += [(), _parting_line(row, width)]
        lines.append(())
        left = _message(row, 0, column, index < first, stacked)
        right = left if row.is_common else _message(row, 1, column, index < first, stacked)
        if not stacked:
            lines += _beside(left, right, column)
        elif row.is_common:
            lines += left
        else:
            lines += [*left, *([()] if left and right else []), *right]
    if first == len(rows):
        at = len(lines) + 1
        lines += [(), (("They say the same, word for word.", "quiet"),)]
    return ComparisonLayout(lines, at)


def _changed_on_the_way(
    both: tuple[Sequence[RecordedChange], Sequence[RecordedChange]], column: int, stacked: bool
) -> Iterable[Line]:
    """Every change of either side under its own; those that both have are dimmed."""
    if not any(both):
        return
    yield ()
    yield (("What was changed on the way", "strong"),)
    common = set(both[0]) & set(both[1])
    sides: list[list[Line]] = []
    for changes, side in zip(both, SIDES, strict=True):
        lines: list[Line] = []
        for change in changes:
            style = "quiet" if change in common else "text"
            first = f"{side}  " if stacked else ""
            further = " " * (len(first) + HANGING)
            wrapped = _wrapped(described(change), max(2, column - len(further)))
            for number, text in enumerate(wrapped):
                lines.append(((further if number else first, "mark"), (text, style)))
        sides.append(lines or [(("nothing", "quiet"),)])
    if stacked:
        yield from (
            line for lines, changes in zip(sides, both, strict=True) if changes for line in lines
        )
    else:
        yield from _beside(sides[0], sides[1], column)


def _parting_line(row: MessagePair, width: int) -> Line:
    words = f" they part here, turn {row.turn} " if row.turn else " they part here "
    left = max(2, (width - len(words)) // 2)
    return (("─" * left + words + "─" * max(2, width - left - len(words)), "mark"),)


def _differences(
    differences: Iterable[SetupDifference], column: int, stacked: bool
) -> Iterable[Line]:
    shown = [
        (one_line(field_label(each.field), 60), safe(each.a), safe(each.b)) for each in differences
    ]
    label = min(max((cell_len(field) for field, _, _ in shown), default=0), column // 2 - 1) + 2
    for field, a, b in shown:
        if stacked:
            yield from _labelled(field, f"{a}  →  {b}", label, column)
        else:
            right: list[Line] = [((text, "text"),) for text in _wrapped(b, column)]
            yield from _beside(_labelled(field, a, label, column), right, column)


def _labelled(field: str, value: str, label: int, column: int) -> list[Line]:
    lines: list[Line] = []
    head = one_line(field, label - 2)
    for text in _wrapped(value, max(2, column - label)):
        lines.append(((head + " " * (label - cell_len(head)), "quiet"), (text, "text")))
        head = ""
    return lines


def _message(row: MessagePair, side: int, column: int, is_dim: bool, stacked: bool) -> list[Line]:
    message = (row.a, row.b)[side]
    if message is None:
        return []
    name = one_line(message.name, 40)
    hue = "quiet" if is_dim else f"@{name}"
    bar: Span = (f"{BAR} ", hue)
    tags = [{"seed": "seed opinion", "user": ""}.get(message.role, message.role)]
    tags += ["stays silent"] if message.is_silence else []
    head: list[Span] = [bar, (name, "quiet" if is_dim else f"{hue}!")]
    head += [(f"  {tag}", "quiet") for tag in tags if tag]
    head += [(f"  {SIDES[side]}", "mark")] if stacked and not row.is_common else []
    turn = str(row.turn) if message.role == "user" else ""
    free = column - sum(cell_len(text) for text, _ in head) - len(turn)
    if turn and free > 1:
        head += [(" " * free, "text"), (turn, "quiet")]
    lines: list[Line] = [_clipped(head, column)]
    if not message.is_silence:
        for text in _wrapped(safe(message.text).strip(), max(2, column - 2)):
            lines.append((bar, (text, "quiet" if is_dim else "text")))
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, width)]


def _clipped(spans: Iterable[Span], column: int) -> Line:
    kept: list[Span] = []
    for text, style in spans:
        room = column - sum(cell_len(text) for text, _ in kept)
        if room <= 0:
            break
        kept.append((text if cell_len(text) <= room else set_cell_size(text, room), style))
    return tuple(kept)


def _beside(left: Sequence[Line], right: Sequence[Line], column: int) -> Iterable[Line]:
    for one, other in zip_longest(left, right, fillvalue=()):
        used = sum(cell_len(text) for text, _ in one)
        yield (*one, (" " * max(0, column - used + GAP), "text"), *other) if other else one
