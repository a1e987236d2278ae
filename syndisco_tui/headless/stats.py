"""``syndisco-tui stats``: tables of conditions and of their differences, and a report of both."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from ..analysis.conditions import by_condition, table_of
from ..analysis.intervals import FEW, all_differences
from ..analysis.statistics import measures_of
from ..text import counted, safe
from ..workspace.conditions import ConditionPattern, Observations, observe
from ..workspace.exit_status import BAD_INPUT
from ..workspace.folders import write_output
from .counter import Counter
from .stats_tables import as_csv, as_json, condition_cells, difference_cells, markdown, plain

StatsFormat = Literal["table", "csv", "json", "markdown"]
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
) -> int:
    """Print or write the statistics of all discussions in ``paths``, a row a condition.

    Args:
        paths: Files and folders.
        by: The factors that make conditions; None for all.
        condition_from: The pattern of folder names that factors are read from.
        to: The format.
        output: Where to write; None to print.
        with_differences: Compare the levels of every factor as well. None: in tables for people,
            where there are not many.

    Returns:
        The exit status: 2 where a file could not be read; the others are counted.

    Raises:
        InputError: The pattern or a factor cannot be used, or ``output`` cannot be written.
    """
    observations = _observe(paths, condition_from)
    observations.check_factors(by or ())
    text = _text(observations, by, to, with_differences)
    if output is None:
        print(text, end="")
    else:
        write_output(output, text.encode())
        print(safe(f"{output} written"), file=sys.stderr)
    return BAD_INPUT if observations.errors else 0


def _observe(paths: Sequence[Path], condition_from: str | None) -> Observations:
    """Read and count everything, with progress, and say what could not be read."""
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
        print(f"Not finished, and counted as far as they are: {sentence}.", file=sys.stderr)
    return observations


def _text(
    observations: Observations,
    by: Sequence[str] | None,
    to: StatsFormat,
    with_differences: bool | None,
) -> str:
    observed = observations.observed
    conditions = by_condition(observed, by)
    rows = table_of(conditions)
    is_for_people = to in ("table", "markdown")
    if not with_differences and (with_differences is False or not is_for_people):
        differences = None
    else:
        factors = list(conditions[0].factors) if conditions else []
        measures = measures_of([one.statistics for one in observed])
        differences = all_differences(observed, factors, measures)
    match to:
        case "json":
            return as_json(rows, differences)
        case "csv":
            return as_csv(rows, differences)
    layout = markdown if to == "markdown" else plain
    text = layout(condition_cells(rows), 0 if not rows else len(conditions[0].factors))
    if not differences:
        return text
    if len(differences) > MOST_DIFFERENCES and not with_differences:
        return f"{text}\n{len(differences)} differences between levels: see --differences.\n"
    few = min((each.pairs or each.discussions) for each in differences) < FEW
    return f"{text}\n{layout(difference_cells(differences), 3)}\n{caution(len(differences))}" + (
        f"With fewer than {FEW} repeats, intervals are too narrow.\n" if few else ""
    )


def caution(comparisons: int) -> str:
    """How far so many intervals are to be believed."""
    if comparisons == 1:
        return "1 comparison.\n"
    expected = f"{comparisons / 20:.1f}" if comparisons < 200 else f"{comparisons // 20}"
    return (
        f"{comparisons} comparisons, each with a 95 % interval, not corrected: about {expected} of "
        "them\nwould leave out 0 by chance if there were no differences at all.\n"
    )
