"""The dialog that chooses an experiment: a new one, a known one, or a typed path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from ...text import counted, one_line
from ...workspace.folders import abbreviate_home
from ...workspace.known_experiments import KnownExperiment, is_experiment, path_completions
from ..widgets.saved_files import OpenDialog, SavedItem

Chosen: TypeAlias = Path | Literal["new"]
NONE_KNOWN = "No match. Type the path of a design (TOML): ./ or ~/ lists files."


class OpenExperimentDialog(OpenDialog[Chosen]):
    """Lists ``experiments``; the result is a folder or a design's file, or “new”.

    Text with a slash is a path, whose completions are listed.
    """

    HELP = """Open an experiment
    The experiments of the app and those opened before, and a new one made from the setup on the
    screen. Type to find one; or type the path of a
    design (a TOML file) to start it, or of an experiment's folder to look at it and continue it.
    Tab completes a path."""
    TITLE_LINE = "Open an experiment"
    PLACEHOLDER = "type to find one, or the path of a design (TOML) or of an experiment's folder"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete path", key_display="tab", priority=True),
    ]

    def __init__(self, experiments: Sequence[KnownExperiment]) -> None:
        self._known = [*map(_item, experiments), _NEW]
        super().__init__(self._known, hint=NONE_KNOWN)

    @staticmethod
    def _is_path(typed: str) -> bool:
        return os.sep in typed or typed.startswith("~")

    @on(Input.Changed)
    def _list_completions(self) -> None:
        self._items, self._hint = self._known, NONE_KNOWN
        if self._is_path(self._typed):
            self._hint = "No folder and no TOML file begins like this."
            completions = path_completions(self._typed)
            self._items = [_path_item(each, self._typed) for each in completions]
        self._filter()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "complete":
            return self.is_mounted and self._is_path(self._typed)
        return super().check_action(action, parameters)

    def value_of_path(self, typed: str) -> Path | None:
        path = Path(typed).expanduser()
        is_usable = self._is_path(typed) and (is_experiment(path) or path.is_file())
        return path if is_usable else None

    def action_complete(self) -> None:
        """Complete to the common beginning of all listed paths, or to the highlighted one."""
        names = [item.name for item in self._matching]
        common = os.path.commonprefix(names)  # noqa: RUF071 - of the characters, not the folders
        if len(common) <= len(self._typed) and self._highlighted is not None:
            common = names[self._highlighted]
        if common:
            self._type(common)

    def _type(self, text: str) -> None:
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)

    def action_open(self) -> None:
        row = self._highlighted
        item = self._matching[row] if row is not None and self._matching else None
        match item.value if item and self._is_path(self._typed) else None:
            case Path() as path if item and path.is_dir() and not is_experiment(path):
                self._type(item.name)  # what is in it
            case _:
                super().action_open()


_NEW: SavedItem[Chosen] = SavedItem(
    "New experiment", Content.styled("from the setup on the screen", "$quiet"), "new"
)


def _item(known: KnownExperiment) -> SavedItem[Chosen]:
    name = known.folder.name
    design = known.design
    if design is None:
        about = Content.styled("cannot be read", "$error")
        return SavedItem(name, about, None, known.error)
    planned = len(design.cells) * design.repeats
    date = f"{known.changed_at.astimezone():%Y-%m-%d}"
    title = one_line(design.title or " × ".join(design.factors), 60)
    progress = f"{known.begun} of {counted(planned, 'discussion')} begun"
    about = Content.styled(f"{date}   {progress}   {title}", "$quiet")
    searched = "\n".join((str(known.folder), design.title, *design.factors))
    return SavedItem(name, about, known.folder, searched=searched)


def _path_item(path: Path, typed: str) -> SavedItem[Chosen]:
    shown = str(path)
    if typed.startswith("~"):
        shown = abbreviate_home(path)
    elif not Path(typed).is_absolute():
        shown = os.path.join(os.path.dirname(typed), path.name)
    is_folder = path.is_dir()
    kind = "experiment" if is_experiment(path) else "folder" if is_folder else "design"
    name = f"{shown}{os.sep}" if is_folder else shown
    return SavedItem(name, Content.styled(kind, "$quiet"), path, searched=typed, is_path=True)
