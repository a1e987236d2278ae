"""``syndisco-tui experiment``: runs designed experiments, and tells how far they are."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..analysis.statistics import MEASURES, discussion_statistics, mean
from ..session.batch import MAX_IN_FLIGHT, Batch, NewSession
from ..text import counted, duration, one_line
from ..workspace.exit_status import FINISHED, NOT_FINISHED
from ..workspace.experiments import (
    CellProgress,
    ExperimentFolder,
    LedgerEntry,
    estimate,
    progress_by_cell,
    shard,
)
from .repeat import run_repeat

FIGURE = "words_mean"
"""Shown in each cell of the matrix unless another measure is asked for."""


def run_experiment(
    experiment: ExperimentFolder,
    new_session: NewSession,
    *,
    part: tuple[int, int] = (1, 1),
    max_in_flight: int | None = None,
) -> int:
    """Run what is missing. Returns the exit status.

    Args:
        experiment: Where and what.
        new_session: Makes a session for a listener.
        part: Which part of how many: (1, 1) is everything.
        max_in_flight: Discussions at once.
    """
    entries = shard(list(experiment.entries()), *part)
    remaining = [entry for entry in entries if not entry.is_finished]
    ours = [entry for entry in remaining if not entry.is_elsewhere]
    if elsewhere := len(remaining) - len(ours):
        print(f"{counted(elsewhere, 'discussion')} of them run elsewhere.", file=sys.stderr)
    unreadable = [entry for entry in ours if entry.record is None and entry.error]
    for entry in unreadable:
        print(
            one_line(f"{entry.error}. Move the file away, and it is run again.", 400),
            file=sys.stderr,
        )
    runs = [experiment.run_of(entry) for entry in ours if entry not in unreadable]
    status = FINISHED
    if runs:
        batch = Batch(new_session, runs, max_in_flight=max_in_flight or MAX_IN_FLIGHT)
        status = run_repeat(batch)
    else:
        print("Nothing remains to be done.", file=sys.stderr)
    is_whole = status == FINISHED and not elsewhere and not unreadable
    return FINISHED if is_whole else status or NOT_FINISHED


def status_text(experiment: ExperimentFolder, figure: str = FIGURE) -> str:
    """The matrix of an experiment: levels against levels, progress and one figure in each cell."""
    entries = list(experiment.entries())
    cells = progress_by_cell(entries)
    finished = sum(cell.finished for cell in cells)
    lines = [
        one_line(experiment.design.title or experiment.folder.name, 100),
        f"{finished} of {counted(len(entries), 'discussion')} finished",
        "",
        *_matrix(experiment, cells, entries, figure),
    ]
    failed = [entry for entry in entries if entry.error and not entry.is_finished]
    lines += [one_line(f"{entry.path.name}: {entry.error}", 200) for entry in failed[:20]]
    if len(failed) > 20:
        lines.append(f"and {len(failed) - 20} more")
    return "\n".join(lines).rstrip() + "\n"


def _matrix(
    experiment: ExperimentFolder,
    cells: Sequence[CellProgress],
    entries: Sequence[LedgerEntry],
    figure: str,
) -> list[str]:
    """Rows are the levels of all factors but the last, whose levels are the columns."""
    factors = list(experiment.design.factors)
    column_factor = factors[-1] if factors else ""
    columns = list(experiment.design.factors.get(column_factor, {"": {}}))
    texts = {tuple(cell.cell.items()): _cell_text(cell, entries, figure) for cell in cells}
    rows: dict[str, dict[str, str]] = {}
    for cell in cells:
        row = " · ".join(level for name, level in cell.cell.items() if name != column_factor)
        column = cell.cell.get(column_factor, "")
        rows.setdefault(row, {})[column] = texts[tuple(cell.cell.items())]
    heading = " × ".join(factors) if factors else "all"
    table = [
        [one_line(heading, 40), *(one_line(column, 30) for column in columns)],
        *([one_line(row, 40), *(row_cells.get(column, "–") for column in columns)]
          for row, row_cells in rows.items()),
    ]  # fmt: skip
    widths = [max(len(line[index]) for line in table) for index in range(len(columns) + 1)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return [*lines, "", f"in each cell: finished of planned, ! failed, {figure} on average", ""]


def _cell_text(cell: CellProgress, entries: Sequence[LedgerEntry], figure: str) -> str:
    values = [
        MEASURES[figure](discussion_statistics(entry.record))
        for entry in entries
        if entry.planned.cell == cell.cell and entry.record and entry.is_finished
    ]
    average = mean([value for value in values if value is not None])
    failed = f" !{cell.failed}" if cell.failed else ""
    shown = f" {average:.3g}" if average is not None else ""
    return f"{cell.finished}/{cell.planned}{failed}{shown}"


def dry_run_text(experiment: ExperimentFolder) -> str:
    """What an experiment would take, with the assumptions."""
    entries = list(experiment.entries())
    expected = estimate(entries)
    cells = counted(len(experiment.design.cells), "cell")
    repeats = counted(experiment.design.repeats, "repeat")
    discussions = counted(len(entries), "discussion")
    tokens = f"{expected.least_tokens:,} to {expected.most_tokens:,} tokens, read and written"
    lines = [
        f"{cells}, {repeats}: {discussions}, {expected.discussions:,} still to run",
        f"{expected.turns:,} turns of users, at most {expected.replies:,} replies",
        f"{tokens} (replies of a tenth to all of max_out_tokens; a token is four characters)",
    ]
    if expected.seconds is None:
        lines.append("hours: not known before a first discussion is finished in this folder")
    else:
        lines.append(
            f"{duration(expected.seconds)} of generating one after the other, as the finished "
            "ones took; many at once take less"
        )
    return "\n".join(lines) + "\n"
