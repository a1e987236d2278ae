"""Lists draw and edit rows through hooks: every list of the app has all of them."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from syndisco_tui import tui
from syndisco_tui.tui.widgets.editable_rows import EditableRows
from syndisco_tui.tui.widgets.row_list import RowList

LIST_HOOKS = ("row_count", "draw_row")
EDITOR_HOOKS = ("row_label", "row_text", "error_of", "save_text")


def _lists() -> list[type[RowList]]:
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        importlib.import_module(module.name)
    waiting, lists = [RowList], list[type[RowList]]()
    while waiting:
        below = waiting.pop().__subclasses__()
        waiting += below
        lists += [each for each in below if each is not EditableRows]
    return [each for each in lists if each.__module__.startswith(tui.__name__)]


@pytest.mark.parametrize("kind", _lists(), ids=lambda kind: kind.__name__)
def test_every_list_says_what_its_rows_are(kind: type[RowList]) -> None:
    hooks = LIST_HOOKS + (EDITOR_HOOKS if issubclass(kind, EditableRows) else ())
    base = EditableRows if issubclass(kind, EditableRows) else RowList
    assert [hook for hook in hooks if getattr(kind, hook) is getattr(base, hook)] == []


def test_there_are_lists_with_and_without_an_editor() -> None:
    assert len({issubclass(kind, EditableRows) for kind in _lists()}) == 2
    assert len(_lists()) >= 4
