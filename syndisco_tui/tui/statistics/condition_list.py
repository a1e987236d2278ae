"""The lists of the statistics screen: one measure, all figures, differences."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from ...analysis.axis import Axis
from ...analysis.conditions import Observation, table_of
from ...analysis.intervals import LevelDifference
from ...analysis.statistics import Measure
from ...text import one_line
from ...workspace.statistics_tables import condition_cells, figure, measure_named, signed
from ...workspace.study import MeasuredCondition, Study
from ..widgets.charts import axis_line, interval_line
from ..widgets.row_list import RowList

MOST_VALUES = 200
"""Discussions of a condition that are drawn one by one."""
_GAP = "  "


class ConditionList(RowList):
    """Lists conditions or differences in one of several views."""

    def __init__(self) -> None:
        super().__init__()
        self._view: View = EmptyView()

    def show(self, view: View) -> None:
        """Show another view; if it has other rows, from its first row."""
        same = type(view) is type(self._view) and view.count == self._view.count
        self._view = view
        self.update_rows(None if same else 0)
        self.refresh()

    @property
    def observations(self) -> Sequence[Observation]:
        """The discussions behind the highlighted row."""
        if not self._view.count:
            return ()
        return self._view.observations(self.highlighted_row)

    @property
    def measure(self) -> Measure | None:
        """The measure of the highlighted row, if it has a single one."""
        return self._view.measure(self.highlighted_row) if self._view.count else None

    @property
    def row_name(self) -> str:
        """The name of the highlighted row."""
        return self._view.name(self.highlighted_row) if self._view.count else ""

    @property
    def row_count(self) -> int:
        return self._view.count

    def row_height(self, index: int) -> int:
        return self._view.height(self._width)

    def lines_above(self, index: int) -> Sequence[Content]:
        return self._view.above(index, self._width)

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        return self._view.draw(index, width)

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width or 80


class EmptyView:
    """A view without rows, and the base of all views."""

    count = 0

    def height(self, width: int) -> int:
        """Number of lines of a row."""
        return 1

    def above(self, index: int, width: int) -> Sequence[Content]:
        """Lines above a row."""
        return ()

    def draw(self, index: int, width: int) -> Sequence[Content]:
        """The lines of a row."""
        return ()

    def observations(self, index: int) -> Sequence[Observation]:
        """The discussions behind a row."""
        return ()

    def measure(self, index: int) -> Measure | None:
        """The measure of a row, if it has a single one."""
        return None

    def name(self, index: int) -> str:
        """The name of a row."""
        return ""


View = EmptyView


class MeasureView(EmptyView):
    """A measure in every condition: a dot, its interval, and the discussions behind it."""

    def __init__(self, measure: Measure, conditions: Sequence[MeasuredCondition]) -> None:
        self.count = len(conditions)
        self._measure = measure
        self._conditions = conditions
        self._numbers = [_numbers(condition) for condition in conditions]
        drawn = [value for condition in conditions for value in _drawn(condition)]
        self._axis = Axis.around(drawn, is_share=measure.is_share)

    def _columns(self, width: int) -> tuple[int, int, int]:
        """Cells of the name, the chart and the numbers."""
        numbers = max(map(len, self._numbers))
        longest = max(Content(one_line(c.condition.name, 60)).cell_length for c in self._conditions)
        name = max(8, min(longest, width // 3))
        chart = width - name - numbers - 4 * len(_GAP) + 2
        if chart < 12:  # the figure says more than the picture
            numbers = max(len(text.split("  ")[0]) for text in self._numbers)
            chart = width - name - numbers - 3 * len(_GAP)
        return name, max(1, chart), numbers

    def above(self, index: int, width: int) -> Sequence[Content]:
        if index:
            return (Content(""),) if self.count <= 12 else ()
        name, chart, _ = self._columns(width)
        labels = [(self._axis.share(tick), self._axis.text(tick)) for tick in self._axis.ticks]
        return (Content.assemble(" " * (name + 2 * len(_GAP)), axis_line(labels, chart)),)

    def draw(self, index: int, width: int) -> Sequence[Content]:
        condition = self._conditions[index]
        name, chart, numbers = self._columns(width)
        one, share = condition.interval, self._axis.share
        bounds = None
        if one is not None and one.low is not None and one.high is not None:
            bounds = share(one.low), share(one.high)
        values = [value for value in condition.values if value is not None]
        line = interval_line(
            None if one is None else share(one.value),
            bounds,
            [share(value) for value in values] if len(values) <= MOST_VALUES else [],
            chart,
        )
        text = self._numbers[index]
        text = text if len(text) <= numbers else text.split("  ")[0]
        return (
            Content.assemble(
                _GAP, _cell(condition.condition.name, name), _GAP, line, _GAP, text.rjust(numbers)
            ),
        )

    def observations(self, index: int) -> Sequence[Observation]:
        return self._conditions[index].condition.observations

    def measure(self, index: int) -> Measure | None:
        return self._measure

    def name(self, index: int) -> str:
        return self._conditions[index].condition.name


class TableView(EmptyView):
    """All figures of every condition; columns that do not fit are on further lines."""

    def __init__(self, study: Study) -> None:
        self.count = len(study.conditions)
        self._study = study
        self._cells = condition_cells(table_of(study.conditions))
        self._left = len(study.factors)

    def _layout(self, width: int) -> tuple[list[int], list[list[int]]]:
        """The widths of all columns, and the figures on each line."""
        columns = range(len(self._cells[0]))
        widths = [max(len(row[column]) for row in self._cells) for column in columns]
        name = sum(widths[: self._left]) + 2 * self._left
        lines: list[list[int]] = [[]]
        used = name
        for column in columns[self._left :]:
            if used + widths[column] + 2 > width - 2 and lines[-1]:
                lines.append([])
                used = name
            lines[-1].append(column)
            used += widths[column] + 2
        return widths, lines

    def height(self, width: int) -> int:
        return len(self._layout(width)[1])

    def above(self, index: int, width: int) -> Sequence[Content]:
        if index:
            return (Content(""),) if self.height(width) > 1 else ()
        head = self._lines(0, width)
        return [Content.styled(line.plain, "$quiet") for line in head]

    def draw(self, index: int, width: int) -> Sequence[Content]:
        return self._lines(index + 1, width)

    def _lines(self, row: int, width: int) -> list[Content]:
        widths, lines = self._layout(width)
        name = "".join(
            f"{self._cells[row][column]:<{widths[column]}}  " for column in range(self._left)
        )
        drawn = []
        for number, columns in enumerate(lines):
            start = name if number == 0 else " " * len(name)
            texts = (f"{self._cells[row][column]:>{widths[column]}}" for column in columns)
            drawn.append(Content(_GAP + start + _GAP.join(texts)))
        return drawn

    def observations(self, index: int) -> Sequence[Observation]:
        return self._study.conditions[index].observations

    def name(self, index: int) -> str:
        return self._study.conditions[index].name


class DifferenceView(EmptyView):
    """Every two levels in every measure, with the interval around or beside zero."""

    def __init__(self, study: Study) -> None:
        self._study = study
        order = list(dict.fromkeys(map(_pair, study.differences)))
        self._differences = sorted(study.differences, key=lambda each: order.index(_pair(each)))
        self.count = len(self._differences)

    def above(self, index: int, width: int) -> Sequence[Content]:
        each = self._differences[index]
        if index and _pair(self._differences[index - 1]) == _pair(each):
            return ()
        levels = f"{one_line(each.first or '–', 30)} → {one_line(each.second or '–', 30)}"
        head = Content.assemble(
            _GAP,
            Content.styled(one_line(each.factor, 40), "$quiet"),
            "  ",
            Content.styled(levels, "bold"),
        )
        return (head,) if index == 0 else (Content(""), head)

    def draw(self, index: int, width: int) -> Sequence[Content]:
        each = self._differences[index]
        label = max(len(one_line(measure_named(d.measure).label, 30)) for d in self._differences)
        style = "bold" if each.excludes_zero else ""
        bounds = size = ""
        if each.low is not None and each.high is not None:
            bounds = f"{signed(each.low)} to {signed(each.high)}"
        if each.effect_size is not None:
            size = f"{'d_z' if each.pairs else 'd'} {signed(each.effect_size, 2)}"
        n = f"{each.pairs} pairs" if each.pairs else f"n {each.discussions}"
        texts = [f"{signed(each.difference):>8}", f"{bounds:>18}", f"{size:>10}", f"{n:>9}"]
        chart = width - label - sum(map(len, texts)) - 2 * (len(texts) + 2)
        if chart < 9:
            texts.pop()
            chart = width - label - sum(map(len, texts)) - 2 * (len(texts) + 2)
        line = self._line(each, min(41, chart)) if chart >= 9 else Content("")
        measure = _cell(measure_named(each.measure).label, label)
        return (
            Content.assemble(
                _GAP, measure, _GAP, line, _GAP if line.plain else "",
                Content.styled(_GAP.join(texts), style),
            ),
        )  # fmt: skip

    @staticmethod
    def _line(each: LevelDifference, width: int) -> Content:
        """A line with zero in the middle and the difference on its own scale."""
        known = [value for value in (each.difference, each.low, each.high) if value is not None]
        reach = max(map(abs, known)) or 1.0

        def share(value: float) -> float:
            return 0.5 + value / reach / 2

        bounds = None
        if each.low is not None and each.high is not None:
            bounds = share(each.low), share(each.high)
        return interval_line(share(each.difference), bounds, (), width, zero=0.5)

    def observations(self, index: int) -> Sequence[Observation]:
        each = self._differences[index]
        levels = (each.first, each.second)
        return [one for one in self._study.observed if one.level(each.factor) in levels]

    def measure(self, index: int) -> Measure | None:
        return measure_named(self._differences[index].measure)

    def name(self, index: int) -> str:
        each = self._differences[index]
        return f"{each.first or '–'} → {each.second or '–'}"


def _pair(each: LevelDifference) -> tuple[str, str, str]:
    return each.factor, each.first, each.second


def _numbers(condition: MeasuredCondition) -> str:
    """The figure, its interval and the number of discussions; double gaps between them."""
    one = condition.interval
    if one is None:
        return "no data"
    bounds = ""
    if one.low is not None and one.high is not None:
        bounds = f"  {figure(one.low)} to {figure(one.high)}"
    return f"{figure(one.value)}{bounds}  n {one.n:,}"


def _drawn(condition: MeasuredCondition) -> list[float]:
    one = condition.interval
    drawn = [] if one is None else [one.value, one.low, one.high]
    values = [value for value in condition.values if value is not None]
    drawn += values if len(values) <= MOST_VALUES else []
    return [value for value in drawn if value is not None]


def _cell(text: str, width: int) -> Content:
    return Content(one_line(text, 200)).truncate(width, ellipsis=True, pad=True)
