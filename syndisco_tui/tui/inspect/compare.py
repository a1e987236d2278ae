"""Two discussions side by side: choose the other one, then read both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...analysis.compare import relation_to
from ...discussion import DiscussionRecord
from ...text import one_line, safe
from ...workspace.discussions import other_discussions, read_discussion
from ...workspace.inputs import InputError
from ..shell.local_time import date_and_time
from ..shell.screen import AppDialog, AppScreen
from ..widgets.key_line import KeyLine
from ..widgets.page import Page
from .comparison_lines import GAP, SIDES
from .comparison_view import MIN_WIDTH_SIDE_BY_SIDE, ComparisonView

CHECKS_PER_SECOND = 4


class CompareWith(AppDialog[DiscussionRecord | None]):
    """Asks for the discussion to compare ``record`` with: related ones first, then the newest."""

    HELP = """Compare with
    The saved discussions: forks and those of the same batch first, then the newest.
    """
    CSS_PATH = "inspect.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "cancel")]

    def __init__(
        self, record: DiscussionRecord, folder: Path, *, first: Sequence[DiscussionRecord] = ()
    ) -> None:
        """``first`` are offered before those that are saved in ``folder``."""
        super().__init__()
        self._record = record
        self._folder = folder
        self._first = first
        self._offered: list[Path | DiscussionRecord] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Compare with", classes="dialog-title", markup=False)
            yield Static("Reading the saved discussions …", id="compare-note", markup=False)
            yield OptionList(id="compare-list")
            yield Static("⏎ compare      esc cancel", classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._read()

    @work(thread=True, exit_on_error=False)
    def _read(self) -> None:
        first_ids = {other.id for other in self._first}
        related: list[tuple[Path | DiscussionRecord, Content]] = [
            (other, _choice(other, relation_to(self._record, other))) for other in self._first
        ]
        unrelated: list[tuple[Path | DiscussionRecord, Content]] = []
        # one at a time, for they may be long
        for path, other in other_discussions(self._folder, self._record):
            if other.id not in first_ids:
                relation = relation_to(self._record, other)
                (related if relation else unrelated).append((path, _choice(other, relation)))
        self.app.call_from_thread(self._show, [*related, *unrelated])

    def _show(self, offered: list[tuple[Path | DiscussionRecord, Content]]) -> None:
        if not self.is_attached:
            return
        self._offered = [other for other, _ in offered]
        note = self.query_one("#compare-note", Static)
        note.display = not offered
        note.update("There is no other saved discussion yet.")
        choices = self.query_one(OptionList)
        choices.add_options([Option(choice) for _, choice in offered])
        choices.highlighted = 0 if offered else None

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        other = self._offered[event.option_index]
        try:
            self.dismiss(read_discussion(other) if isinstance(other, Path) else other)
        except InputError as error:
            self.notify(safe(f"{error}."), severity="error", markup=False, timeout=8)


def _choice(record: DiscussionRecord, relation: str) -> Content:
    turns = f"turn {record.turns_taken} of {record.setup.conv_len}"
    model = one_line(record.setup.model.rsplit("/", 1)[-1], 24)
    return Content.assemble(
        one_line(_title(record), 46),
        "\n",
        (f"{relation}   " if relation else "", "$accent"),
        (f"{_when(record)}   {turns}   {model}", "$quiet"),
    )


def _title(record: DiscussionRecord) -> str:
    return one_line(record.heading, 120)


def _shortened(title: Content, room: int) -> Content:
    """A title in ``room`` cells; what it ends with in brackets, such as “(fork)”, stays."""
    bracket = title.plain.rfind(" (")
    cut = bracket if bracket > 0 and len(title) - bracket < room // 2 else len(title)
    return title[:cut].truncate(room - title[cut:].cell_length, ellipsis=True) + title[cut:]


def _when(record: DiscussionRecord) -> str:
    return date_and_time(record.started_at)[:16]


class Compare(AppScreen[None]):
    """Shows two discussions turn by turn, on top how their setups differ.

    ``latest_a`` is called now and then, for A may be running.
    """

    HELP = """Compare
    Two discussions, turn by turn. On top: how their setups differ, and what was changed in each
    during the discussion, with the old and the new value and the first turn it applies to. The
    common beginning is dimmed; a line marks the first difference. A is followed while it runs.
    """
    CSS_PATH = "inspect.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "first_difference", "first difference"),
        Binding("escape,q,c,enter", "dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(
        self, latest_a: Callable[[], DiscussionRecord], b: DiscussionRecord, colours: dict[str, str]
    ) -> None:
        super().__init__()
        self._latest_a = latest_a
        self._both = (latest_a(), b)
        self._colours = colours

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("Compare", "bold $accent"), classes="instrument-title")
        yield Page(id="compare-titles")
        yield ComparisonView(self._colours)
        yield KeyLine(classes="instrument-keys")

    def on_mount(self) -> None:
        self._show()
        self.query_one(ComparisonView).focus()
        self.set_interval(1 / CHECKS_PER_SECOND, self._check)

    def _check(self) -> None:
        """Show the newer state of A, if there is one."""
        a, b = self._both
        if (latest := self._latest_a()) is not a:
            self._both = (latest, b)
            self._show()

    def _show(self) -> None:
        self.query_one(Page).show(self._titles)
        self.query_one(ComparisonView).show(*self._both)

    def _titles(self, width: int) -> list[Content]:
        stacked = width < MIN_WIDTH_SIDE_BY_SIDE
        column = width if stacked else (width - GAP) // 2
        titles, notes = [], []
        for side, record in zip(SIDES, self._both, strict=True):
            turns = record.turns_taken
            note = f"{turns} {'turn' if turns == 1 else 'turns'}"
            note += f", seed {record.setup.seed}" if record.batch else ""
            note = note if stacked else f"{_when(record)}, {note}"
            room = max(8, column - 3 - (cell_len(note) + 2 if stacked else 0))
            title = _shortened(Content(safe(_title(record))), room)
            line = Content.assemble((f"{side}  ", "bold $accent"), title)
            if stacked:
                line = Content.assemble(line, (f"  {note}", "$quiet"))
            titles.append(line.truncate(column, ellipsis=True, pad=True))
            notes.append(Content.styled(f"   {note}", "$quiet").truncate(column, pad=True))
        return titles if stacked else [Content(" " * GAP).join(row) for row in (titles, notes)]

    def action_first_difference(self) -> None:
        self.query_one(ComparisonView).scroll_to_first_difference()
