"""``syndisco-tui stats``: a table of conditions, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from ..analysis.statistics import by_condition
from ..text import counted, one_line, safe
from ..workspace.conditions import ConditionPattern, observe
from ..workspace.exit_status import BAD_INPUT
from .counter import Counter

StatsFormat = Literal["table", "csv", "json", "markdown"]
STATS_FORMATS: tuple[StatsFormat, ...] = ("table", "csv", "json", "markdown")
_HEADINGS = {
    "discussions": "discussions",
    "messages": "messages",
    "participation": "participation",
    "intervention_rate": "interventions",
    "silences": "silences",
    "words_mean": "words",
    "words_sd": "± sd",
    "diversity_mean": "diversity",
    "diversity_sd": "± sd",
}
"""The columns of a table for people; files have all figures, under their own names."""


def stats(
    paths: Sequence[Path],
    *,
    by: Sequence[str] | None = None,
    condition_from: str | None = None,
    to: StatsFormat = "table",
    output: Path | None = None,
) -> int:
    """Print or write the statistics of all discussions in ``paths``, a row a condition.

    Returns the exit status: 2 where a file could not be read; the others are counted.

    Raises:
        InputError: The pattern of conditions cannot be used.
        OSError: ``output`` cannot be written.
    """
    pattern = ConditionPattern(condition_from) if condition_from else None
    counter: Counter | None = None

    def show(done: int, total: int) -> None:
        nonlocal counter
        counter = counter or Counter(total)
        counter.show(done)

    observations = observe(paths, pattern, show)
    if counter is not None:
        counter.clear()
    for error in observations.errors:
        print(safe(error), file=sys.stderr)
    cells = [(each.cell, each.statistics) for each in observations.observed]
    rows = [condition.as_dict() for condition in by_condition(cells, by)]
    text = _FORMATTERS[to](rows)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
        print(safe(f"{counted(len(rows), 'condition')} written to {output}"), file=sys.stderr)
    return BAD_INPUT if observations.errors else 0


def _as_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def _as_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def _cells(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Headings and cells of the table for people. Factors are foreign text and made safe."""
    if not rows:
        return [list(_HEADINGS.values())]
    factors = [name for name in rows[0] if name not in _FIGURES]
    heading = [one_line(name, 40) for name in factors] + list(_HEADINGS.values())
    return [heading] + [
        [one_line(str(row[name]), 60) for name in factors]
        + [_figure(row[name]) for name in _HEADINGS]
        for row in rows
    ]


_FIGURES = {
    *_HEADINGS, "answer_rate", "marks", "reply_tokens",
}  # fmt: skip


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _as_table(rows: list[dict[str, Any]]) -> str:
    cells = _cells(rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    left = len(cells[0]) - len(_HEADINGS)
    lines = [
        "  ".join(
            text.ljust(width) if column < left else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines) + "\n"


def _as_markdown(rows: list[dict[str, Any]]) -> str:
    head, *body = [[text.replace("|", "\\|") for text in row] for row in _cells(rows)]
    left = len(head) - len(_HEADINGS)
    rule = [":--" if column < left else "--:" for column in range(len(head))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *body))


_FORMATTERS = {
    "table": _as_table,
    "csv": _as_csv,
    "json": _as_json,
    "markdown": _as_markdown,
}
