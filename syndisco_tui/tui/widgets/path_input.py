"""An input for the path of a file: tab completes it, and pasted JSON is recognized."""

from __future__ import annotations

import os
from itertools import takewhile
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from textual.binding import Binding, BindingType
from textual.message import Message

from .safe_input import SafeInput

MAX_NAMES = 200
"""Names in a folder that are offered."""


class PathInput(SafeInput):
    """An input for the path of a file or folder, typed, pasted or dropped."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", show=False, priority=True)
    ]

    class Completed(Message):
        """Tab was pressed; ``names`` are the possible continuations of the path, perhaps none."""

        def __init__(self, names: list[str]) -> None:
            super().__init__()
            self.names = names

    class JsonPasted(Message):
        """JSON was pasted instead of a path; it is not in the input."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def paste(self, text: str) -> None:
        if text.lstrip().startswith(("{", "[")):
            self.post_message(self.JsonPasted(text))
        else:
            super().paste(as_path(text))

    def action_complete(self) -> None:
        completed, names = completions(self.value)
        if completed != self.value:
            self.value = completed
            self.cursor_position = len(completed)
        self.post_message(self.Completed(names))


def as_path(text: str) -> str:
    """The path in a pasted text: without quotation marks, escapes or ``file://`` around it."""
    path = text.strip()
    if len(path) > 1 and path[0] == path[-1] and path[0] in "'\"":
        return path[1:-1]
    if path.startswith("file://"):
        return unquote(path.removeprefix("file://").removeprefix("localhost"))
    return path.replace("\\ ", " ")


def completions(text: str) -> tuple[str, list[str]]:
    """``text`` completed as far as all names agree, and the matching names, folders with a slash.

    Hidden names are included once a dot is typed.
    """
    head, _, start = text.rpartition("/")
    folder = Path(os.path.expanduser(f"{head}/" if "/" in text else "."))
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name.casefold())
    except OSError:
        return text, []
    names = [
        f"{entry.name}/" if entry.is_dir() else entry.name
        for entry in entries
        if entry.name.startswith(start) and (start.startswith(".") or entry.name[0] != ".")
    ]
    if not names:
        return text, []
    first, last = min(names), max(names)
    agree = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    common = "".join(character for character, _ in agree)
    return text[: len(text) - len(start)] + common, names[:MAX_NAMES]
