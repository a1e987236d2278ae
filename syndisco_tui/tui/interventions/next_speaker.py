"""Who speaks next: everybody's odds, whom the turn manager draws, and whom a person chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

from ...discussion import Discussion, DiscussionRecord, DiscussionSetup
from ...discussion.turns import make_turn_manager
from ...session import Intervention, ReplyStarted, SetNextSpeaker
from ...text import one_line, safe
from ..shell.screen import AppDialog
from ..widgets.charts import bar
from ..widgets.key_line import KeyLine

NAME_WIDTH, BAR_WIDTH = 16, 14


@dataclass(frozen=True)
class NextTurn:
    """The next turn of a user, and who may take it.

    ``drawn`` is whom the turn manager draws, ``override`` whom a person chose instead,
    ``answering`` a moderator who speaks before.
    """

    turn: int
    turns: int
    turn_manager: str
    odds: dict[str, float]
    drawn: str
    override: str | None = None
    answering: str = ""


def next_turn(
    record: DiscussionRecord,
    setup: DiscussionSetup,
    speaking: ReplyStarted | None = None,
    queued: Sequence[Intervention] = (),
) -> NextTurn | None:
    """The first turn of a user that nobody has begun; None where no user takes part.

    Args:
        record: The open discussion.
        setup: What it goes on with.
        speaking: The reply that is being generated.
        queued: What is done to the discussion after that reply.
    """
    if not setup.turn_takers:
        return None
    discussion = Discussion.from_record(record)
    speakers, answering = discussion.speakers(), ""
    if speaking and speaking.turn > len(speakers):
        speakers.append(speaking.name)
    if setup.moderator and not setup.moderator_takes_turns:
        owes_answer = discussion.odds().get(setup.moderator.name) == 1
        if owes_answer or (speaking and speaking.role != "moderator"):
            answering = setup.moderator.name
    override = discussion.speaker_override.name if discussion.speaker_override else None
    if speaking and override == speaking.name and speaking.turn == len(speakers):
        override = None  # that turn is being taken
    for step in queued:
        if isinstance(step, SetNextSpeaker):
            override = step.name
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
    """Stays open and up to date until it is left.

    ``next_turn`` gives the next turn; ``choose`` takes who is to speak then, or None to undo that.
    """

    HELP = """Who speaks next
    Everybody's odds at the next turn, and whom the turn manager draws. Enter lets the highlighted
    one speak at that turn instead; enter on the same one undoes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "give", "let this one speak next", key_display="⏎", priority=True),
        Binding("escape,w,q", "dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(
        self,
        next_turn: Callable[[], NextTurn | None],
        colours: dict[str, str],
        choose: Callable[[str | None], object],
    ) -> None:
        super().__init__()
        self._next_turn = next_turn
        self._turn: NextTurn | None = None
        self._colours = colours
        self._choose = choose

    def compose(self) -> ComposeResult:
        with Vertical(id="next-speaker", classes="dialog"):
            yield Static("", classes="dialog-title")
            yield OptionList(compact=True, id="odds")
            yield Static("", id="next-note")
            yield KeyLine()

    def on_mount(self) -> None:
        self.show()
        self.query_one("#odds", OptionList).focus()

    def show(self) -> None:
        """Show the next turn as it is now."""
        turn = self._next_turn()
        if turn is None or turn == self._turn:
            return
        self._turn = turn
        odds = self.query_one("#odds", OptionList)
        highlighted = odds.highlighted
        if highlighted is None:
            highlighted = list(turn.odds).index(turn.override or turn.drawn)
        odds.clear_options()
        odds.add_options(Option(_row(turn, name, self._colours)) for name in turn.odds)
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

    def action_give(self) -> None:
        """Let the highlighted one speak next, or undo that."""
        highlighted = self.query_one("#odds", OptionList).highlighted
        if self._turn and highlighted is not None:
            name = list(self._turn.odds)[highlighted]
            self._choose(None if name == self._turn.override else name)

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_give()


def _row(turn: NextTurn, name: str, colours: dict[str, str]) -> Content:
    chance = turn.odds[name]
    shown = set_cell_size(one_line(name, NAME_WIDTH), NAME_WIDTH)
    speaks = name == (turn.override or turn.drawn)
    word = ""
    if name == turn.override:
        word = "chosen by you"
    elif name == turn.drawn:
        word = "otherwise next" if turn.override else "next"
    colour = colours.get(name, "")
    return Content.assemble(
        Content.styled("● " if speaks else "  ", "$accent"),
        Content.styled(shown, f"bold {colour}".strip()),
        "  ",
        bar(chance, 1, BAR_WIDTH),
        f"{100 * chance:4.0f}%",
        Content.styled(f"  {word}", "" if speaks else "$quiet"),
    )
