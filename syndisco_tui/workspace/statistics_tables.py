"""Formats statistics as columns, Markdown, JSON or CSV.

Factors and their levels are foreign text; they are made safe in the tables for people.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..analysis.annotations import AnnotatorSummary, TaskSummary
from ..analysis.intervals import CONFIDENCE, FEW, RESAMPLES, SEED, LevelDifference
from ..analysis.statistics import MARK_HEADINGS, MEASURES, Measure, extra_measure
from ..text import one_line

HEADINGS = {
    "discussions": "discussions",
    "messages": "messages",
    "participation": "participation",
    "intervention_rate": "interventions",
    "silences": "silences",
    "words_mean": "words",
    "words_sd": "± sd",
    "diversity_mean": "diversity",
    "diversity_sd": "± sd",
    "answer_rate": "A-B-A",
    "marks": "marks",
    **{f"mark_{kind}": heading for kind, heading in MARK_HEADINGS.items()},
    "reply_tokens": "reply tokens",
    "reasoning_tokens": "reasoning tokens",
}
"""The columns of a table for people, by the names that files have."""

Rows = list[dict[str, Any]]
Cells = list[list[str]]


def as_json(rows: Rows, differences: Sequence[LevelDifference] | None = None) -> str:
    """A JSON list of one object per condition; with differences, an object of both lists."""
    value: Any = rows
    if differences is not None:
        value = {
            "conditions": rows,
            "differences": [asdict(each) for each in differences],
            "comparisons": len(differences),
            "confidence": CONFIDENCE,
            "resamples": RESAMPLES,
            "seed": SEED,
        }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def as_csv(rows: Rows, differences: Sequence[LevelDifference] | None = None) -> str:
    """One row per condition or, with differences, one per difference."""
    lines = rows if differences is None else [asdict(each) for each in differences]
    text = io.StringIO()
    if lines:
        writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    return text.getvalue()


def condition_cells(rows: Rows) -> Cells:
    """Headings and cells of the table of conditions; columns without any data are left out."""
    if not rows:
        return [list(HEADINGS.values())[:2]]
    factors = list(rows[0])[: list(rows[0]).index("discussions")]
    figures = [
        name for name in list(rows[0])[len(factors) :] if any(row[name] is not None for row in rows)
    ]
    heading = [one_line(name, 40) for name in factors]
    heading += [HEADINGS.get(name) or one_line(extra_measure(name).label, 40) for name in figures]
    return [heading] + [
        [one_line(str(row[name]), 60) for name in factors] + [figure(row[name]) for name in figures]
        for row in rows
    ]


def measure_named(name: str) -> Measure:
    """The measure with this name in files."""
    return MEASURES.get(name) or extra_measure(name)


def cautions(differences: Sequence[LevelDifference]) -> list[str]:
    """Sentences on the limits of the intervals of differences."""
    if not differences:
        return []
    count = len(differences)
    expected = f"{count / 20:.1f}" if count < 200 else f"{count // 20}"
    sentences = [
        "1 comparison, with a 95 % interval."
        if count == 1
        else f"{count} comparisons, each with a 95 % interval, not corrected: about {expected} of "
        "them would leave out 0 by chance if there were no differences at all."
    ]
    if min(each.pairs or each.discussions for each in differences) < FEW:
        sentences.append(f"With fewer than {FEW} repeats, intervals are too narrow.")
    return sentences


def figure(value: float | None) -> str:
    """Format a number for display."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def difference_cells(differences: Sequence[LevelDifference]) -> Cells:
    """Headings and cells of the table of differences, the first three being names."""
    heading = ["factor", "levels", "figure", "first", "second", "difference", "95 % interval"]
    return [[*heading, "effect size", "n"], *map(_difference_row, differences)]


def _difference_row(each: LevelDifference) -> list[str]:
    measure = measure_named(each.measure)
    bounds = "–"
    if each.low is not None and each.high is not None:
        bounds = f"{signed(each.low)} to {signed(each.high)}"
    size = "–"
    if each.effect_size is not None:
        size = f"{'d_z' if each.pairs else 'd'} {signed(each.effect_size, 2)}"
    levels = f"{one_line(each.first or '–', 30)} → {one_line(each.second or '–', 30)}"
    return [
        one_line(each.factor, 40), levels, one_line(measure.label, 40), figure(each.first_value),
        figure(each.second_value), signed(each.difference), bounds, size,
        f"{each.pairs} pairs" if each.pairs else str(each.discussions),
    ]  # fmt: skip


def agreement_cells(tasks: Sequence[TaskSummary]) -> Cells:
    """Headings and cells of a table of annotation tasks; empty without any."""
    if not tasks:
        return []
    heading = ["annotation", "annotators", "messages", "answers", "not valid"]
    rows = [
        [
            one_line(task.question.name, 60),
            one_line(", ".join(sorted(map(_annotator, task.annotators))), 120),
            f"{len(task.messages):,}",
            f"{sum(each.answers for each in task.annotators):,}",
            f"{sum(each.invalid for each in task.annotators):,}",
            figure(task.agreement.alpha),
            figure(task.agreement.raw),
            figure(task.ndfu),
        ]
        for task in tasks
    ]
    return [[*heading, "Krippendorff’s α", "raw agreement", "nDFU"], *rows]


def _annotator(one: AnnotatorSummary) -> str:
    return f"{one.name} (person)" if one.kind == "human" else one.name


def signed(value: float, digits: int | None = None) -> str:
    """Format a difference for display, always with its sign."""
    text = f"{abs(value):.{digits}f}" if digits is not None else figure(abs(float(value)))
    return f"{'−' if value < 0 and float(text.replace(',', '')) else '+'}{text}"


def plain(cells: Cells, left: int) -> str:
    """Columns under their headings; the first ``left`` are text, the others numbers."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "  ".join(
            text.ljust(width) if column < left else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines) + "\n"


def markdown(cells: Cells, left: int) -> str:
    """A Markdown table."""
    head, *body = [[text.replace("|", "\\|") for text in row] for row in cells]
    rule = [":--" if column < left else "--:" for column in range(len(head))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *body))
