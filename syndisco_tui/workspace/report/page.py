"""The report: one HTML page that needs no other file, no network and no script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ... import __version__
from ...analysis.annotations import Coded, summarize_tasks
from ...analysis.conditions import table_of
from ...discussion import DiscussionRecord
from ...text import counted, one_line, safe
from ..discussions import read_discussion
from ..statistics_tables import agreement_cells, cautions, condition_cells, difference_cells
from ..study import Study
from .dot_plot import COLOURS
from .figures import svg_figures
from .methods import methods_paragraph

MOST_EXAMPLES = 8
MOST_MESSAGES = 60
"""Of an example."""
MOST_CHARACTERS = 3000
"""Of a message in an example."""
MOST_VALUES = 6
"""Different values of a version, for example, that are shown."""


@dataclass(frozen=True)
class Figure:
    """A plot and its name."""

    title: str
    svg: str


@dataclass(frozen=True)
class Line:
    """A message of an example."""

    name: str
    role: str
    text: str
    is_silence: bool


@dataclass(frozen=True)
class Example:
    """A discussion to read."""

    condition: str
    title: str
    source: str
    lines: tuple[Line, ...]
    left_out: int
    """How many further messages it has."""


def report_html(
    study: Study,
    *,
    annotations: Sequence[Coded] = (),
    title: str = "",
    read: Callable[[Path], DiscussionRecord] = read_discussion,
) -> str:
    """The whole page.

    Args:
        study: The discussions and figures to report.
        annotations: Annotation tasks whose agreement is shown.
        title: Title of the page; empty for that of the discussions.
        read: Reads the file of an example.

    Raises:
        InputError: A discussion cannot be read any more.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    plots = svg_figures(study, stand_alone=False)
    seeds = list(dict.fromkeys(one.seed for one in study.observed if one.seed))
    return environment.get_template("page.html.jinja").render(
        title=one_line(title or title_of(study), 200),
        version=__version__,
        summary=_summary(study),
        factors=[
            (one_line(name, 80), [one_line(each or "–", 80) for each in study.levels(name)])
            for name in study.factors
        ],
        constants=_constants(study),
        is_paired=study.is_paired,
        repeats=len({one.repeat for one in study.observed if one.repeat}),
        conditions=condition_cells(table_of(study.conditions)),
        factor_count=len(study.factors),
        figures=[
            Figure(one_line(measure.label, 80), plots[measure.name]) for measure in study.measures
        ],
        differences=difference_cells(study.differences) if study.differences else [],
        stand_out=[each.excludes_zero for each in study.differences],
        cautions=cautions(study.differences),
        agreement=agreement_cells(summarize_tasks(annotations)),
        examples=_examples(study, read),
        methods=methods_paragraph(study),
        provenance=_provenance(study),
        seeds=seeds,
        colours=COLOURS,
    )


def title_of(study: Study) -> str:
    """The title that all discussions share, or else their number."""
    titles = {one.setup.get("title", "") for one in study.observed}
    if len(titles) == 1 and (only := titles.pop()):
        return only
    return f"Statistics of {counted(len(study.observed), 'discussion')}"


def _summary(study: Study) -> list[str]:
    unfinished = sum(not one.is_finished for one in study.observed)
    parts = [
        f"{len(study.observed):,} {'discussion' if len(study.observed) == 1 else 'discussions'}",
        counted(len(study.conditions), "condition"),
        f"{study.messages:,} messages",
    ]
    return [*parts, f"{unfinished:,} not finished"] if unfinished else parts


def _constants(study: Study) -> list[tuple[str, str]]:
    """The setup values that are the same in all discussions."""
    names = dict.fromkeys(name for one in study.observed for name in one.setup)
    constants = []
    for name in names:
        values = {one.setup.get(name, "") for one in study.observed}
        if len(values) == 1 and name not in (*study.factors, "title"):
            constants.append((name, one_line(values.pop(), 120)))
    return constants


def _provenance(study: Study) -> list[tuple[str, str]]:
    """Model, device and versions of libraries, each with its different values."""
    values: dict[str, dict[str, None]] = {}
    for one in study.observed:
        for name, value in one.provenance.items():
            values.setdefault(name, {})[one_line(value, 120)] = None
    return [
        (one_line(name, 60), ", ".join(list(each)[:MOST_VALUES])
         + (f" and {len(each) - MOST_VALUES} more" if len(each) > MOST_VALUES else ""))
        for name, each in values.items()
    ]  # fmt: skip


def _examples(study: Study, read: Callable[[Path], DiscussionRecord]) -> list[Example]:
    """The first discussion of each condition, so that nobody chooses the examples."""
    examples = []
    for condition in study.conditions[:MOST_EXAMPLES]:
        first = min(condition.observations, key=lambda one: one.repeat)
        record = read(Path(first.source))
        lines = tuple(
            Line(
                one_line(entry.name, 80),
                entry.role,
                _shortened(entry.text),
                entry.is_silence,
            )
            for entry in record.entries[:MOST_MESSAGES]
        )
        examples.append(
            Example(
                one_line(condition.name, 200),
                one_line(record.heading, 200),
                one_line(Path(first.source).name, 200),
                lines,
                max(0, len(record.entries) - MOST_MESSAGES),
            )
        )
    return examples


def _shortened(text: str) -> str:
    return safe(text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…")
