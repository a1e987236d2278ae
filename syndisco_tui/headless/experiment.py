"""``syndisco-tui experiment``: runs designed experiments, and tells how far they are."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ..session.batch import Batch, NewSession
from ..session.batch_run import BatchRun
from ..session.runner import MAX_IN_FLIGHT
from ..text import counted, duration, one_line
from ..workspace.estimate import (
    Estimate,
    Range,
    compact,
    estimate,
    measure,
    measured_cost,
    speed_of,
)
from ..workspace.exit_status import FINISHED, NOT_FINISHED
from ..workspace.experiment_runs import ExperimentRuns
from ..workspace.experiments import ExperimentFolder, shard
from ..workspace.matrix import (
    DEFAULT_FIGURE,
    Levels,
    MatrixCell,
    MatrixLayout,
    RunFigures,
    cells_of,
    layout,
)
from ..workspace.settings import Price
from .repeat import run_repeat

NO_PRICES: Mapping[str, Price] = MappingProxyType({})


def run_experiment(
    experiment: ExperimentFolder,
    new_session: NewSession,
    *,
    part: tuple[int, int] = (1, 1),
    max_in_flight: int | None = None,
    prices: Mapping[str, Price] = NO_PRICES,
    library: Path | None = None,
) -> int:
    """Run the missing discussions of an experiment. Returns the exit status.

    Args:
        experiment: The folder and the design.
        new_session: Makes a session for a listener.
        part: Number of this part and number of parts; (1, 1) is everything.
        max_in_flight: Discussions at once.
        prices: Prices of models, for the estimate.
        library: Folder of discussions from which models' speed is measured.
    """
    entries = shard(list(experiment.entries()), *part)
    remaining = [entry for entry in entries if not entry.is_finished]
    ours = [entry for entry in remaining if not entry.is_elsewhere]
    if elsewhere := len(remaining) - len(ours):
        print(
            f"{counted(elsewhere, 'discussion')} of them are being run by another syndisco-tui.",
            file=sys.stderr,
        )
    unreadable = [entry for entry in ours if entry.record is None and entry.error]
    for entry in unreadable:
        print(
            one_line(f"{entry.error}. To run it again, move the file out of the folder.", 400),
            file=sys.stderr,
        )
    runs = [experiment.run_of(entry) for entry in ours if entry not in unreadable]
    status = FINISHED
    if runs:
        batch = Batch(new_session, runs, max_in_flight=max_in_flight or MAX_IN_FLIGHT)
        expected = estimate((run.setup for run in runs), speed_of(runs, library), prices)
        started_at = time.monotonic()
        status = run_repeat(batch, hint="the same command continues them")
        lines = measured_lines(runs, prices)
        if expected.seconds and status == FINISHED:
            low, high = duration(expected.seconds.low), duration(expected.seconds.high)
            spent = duration(time.monotonic() - started_at)
            lines.append(f"{spent}, {low} to {high} were estimated")
        print("\n".join(lines), file=sys.stderr)
    else:
        print("Nothing to do: all discussions are finished.", file=sys.stderr)
    is_whole = status == FINISHED and not elsewhere and not unreadable
    return FINISHED if is_whole else status or NOT_FINISHED


def status_text(
    experiment: ExperimentFolder,
    figure: str = DEFAULT_FIGURE,
    prices: Mapping[str, Price] = NO_PRICES,
) -> str:
    """The matrix of an experiment: levels against levels, progress and one figure in each cell.

    Below the matrix: what it took so far, and which discussions failed.
    """
    experiment_runs = ExperimentRuns(experiment)
    experiment_runs.apply(experiment_runs.read_changes())
    runs, figures = experiment_runs.runs, RunFigures()
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
    lines += [*measured_lines(runs, prices), ""] if finished else []
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


def dry_run_text(
    experiment: ExperimentFolder, prices: Mapping[str, Price], library: Path | None = None
) -> str:
    """What an experiment would take, with the assumptions."""
    experiment_runs = ExperimentRuns(experiment)
    experiment_runs.apply(experiment_runs.read_changes())
    remaining = [run.setup for run in experiment_runs.runs if run.state != "finished"]
    expected = estimate(remaining, speed_of(experiment_runs.runs, library), prices)
    cells = counted(len(experiment.design.cells), "cell")
    repeats = counted(experiment.design.repeats, "repeat")
    discussions = counted(len(experiment_runs.runs), "discussion")
    read, written = expected.tokens.read, expected.tokens.written
    lines = [
        f"{cells}, {repeats}: {discussions}, {expected.discussions:,} still to run",
        f"{expected.turns:,} turns of users, at most {expected.replies:,} replies",
        f"{_range(read)} tokens read, {_range(written)} written",
        *_time_and_money(expected),
        "Assumed: a reply has a tenth to all of max_out_tokens, a token four characters.",
        *measured_lines(experiment_runs.runs, prices),
    ]
    return "\n".join(lines) + "\n"


def _time_and_money(expected: Estimate) -> list[str]:
    lines = []
    if expected.seconds and expected.speed:
        low, high = expected.seconds.low, expected.seconds.high
        speed = f"at {expected.speed.tokens_per_second:,.0f} tokens/s, {expected.speed.source}"
        lines.append(f"{duration(low)} to {duration(high)} {speed}")
    else:
        lines.append("hours: not known before something has been said with this model")
    if expected.cost is not None:
        lines.append(f"{expected.cost.low:,.2f} to {expected.cost.high:,.2f} of money")
    if expected.unpriced:
        names = one_line(", ".join(expected.unpriced), 100)
        lines.append(f"money: no price of {names} in settings ([prices])")
    return lines


def measured_lines(runs: Sequence[BatchRun], prices: Mapping[str, Price]) -> list[str]:
    """What the finished discussions took, and its ratio to the estimate, as lines."""
    measured = measure(runs)
    if measured is None:
        return []
    read, written = measured.estimated.read, measured.estimated.written
    finished = counted(measured.discussions, "finished discussion")
    figures = [
        f"{compact(measured.read)} tokens read of {_range(read)} estimated",
        f"({_ratio(measured.read, read)}),",
        f"{compact(measured.written)} written of {_range(written)}",
        f"({_ratio(measured.written, written)})",
    ]
    lines = [f"{finished}: {' '.join(figures)}"]
    cost = measured_cost((run.record for run in runs if run.record), prices)
    return [*lines, *([f"{cost:,.2f} of money so far"] if cost is not None else [])]


def _range(tokens: Range) -> str:
    return f"{compact(tokens.low)} to {compact(tokens.high)}"


def _ratio(measured: int, estimated: Range) -> str:
    """The measured value divided by the low and the high end of its estimate."""
    low, high = max(1.0, estimated.low), max(1.0, estimated.high)
    return f"ratio {measured / low:.2g} to {measured / high:.2g}"
