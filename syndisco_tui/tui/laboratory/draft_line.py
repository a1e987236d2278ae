"""One line that says that the setup on the screen is not the open discussion's."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from ..shell.keymap import key_of


class DraftLine(Static):
    """Says what can be done with a draft; without one it takes no room."""

    DEFAULT_CSS = """
    DraftLine {
        display: none; height: 1; padding: 0 2; color: $quiet;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def show(self, from_turn: int | None, *, has_turns: bool = True) -> None:
        """Show that a draft would apply ``from_turn`` on; None: there is no draft.

        ``has_turns``: the discussion has turns left with it.
        """
        self.display = from_turn is not None
        if from_turn is None:
            return
        app = self.app
        new, run = key_of(app, "everywhere.new_discussion"), key_of(app, "everywhere.run")
        discard = key_of(app, "everywhere.discard_draft")
        this_one = f"this one from turn {from_turn}" if has_turns else "this one, with more turns"
        self.update(
            Content.assemble(
                Content.styled("draft", "bold $accent"),
                f"   {new} new discussion   {run} {this_one}   {discard} discard",
            )
        )
