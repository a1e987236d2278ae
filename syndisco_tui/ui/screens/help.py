"""All keys on one page, drawn from the list of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ..actions import ACTIONS, Where, key_name

_TITLES: dict[Where, str] = {
    "everywhere": "Everywhere",
    "personas": "In the personas",
    "setup": "In the setup",
    "transcript": "In the transcript",
}


class HelpScreen(ModalScreen[None]):
    """Shows every key; any of esc, ? and q leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss(None)", "back", show=False)
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help", classes="dialog"):
            yield Static("Keys", classes="dialog-title", markup=False)
            for where, title in _TITLES.items():
                yield Static(title, classes="help-group", markup=False)
                for action in ACTIONS:
                    if action.where == where:
                        yield Static(
                            Content.assemble(
                                Content.styled(f"{key_name(action):>7}", "bold $accent"),
                                f"   {action.help}",
                            )
                        )
            yield Static("Signs", classes="help-group", markup=False)
            yield Static(
                "      ●   takes part      ◆   moderates      ·   is not in the discussion"
            )
            yield Static("esc goes back", classes="dialog-hint", markup=False)
