"""Dialogs about setups: a name to save one, a saved one to open, a new discussion's title."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.content import Content

from ...discussion import DiscussionSetup
from ...text import one_line
from ...workspace.setups import SavedSetup
from ..widgets.line_dialog import LineDialog
from ..widgets.saved_files import OpenDialog, SaveAsDialog, SavedItem

HEADING_LENGTH = 200
"""Characters of a setup's heading, which a narrower window cuts."""


class SaveSetupDialog(SaveAsDialog):
    """Asks for the name of a setup, ``suggested`` at first."""

    HELP = """Save the setup
    Under a name, to be opened again here or run with `syndisco-tui run FILE`."""

    def __init__(self, suggested: str, file_of: Callable[[str], Path]) -> None:
        super().__init__("Save the setup as", "setup", file_of, suggested=suggested)


class OpenSetupDialog(OpenDialog[DiscussionSetup]):
    """Lists ``setups``; the result is the chosen one's setup."""

    HELP = """Open a setup
    The setups that you saved. Type to find one."""
    TITLE_LINE = "Open a setup"
    PLACEHOLDER = "type to find one"

    def __init__(self, setups: Sequence[SavedSetup], save_key: str) -> None:
        hint = f"No setup is saved yet; {save_key} saves one."
        super().__init__([_item(each) for each in setups], hint=hint)


def _item(saved: SavedSetup) -> SavedItem[DiscussionSetup]:
    setup = saved.setup
    if setup is None:
        return SavedItem(saved.name, Content.styled("cannot be read", "$error"), None, saved.error)
    turns = f"{setup.conv_len} turn{'' if setup.conv_len == 1 else 's'}"
    date = f"{saved.saved_at.astimezone():%Y-%m-%d}" if saved.is_own else "shipped"
    about = f"{date:<13}{one_line(setup.heading, HEADING_LENGTH)} · {turns}"
    searched = "\n".join((setup.title, setup.context, *setup.names))
    return SavedItem(saved.name, Content.styled(about, "$quiet"), setup, searched=searched)


class TitleDialog(LineDialog[str]):
    """Asks for a discussion's title, which may be empty; ``title`` is suggested.

    ``heading`` is what the discussion is called without one.
    """

    HELP = """A title
    What the new discussion is called in the library. The title is a field of the setup, too."""

    def __init__(self, heading: str, title: str = "") -> None:
        title = re.sub(r" \(fork( \d+)?\)$", "", title)
        super().__init__(
            "Title of the new discussion",
            "",
            "new discussion",
            str,
            text=title,
            placeholder=heading,
        )
