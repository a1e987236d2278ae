"""What has been asked for and has not happened yet: a draft of the setup, messages to post."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from ...discussion import DiscussionSetup
from ...session import Inject, Intervention, SetupStaged
from ...text import one_line
from ..shell.keymap import key_of

LONGEST_MESSAGE = 600
"""Characters shown of a message; the rest is seen once it is posted."""


def staged_notes(staged: SetupStaged, setup: DiscussionSetup) -> dict[str, str]:
    """By pane, from which turn on what ``staged`` changes in ``setup`` applies."""
    new, note = staged.setup, f"from turn {staged.from_turn}"
    if new is None:
        return {}
    notes: dict[str, str] = {}
    participants = {"personas", "moderator", "models"}
    if new.model_dump(include=participants) != setup.model_dump(include=participants):
        notes["personas"] = note
    if new.model_dump(exclude=participants) != setup.model_dump(exclude=participants):
        notes["setup"] = note
    return notes


class DraftLine(Static):
    """What can be done with a draft of the open discussion's setup; takes no room without one."""

    DEFAULT_CSS = """
    DraftLine {
        display: none; height: 1; padding: 0 2; color: $quiet;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def show(self, from_turn: int | None, *, has_turns: bool = True) -> None:
        """Show the draft that would apply from turn ``from_turn`` on; None: there is none.

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


class QueuedMessages(Static):
    """Messages that are posted after the current reply, dimmed; takes no room without one."""

    DEFAULT_CSS = """
    QueuedMessages { display: none; height: auto; max-height: 7; color: $quiet; }
    """

    def show(self, queued: Sequence[Intervention]) -> None:
        """Show the messages among ``queued``."""
        messages = [each for each in queued if isinstance(each, Inject)]
        self.display = bool(messages)
        blocks = [
            Content.assemble(
                Content.styled(f"▎ {one_line(message.name, 40)}", "bold"),
                "  waits for this reply\n",
                Content(f"▎ {one_line(' '.join(message.text.split()), LONGEST_MESSAGE)}"),
            )
            for message in messages
        ]
        self.update(Content("\n").join(blocks))
