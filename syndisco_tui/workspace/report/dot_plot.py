"""Dot plots as SVG: a measure in every condition, with its interval and each discussion.

Conditions differ in colour (Okabe and Ito's, which colour-blind people can tell apart) and in the
shape of the mark, so that a plot can be read in grey as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from unicodedata import east_asian_width
from xml.etree import ElementTree as ET

from ...analysis.axis import Axis
from ...analysis.statistics import Measure
from ...text import one_line
from ..statistics_tables import figure
from ..study import MeasuredCondition

WIDTH = 400
_LEFT, _RIGHT = 10, 390
_ROW = 40
_MOST_VALUES = 60
"""Discussions of a condition that are drawn one by one."""
_AXIS_CHARACTERS = 68
_SMALL = 6.2
"""Pixels of a character of the smaller text, about."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B4578F", "#9A6A00", "#2E8BC0", "#555555")
"""On white; the page has lighter ones for dark screens."""
STYLE = (
    "text{font-family:system-ui,'Helvetica Neue',Arial,'Liberation Sans',sans-serif;fill:#1b1f24}"
    ".label{font-size:12.5px}.small{font-size:11px;fill:#57606a}"
    ".track{stroke:#e3e6ea;stroke-width:1}.axis{stroke:#8b949e;stroke-width:1}"
    ".interval{stroke-width:2.5;stroke-linecap:round}.value{opacity:.28}"
    + "".join(f".c{index}{{fill:{colour};stroke:{colour}}}" for index, colour in enumerate(COLOURS))
)


def dot_plot(
    measure: Measure,
    conditions: Sequence[MeasuredCondition],
    kinds: Sequence[int],
    *,
    stands_alone: bool,
) -> str:
    """The plot as an ``svg`` element of ``WIDTH`` pixels.

    Args:
        measure: The measure to draw.
        conditions: One row each, from the top.
        kinds: The colour and shape of each row; equal numbers look the same.
        stands_alone: Whether to include the style, for a separate file.
    """
    unit = measure.unit if measure.label in measure.unit else f"{measure.label}: {measure.unit}"
    axis = wrap(one_line(unit, 300), _AXIS_CHARACTERS)
    bottom = 8 + _ROW * len(conditions)
    height = bottom + 26 + 14 * len(axis)
    svg = ET.Element(
        "svg", {"viewBox": f"0 0 {WIDTH} {height}", "role": "img", "class": "dot-plot"}
    )
    ET.SubElement(svg, "title").text = one_line(f"{measure.label} by condition", 200)
    ET.SubElement(svg, "desc").text = one_line("; ".join(map(_spoken, conditions)), 2000)
    if stands_alone:
        svg.set("xmlns", "http://www.w3.org/2000/svg")
        svg.set("width", str(WIDTH))
        svg.set("height", str(height))
        ET.SubElement(svg, "style").text = STYLE
        ET.SubElement(svg, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    scale = _axis(conditions, is_share=measure.is_share)

    def x(value: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * scale.share(value), 2)

    for tick in scale.ticks:
        for index in range(len(conditions)):  # not through the texts
            top = 8 + _ROW * index + 19
            _line(svg, "track", x(tick), top, x(tick), top + 16)
        _line(svg, "axis", x(tick), bottom, x(tick), bottom + 3)
        anchor = "start" if x(tick) < _LEFT + 6 else "end" if x(tick) > _RIGHT - 6 else "middle"
        _text(svg, "small", x(tick), bottom + 15, scale.text(tick), anchor)
    _line(svg, "axis", _LEFT, bottom, _RIGHT, bottom)
    for index, (condition, kind) in enumerate(zip(conditions, kinds, strict=True)):
        _row(svg, condition, kind, 8 + _ROW * index, x)
    for index, line in enumerate(axis):
        _text(svg, "small", WIDTH / 2, bottom + 31 + 14 * index, line, "middle")
    return ET.tostring(svg, encoding="unicode")


def _row(
    svg: ET.Element,
    condition: MeasuredCondition,
    kind: int,
    y: float,
    x_of: Callable[[float], float],
) -> None:
    """Draw a condition below ``y``; ``x_of`` gives the position of a value on the axis."""
    numbers = _numbers(condition)
    room = (_RIGHT - _LEFT - len(numbers) * _SMALL) / 7 - 1
    _text(svg, "label", _LEFT, y + 13, _shortened(condition.condition.name, room), "start")
    _text(svg, "small", _RIGHT, y + 13, numbers, "end")
    middle = y + 27
    colour = f"c{kind % len(COLOURS)}"
    values = [value for value in condition.values if value is not None]
    if 1 < len(values) <= _MOST_VALUES:
        for value in values:
            _line(svg, f"value {colour}", x_of(value), middle - 6, x_of(value), middle + 6)
    if condition.interval is None:
        return
    if condition.interval.low is not None and condition.interval.high is not None:
        ends = x_of(condition.interval.low), x_of(condition.interval.high)
        _line(svg, f"interval {colour}", ends[0], middle, ends[1], middle)
    points = _SHAPES[kind % len(_SHAPES)]
    centre = x_of(condition.interval.value)
    if points:
        corners = " ".join(f"{centre + dx:.2f},{middle + dy:.2f}" for dx, dy in points)
        ET.SubElement(svg, "polygon", {"class": colour, "points": corners})
    else:
        mark = {"class": colour, "cx": str(centre), "cy": str(middle), "r": "4.5"}
        ET.SubElement(svg, "circle", mark)


_SHAPES: tuple[tuple[tuple[float, float], ...], ...] = (
    (),
    ((-4, -4), (4, -4), (4, 4), (-4, 4)),
    ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
    ((0, -5), (5, 4), (-5, 4)),
    ((0, 5), (5, -4), (-5, -4)),
)
"""Corners of the marks around their centre; without any it is a circle."""


def _numbers(condition: MeasuredCondition) -> str:
    one = condition.interval
    if one is None:
        return "no data"
    bounds = ""
    if one.low is not None and one.high is not None:
        bounds = f" [{figure(one.low)}, {figure(one.high)}]"
    return f"{figure(one.value)}{bounds} · n = {one.n:,}"


def _spoken(condition: MeasuredCondition) -> str:
    return f"{condition.condition.name}: {_numbers(condition)}"


def _axis(conditions: Sequence[MeasuredCondition], *, is_share: bool) -> Axis:
    drawn: list[float] = []
    for condition in conditions:
        one = condition.interval
        if one is not None:
            drawn += [each for each in (one.value, one.low, one.high) if each is not None]
        values = [value for value in condition.values if value is not None]
        drawn += values if len(values) <= _MOST_VALUES else []
    return Axis.around(drawn, is_share=is_share)


def _shortened(text: str, room: float) -> str:
    """``text`` made safe, cut to about ``room`` narrow characters."""
    line = one_line(text, 200)
    for end, character in enumerate(line):
        room -= 2 if east_asian_width(character) in "WF" else 1
        if room < 0:
            return line[: max(1, end - 1)].rstrip() + "…"
    return line


def _line(svg: ET.Element, style: str, x1: float, y1: float, x2: float, y2: float) -> None:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    ET.SubElement(
        svg, "line", {"class": style, **{key: f"{value:g}" for key, value in ends.items()}}
    )


def _text(svg: ET.Element, style: str, x: float, y: float, text: str, anchor: str) -> None:
    where = {"class": style, "x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}
    ET.SubElement(svg, "text", where).text = text
