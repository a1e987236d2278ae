"""Named sets of personas: saving one, and choosing one to open."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from ...workspace.personas import PersonaSet
from ..widgets.saved_files import OpenDialog, SaveAsDialog, SavedItem
from .fields import count_of_personas


class SaveSetDialog(SaveAsDialog):
    """Asks for the name of a set and which ``groups`` of personas are in it."""

    HELP = """Save a set
    Personas under a name, to be opened again with any discussion."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,up", "app.focus_next", "next row", key_display="↑↓", priority=True),
    ]

    def __init__(self, groups: Sequence[str], file_of: Callable[[str], Path]) -> None:
        super().__init__("Save as a set", "set", file_of, groups=groups)


class OpenSetDialog(OpenDialog[Path]):
    """Lists ``sets``; the result is the file of the chosen one, or the path that was typed."""

    HELP = """Open a set
    Your sets and the shipped ones. Type a part of a name, or the path of any persona file; then
    choose whether they are added to the list or replace it."""
    TITLE_LINE = "Open a set of personas"
    PLACEHOLDER = "type a name, or the path of a file"

    def __init__(self, sets: Sequence[PersonaSet]) -> None:
        super().__init__([_item(each) for each in sets])

    def value_of_path(self, typed: str) -> Path | None:
        if "/" in typed or typed.startswith("~") or typed.endswith((".json", ".csv")):
            return Path(os.path.expanduser(typed))
        return None


def _item(each: PersonaSet) -> SavedItem[Path]:
    origin = "" if each.is_own else "shipped"
    count = "cannot be read" if each.count is None else count_of_personas(each.count)
    style = "$quiet" if each.count is not None else "$error"
    return SavedItem(each.name, Content.styled(f"{count:<16}{origin}", style), each.path)
