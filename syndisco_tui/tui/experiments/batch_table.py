"""A batch as a table: its columns, what stands in them, and how rows are put in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual.content import Content

from ...analysis.figures import Spread
from ...session.batch_run import BatchRun
from ...text import one_line

SIGNS = {
    "missing": "·",
    "waiting": "·",
    "speaking": "●",
    "finished": "✓",
    "stopped": "○",
    "failed": "!",
    "elsewhere": "●",
}
_STATE_ORDER = tuple(SIGNS)
_STATE_STYLES = {"speaking": "$accent", "failed": "$error"}
NO_SPREAD = Spread(None, None)
NARROWEST_WORDS = 8

SortKey = tuple[bool, float | str]


@dataclass(frozen=True)
class Column:
    """A column of the table. ``value`` is what rows are sorted by; None comes last."""

    label: str
    width: int
    name: str
    value: Callable[[BatchRun, Spread], float | str | None]


COLUMNS = (
    Column("", 1, "state", lambda run, _: float(_STATE_ORDER.index(run.state))),
    Column("#", 4, "number", lambda run, _: float(run.shown_number)),
    Column("seed", 6, "seed", lambda run, _: float(run.seed)),
    Column("turn", 8, "turn", lambda run, _: float(run.turn)),
    Column("tokens", 7, "tokens", lambda run, _: float(run.tokens_so_far)),
    Column("diversity", 10, "diversity", lambda _, spread: spread.diversity),
    Column("distance", 9, "distance", lambda _, spread: spread.distance),
    Column("last words", 0, "last words", lambda run, _: last_words(run, 80).casefold()),
)
"""The last one takes the room that is left."""


def last_words(run: BatchRun, limit: int) -> str:
    """What was said last, or what is wrong with the discussion."""
    if run.error:
        return one_line(run.error, limit)
    if run.partial_reply:
        return one_line(f"{run.speaker}: {run.partial_reply}", limit)
    last = next((message for message in reversed(run.entries) if message.text), None)
    words = f"{last.name}: {last.text}" if last else ""
    return one_line("not started yet" if run.state == "missing" else words, limit)


def cells(run: BatchRun, spread: Spread, width: int) -> list[Content]:
    """A row of the table; ``width`` is that of the last words."""
    style = _STATE_STYLES.get(run.state, "$quiet")
    return [
        Content.styled(SIGNS[run.state], style),
        Content(str(run.shown_number)),
        Content(str(run.seed)),
        Content(f"{run.turn} of {run.turns}"),
        Content(str(run.tokens_so_far)),
        _share(spread.diversity),
        _share(spread.distance),
        Content.styled(last_words(run, width), "$quiet" if run.state == "missing" else ""),
    ]


def labels(sorted_by: int, *, is_descending: bool) -> list[str]:
    """The columns' labels; the one that rows are sorted by has an arrow."""
    arrow = "▼" if is_descending else "▲"
    return [
        f"{column.label}{arrow}" if number == sorted_by and column.label else column.label
        for number, column in enumerate(COLUMNS)
    ]


def in_order(
    runs: Iterable[tuple[BatchRun, Spread]], sorted_by: int, *, is_descending: bool
) -> list[BatchRun]:
    """The runs as the table shows them: by one column, then by number; no value comes last."""
    value = COLUMNS[sorted_by].value
    by_number = sorted(runs, key=lambda each: each[0].number)
    with_value = [each for each in by_number if value(*each) is not None]
    without_value = [run for run, spread in by_number if value(run, spread) is None]
    with_value.sort(key=lambda each: _sortable(value(*each)), reverse=is_descending)
    return [*(run for run, _ in with_value), *without_value]


def _sortable(value: float | str | None) -> SortKey:
    return isinstance(value, str), value if value is not None else 0.0


def _share(value: float | None) -> Content:
    return Content.styled("—", "$quiet") if value is None else Content(f"{value:.2f}")
