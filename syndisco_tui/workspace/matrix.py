"""An experiment as a matrix: levels against levels, with progress and a figure in each cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..analysis.statistics import (
    MEASURES,
    DiscussionStatistics,
    discussion_statistics,
    standard_deviation,
)
from ..analysis.statistics import mean as mean_of
from ..discussion import DiscussionRecord
from ..discussion.design import ExperimentDesign
from ..session.batch_run import BatchRun

Levels: TypeAlias = tuple[str, ...]
"""One level of every factor, in the order of the design."""
DEFAULT_FIGURE = "words_mean"


@dataclass(frozen=True)
class MatrixCell:
    """One cell, with counts of discussions and the figure of the finished ones."""

    levels: Levels
    planned: int = 0
    finished: int = 0
    running: int = 0
    """Here or in another process."""
    failed: int = 0
    turns_share: float = 0.0
    """The share of all its turns that unfinished discussions have taken."""
    mean: float | None = None
    deviation: float | None = None
    """The sample's standard deviation."""


@dataclass(frozen=True)
class MatrixLayout:
    """The layout of a matrix: the factors of its rows and that of its columns.

    ``rows`` are levels of ``row_factors``; ``columns`` are levels of ``column_factor``, or a single
    empty one if all factors are rows.
    """

    row_factors: Levels
    column_factor: str
    rows: tuple[Levels, ...]
    columns: Levels

    def levels(self, row: int, column: int) -> Levels:
        """The levels of the cell at a row and a column, both from 0."""
        return (*self.rows[row], self.columns[column]) if self.column_factor else self.rows[row]


def layout(design: ExperimentDesign, *, one_column: bool = False) -> MatrixLayout:
    """Lay out a matrix: the last factor as columns, the others as nested rows.

    Rows and columns without any cell are left out. ``one_column``: all factors are rows.
    """
    factors = tuple(design.factors)
    cells = [tuple(cell[name] for name in factors) for cell in design.cells]
    if one_column or not factors:
        return MatrixLayout(factors, "", tuple(cells), ("",))
    used = {cell[-1] for cell in cells}
    columns = tuple(level for level in design.factors[factors[-1]] if level in used)
    rows = tuple(dict.fromkeys(cell[:-1] for cell in cells))
    return MatrixLayout(factors[:-1], factors[-1], rows, columns)


def cells_of(
    design: ExperimentDesign, runs: Iterable[BatchRun], figures: Mapping[BatchRun, float | None]
) -> dict[Levels, MatrixCell]:
    """Every cell, from its runs and the figure of each finished one."""
    members: dict[Levels, list[BatchRun]] = {tuple(cell.values()): [] for cell in design.cells}
    for run in runs:
        members[levels_of(run)].append(run)
    return {levels: _cell(levels, each, figures) for levels, each in members.items()}


def levels_of(run: BatchRun) -> Levels:
    """The levels of a run's cell."""
    return tuple(run.experiment.cell.values()) if run.experiment else ()


def _cell(
    levels: Levels, runs: list[BatchRun], figures: Mapping[BatchRun, float | None]
) -> MatrixCell:
    states = [run.state for run in runs]
    values = [
        value for run in runs if run.state == "finished" and (value := figures.get(run)) is not None
    ]
    turns = sum(run.turns for run in runs)
    begun = sum(run.turns_done for run in runs if run.state != "finished")
    return MatrixCell(
        levels,
        planned=len(runs),
        finished=states.count("finished"),
        running=states.count("speaking") + states.count("elsewhere"),
        failed=states.count("failed"),
        turns_share=begun / turns if turns else 0.0,
        mean=mean_of(values),
        deviation=standard_deviation(values),
    )


@dataclass(frozen=True)
class LevelMean:
    """A figure of all finished discussions at one level of a factor."""

    factor: str
    level: str
    count: int
    mean: float | None
    deviation: float | None


def level_means(
    design: ExperimentDesign, runs: Iterable[BatchRun], figures: Mapping[BatchRun, float | None]
) -> list[LevelMean]:
    """The figure at every level of every factor, over all others, in the order of the design."""
    values: dict[tuple[str, str], list[float]] = {
        (factor, level): [] for factor, levels in design.factors.items() for level in levels
    }
    for run in runs:
        value = figures.get(run) if run.state == "finished" else None
        if value is not None and run.experiment:
            for pair in run.experiment.cell.items():
                values[pair].append(value)
    return [
        LevelMean(factor, level, len(each), mean_of(each), standard_deviation(each))
        for (factor, level), each in values.items()
    ]


class RunFigures:
    """The statistics of finished runs, each counted once. Not thread-safe."""

    def __init__(self) -> None:
        self._counted: dict[BatchRun, tuple[DiscussionRecord, DiscussionStatistics]] = {}

    def uncounted(self, runs: Iterable[BatchRun]) -> list[tuple[BatchRun, DiscussionRecord]]:
        """The finished runs that have not been counted yet."""
        return [
            (run, run.record)
            for run in runs
            if run.state == "finished"
            and run.record
            and (run not in self._counted or self._counted[run][0] is not run.record)
        ]

    def count(self, run: BatchRun, record: DiscussionRecord) -> None:
        """Count one finished discussion."""
        self._counted[run] = record, discussion_statistics(record)

    def values(self, figure: str) -> dict[BatchRun, float | None]:
        """One of ``MEASURES`` of every run that has been counted."""
        measure = MEASURES[figure]
        return {run: measure(counted[1]) for run, counted in tuple(self._counted.items())}
