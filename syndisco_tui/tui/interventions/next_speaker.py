"""Who speaks next: everybody's odds, whom the turn manager draws, and whom a person chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...discussion import DiscussionSetup
from ...discussion.turns import make_turn_manager
from ...text import one_line, safe
from ..laboratory.status_line import bar
from ..shell.screen import AppDialog
from ..widgets.key_line import KeyLine

NAME_WIDTH, BAR_WIDTH = 16, 14


@dataclass(frozen=True)
class NextTurn:
    """The next turn of a user: a person chose ``override``, ``answering`` moderates first."""

    turn: int
    turns: int
    turn_manager: str
    odds: dict[str, float]
    drawn: str
    override: str | None = None
    answering: str = ""


def next_turn(
    setup: DiscussionSetup, speakers: list[str], override: str | None, answering: str = ""
) -> NextTurn:
    """The turn after those of ``speakers``. ``override`` counts while that person takes part."""
    manager = make_turn_manager(
        setup.turn_manager, setup.turn_takers, p_respond=setup.p_respond, seed=setup.seed
    )
    return NextTurn(
        turn=len(speakers) + 1,
        turns=setup.conv_len,
        turn_manager=setup.turn_manager,
        odds=manager.odds(speakers),
        drawn=manager.choose(speakers),
        override=override if override in setup.turn_takers else None,
        answering=answering,
    )


class NextSpeakerScreen(AppDialog[None]):
    """Stays open and up to date until it is left; ``give_floor`` is told of a name, or of None."""

    HELP = """Who speaks next
    Everybody's odds at the next turn, and whom the turn manager draws. Enter lets the highlighted
    one speak at that turn instead; enter on the same one undoes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "give", "let this one speak next", key_display="⏎", priority=True),
        Binding("escape,w,q", "dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(
        self,
        turn: NextTurn,
        colours: dict[str, str],
        choose: Callable[[str | None], object],
    ) -> None:
        super().__init__()
        self._turn = turn
        self._colours = colours
        self._choose = choose

    def compose(self) -> ComposeResult:
        with Vertical(id="next-speaker", classes="dialog"):
            yield Static("", classes="dialog-title")
            yield OptionList(compact=True, id="odds")
            yield Static("", id="next-note")
            yield KeyLine()

    def on_mount(self) -> None:
        self.show(self._turn)
        odds = self.query_one("#odds", OptionList)
        odds.highlighted = list(self._turn.odds).index(self._turn.override or self._turn.drawn)
        odds.focus()

    def show(self, turn: NextTurn) -> None:
        """Show another turn, or other odds."""
        self._turn = turn
        odds = self.query_one("#odds", OptionList)
        highlighted = odds.highlighted
        odds.clear_options()
        odds.add_options(Option(self._row(name)) for name in turn.odds)
        if highlighted is not None and turn.odds:
            odds.highlighted = min(highlighted, len(turn.odds) - 1)
        over = turn.turn > turn.turns
        title = "Who would speak next" if over else f"Who speaks at turn {turn.turn}"
        self.query_one(".dialog-title", Static).update(Content(safe(title)))
        note = f"Order: {turn.turn_manager}"
        if over:
            taken = "The only turn is" if turn.turns == 1 else f"All {turn.turns} turns are"
            note = f"{taken} taken. {note}"
        elif turn.answering:
            note = f"{one_line(turn.answering, 30)} answers first. {note}"
        self.query_one("#next-note", Static).update(Content.styled(note, "$quiet"))

    def _row(self, name: str) -> Content:
        turn = self._turn
        chance = turn.odds[name]
        shown = set_cell_size(one_line(name, NAME_WIDTH), NAME_WIDTH)
        speaks = name == (turn.override or turn.drawn)
        word = ""
        if name == turn.override:
            word = "chosen by you"
        elif name == turn.drawn:
            word = "otherwise next" if turn.override else "next"
        colour = self._colours.get(name, "")
        return Content.assemble(
            Content.styled("● " if speaks else "  ", "$accent"),
            Content.styled(shown, f"bold {colour}".strip()),
            "  ",
            bar(chance, 1, BAR_WIDTH),
            f"{100 * chance:4.0f}%",
            Content.styled(f"  {word}", "" if speaks else "$quiet"),
        )

    def action_give(self) -> None:
        """Let the highlighted one speak next, or undo that."""
        highlighted = self.query_one("#odds", OptionList).highlighted
        if highlighted is not None:
            name = list(self._turn.odds)[highlighted]
            self._choose(None if name == self._turn.override else name)

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_give()
