"""``syndisco-tui stats``: tables of conditions and of their differences, and a report of both."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Literal, get_args

from ..analysis.annotations import summarize_tasks
from ..analysis.conditions import table_of
from ..text import counted, safe
from ..workspace.conditions import ConditionPattern, Observations, observe
from ..workspace.exit_status import BAD_INPUT
from ..workspace.exporting import encoded
from ..workspace.folders import write_output
from ..workspace.report.figures import write_figures
from ..workspace.report.page import report_html
from ..workspace.statistics_tables import (
    as_csv,
    as_json,
    cautions,
    condition_cells,
    difference_cells,
    markdown,
    plain,
)
from ..workspace.study import Study
from .annotate import summary_text
from .counter import Counter

StatsFormat = Literal["table", "csv", "json", "markdown", "html"]
STATS_FORMATS: tuple[StatsFormat, ...] = get_args(StatsFormat)
MOST_DIFFERENCES = 30
"""Differences that are printed without being asked for."""


def stats(
    paths: Sequence[Path],
    *,
    by: Sequence[str] | None = None,
    condition_from: str | None = None,
    to: StatsFormat = "table",
    output: Path | None = None,
    with_differences: bool | None = None,
    figures: Path | None = None,
) -> int:
    """Print or write the statistics of all discussions in ``paths``, one row per condition.

    Args:
        paths: Files and folders.
        by: The factors to group by; None for all.
        condition_from: The pattern of folder names that factors are read from.
        to: The format.
        output: Where to write; None to print.
        with_differences: Compare the levels of every factor as well. None: in tables for people,
            where there are not many.
        figures: A folder for figures as SVG and PNG.

    Returns:
        The exit status: 2 if a file could not be read; the others are counted.

    Raises:
        InputError: The pattern or a factor cannot be used, or ``output`` cannot be written.
    """
    observations = _observe(paths, condition_from)
    observations.check_factors(by or ())
    study = Study(observations.observed, by)
    text = (
        report_html(study, annotations=observations.annotations)
        if to == "html"
        else _text(study, to, with_differences)
    )
    if to == "table":
        tasks = summarize_tasks(observations.annotations)
        text += "".join(f"\n{summary_text(task)}\n" for task in tasks)
    if output is None:
        print(text, end="")
    else:
        write_output(output, encoded(text))
        print(safe(f"{output} written"), file=sys.stderr)
    if figures is not None and study.observed:
        written = write_figures(study, figures)
        print(safe(f"{len(written)} figures written to {figures}"), file=sys.stderr)
    return BAD_INPUT if observations.errors else 0


def _observe(paths: Sequence[Path], condition_from: str | None) -> Observations:
    """Read all discussions with progress, and report files that could not be read."""
    pattern = ConditionPattern(condition_from) if condition_from else None
    counter: Counter | None = None

    def show(done: int, total: int) -> None:
        nonlocal counter
        counter = counter or Counter(total)
        counter.show(done)

    try:
        observations = observe(paths, pattern, show)
    finally:
        if counter is not None:
            counter.clear()
    for error in observations.errors:
        print(safe(error), file=sys.stderr)
    if unfinished := observations.unfinished:
        sentence = f"{counted(unfinished, 'discussion')} of {len(observations.observed):,}"
        print(f"Not finished, counted so far as they go: {sentence}.", file=sys.stderr)
    return observations


def _text(study: Study, to: StatsFormat, with_differences: bool | None) -> str:
    rows = table_of(study.conditions)
    match to:
        case "json":
            return as_json(rows, study.differences if with_differences else None)
        case "csv":
            return as_csv(rows, study.differences if with_differences else None)
    layout = markdown if to == "markdown" else plain
    text = layout(condition_cells(rows), len(study.factors))
    if with_differences is False or not study.differences:
        return text
    if len(study.differences) > MOST_DIFFERENCES and not with_differences:
        count = f"{len(study.differences)} differences between levels"
        return f"{text}\n{count}; use --differences to list them.\n"
    notes = "\n".join(fill(sentence, 100) for sentence in cautions(study.differences))
    return f"{text}\n{layout(difference_cells(study.differences), 3)}\n{notes}\n"
