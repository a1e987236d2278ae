"""Lays out the annotations of one task as lines, with all foreign text made safe."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from textual.content import Content

from ...analysis.annotations import TaskSummary
from ...discussion import Message
from ...discussion.annotation import annotatable
from ...text import counted, one_line
from ..widgets.charts import wrapped

GAP = "  "
NAME_WIDTH = 14
MIN_COLUMN, MAX_COLUMN = 5, 18
MIN_TEXT = 12


def summary_lines(task: TaskSummary, width: int) -> list[Content]:
    """The question, and how far annotators agree."""
    question, figures = task.question, task.agreement
    lines = wrapped(Content(one_line(question.instructions, 400)), width)[:3]
    if figures.units:
        parts = [
            f"α {_figure(figures.alpha)} ({question.scale.level})",
            f"raw agreement {_figure(figures.raw)}",
        ]
        if task.ndfu is not None:
            parts.append(f"nDFU {_figure(task.ndfu)}")
        parts.append(f"over {counted(figures.units, 'message')} with several answers")
        text = "   ".join(parts)
    else:
        text = "No message has several answers yet."
    return [*lines, *wrapped(Content.styled(text, "$accent"), width)]


def answer_lines(
    task: TaskSummary, entries: Sequence[Message], width: int, colours: dict[str, str]
) -> list[Content]:
    """A heading, then a line for each message: speaker, text, and the answers in columns."""
    names = [each.name for each in task.annotators]
    cells = _cells(task, names)
    shows_ndfu = any(each.ndfu is not None and len(each.values) > 1 for each in task.messages)
    headings = [*(one_line(name, MAX_COLUMN) for name in names), *(["nDFU"] if shows_ndfu else [])]
    widths = [
        max(MIN_COLUMN, len(heading), *(len(row[column]) for row in cells.values() if row))
        for column, heading in enumerate(headings)
    ]
    room = width - NAME_WIDTH - 4 - len(GAP)
    shown = len(widths)
    while shown > 1 and sum(widths[:shown]) + len(GAP) * shown > room - MIN_TEXT:
        shown -= 1
    text_width = max(1, room - sum(widths[:shown]) - len(GAP) * shown)
    left_out = len(widths) - shown
    heading_cells = [text.rjust(w) for text, w in zip(headings[:shown], widths, strict=False)]
    lines = [
        Content.styled(
            " " * (NAME_WIDTH + 4 + len(GAP) + text_width) + GAP + GAP.join(heading_cells),
            "$quiet",
        )
    ]
    for position in annotatable(entries):
        row = cells.get(position, ["–"] * len(names))
        lines.append(_line(position, entries[position], row, widths[:shown], text_width, colours))
    if left_out:
        note = f"{counted(left_out, 'column')} without room; a wider window shows more."
        lines += [Content(""), Content.styled(note, "$quiet")]
    return lines


def _line(
    position: int,
    message: Message,
    row: Sequence[str],
    widths: Sequence[int],
    text_width: int,
    colours: dict[str, str],
) -> Content:
    name = one_line(message.name, NAME_WIDTH)
    colour = colours.get(one_line(message.name, 40), "")
    text = Content(one_line(message.text, 200)).truncate(text_width, ellipsis=True)
    padding = " " * max(0, text_width - text.cell_length)
    cells = zip_longest(row[: len(widths)], widths, fillvalue="")
    answers = GAP.join(str(each).rjust(int(width or 0)) for each, width in cells)
    speaker = Content(name).truncate(NAME_WIDTH, ellipsis=True)
    return Content.assemble(
        Content.styled(f"{position + 1:>3} ", "$quiet"),
        Content.styled(speaker.plain, f"bold {colour}" if colour else "bold"),
        " " * max(0, NAME_WIDTH - speaker.cell_length),
        GAP,
        text,
        padding,
        GAP,
        Content.styled(answers, "$accent"),
    )


def _cells(task: TaskSummary, names: Sequence[str]) -> dict[int, list[str]]:
    """For each message with an answer, the text of each column."""
    cells: dict[int, list[str]] = {}
    for each in task.messages:
        row = []
        for name in names:
            own = [(key[1], value) for key, value in each.values.items() if key[0] == name]
            answers = " ".join(one_line(str(value), MAX_COLUMN) for _, value in sorted(own))
            row.append(one_line(answers, MAX_COLUMN) or "–")
        row.append(_figure(each.ndfu) if each.ndfu is not None and len(each.values) > 1 else "")
        cells[each.unit[1]] = row
    return cells


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
