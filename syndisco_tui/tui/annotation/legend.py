"""Lays out the question and the keys of its answers."""

from __future__ import annotations

from textual.content import Content

from ...discussion.annotation import Question
from ...discussion.scales import Value
from ...text import one_line, safe
from ..widgets.charts import wrapped

GAP = "   "
MAX_QUESTION_LINES = 3


def legend_lines(
    question: Question, keys: dict[str, str], value: Value | None, width: int
) -> list[Content]:
    """The instructions, then each key with its answer; the answer ``value`` is marked."""
    instructions = wrapped(Content(safe(" ".join(question.instructions.split()))), width)
    lines = instructions[:MAX_QUESTION_LINES]
    if len(instructions) > MAX_QUESTION_LINES:
        lines[-1] = Content.assemble(lines[-1].truncate(max(1, width - 2)), " …")
    row: list[Content] = []
    used = 0
    for key, answer in keys.items():
        item = _item(key, answer, is_current=str(value) == answer)
        if row and used + len(GAP) + item.cell_length > width:
            lines.append(Content(GAP).join(row))
            row, used = [], 0
        used += item.cell_length + (len(GAP) if row else 0)
        row.append(item)
    if row:
        lines.append(Content(GAP).join(row))
    return lines


def _item(key: str, answer: str, *, is_current: bool) -> Content:
    label = "" if answer == key else f" {one_line(answer, 40)}"
    style = "bold reverse $accent" if is_current else "bold $accent"
    return Content.assemble(Content.styled(f" {key} ", style), label)
