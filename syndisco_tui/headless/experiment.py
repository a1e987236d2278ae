"""``syndisco-tui experiment``: runs designed experiments, and tells how far they are."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ..session.batch import MAX_IN_FLIGHT, Batch, NewSession
from ..session.batch_run import BatchRun
from ..text import counted, duration, one_line
from ..workspace.exit_status import FINISHED, NOT_FINISHED
from ..workspace.experiment_runs import ExperimentRuns
from ..workspace.experiments import ExperimentFolder, estimate, shard
from ..workspace.matrix import (
    DEFAULT_FIGURE,
    Levels,
    MatrixCell,
    MatrixLayout,
    RunFigures,
    cells_of,
    layout,
)
from .repeat import run_repeat


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


def status_text(experiment: ExperimentFolder, figure: str = DEFAULT_FIGURE) -> str:
    """The matrix of an experiment: levels against levels, progress and one figure in each cell."""
    found = ExperimentRuns(experiment)
    found.apply(found.read_changes())
    runs, figures = found.runs, RunFigures()
    for run, record in figures.uncounted(runs):
        figures.count(run, record)
    cells = cells_of(experiment.design, runs, figures.values(figure))
    finished = sum(cell.finished for cell in cells.values())
    running = sum(cell.running for cell in cells.values())
    count = f"{finished} of {counted(len(runs), 'discussion')} finished"
    lines = [
        one_line(experiment.design.title or experiment.folder.name, 100),
        f"{count}, {running} running" if running else count,
        "",
        *_matrix(layout(experiment.design), cells, figure),
    ]
    failed = [run for run in runs if run.state == "failed"]
    lines += [one_line(f"{_file_name(run)}: {run.error}", 200) for run in failed[:20]]
    if len(failed) > 20:
        lines.append(f"and {len(failed) - 20} more")
    return "\n".join(lines).rstrip() + "\n"


def _file_name(run: BatchRun) -> str:
    return run.target.name if run.target else ""


def _matrix(shape: MatrixLayout, cells: Mapping[Levels, MatrixCell], figure: str) -> list[str]:
    heading = " × ".join(filter(None, (*shape.row_factors, shape.column_factor))) or "all"
    table = [[one_line(heading, 40), *(one_line(column, 30) for column in shape.columns)]]
    for row, levels in enumerate(shape.rows):
        texts = [
            _cell_text(cells[key]) if (key := shape.levels(row, column)) in cells else "–"
            for column in range(len(shape.columns))
        ]
        table.append([one_line(" · ".join(levels), 40), *texts])
    widths = [max(len(line[index]) for line in table) for index in range(len(table[0]))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    legend = "in each cell: finished of planned, * running, ! failed"
    return [*lines, "", f"{legend}, {figure} (mean ± sd)", ""]


def _cell_text(cell: MatrixCell) -> str:
    running = f" *{cell.running}" if cell.running else ""
    failed = f" !{cell.failed}" if cell.failed else ""
    mean = f" {cell.mean:.3g}" if cell.mean is not None else ""
    deviation = f" ± {cell.deviation:.2g}" if cell.deviation is not None else ""
    return f"{cell.finished}/{cell.planned}{running}{failed}{mean}{deviation}"


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
