"""The tables of keys in ``docs/keys.md``: ``python -m tests.support.keys_page`` writes them.

They are made from the registry of actions and from the bindings of every screen and widget that
explains itself (``HELP``).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator, Sequence

from textual.binding import Binding
from textual.dom import DOMNode

from syndisco_tui import tui
from syndisco_tui.tui.shell.actions import ACTIONS
from syndisco_tui.tui.shell.keymap import Keymap, shown_key
from tests.support.project import ROOT

PAGE = ROOT / "docs" / "keys.md"
HEADINGS = {
    "everywhere": "In every pane",
    "personas": "In the personas",
    "setup": "In the setup",
    "transcript": "In the transcript",
    "app": "On every screen",
}
SHOWN = {"escape": "esc", "delete": "del", "end": "End", "home": "Home", "f1": "F1"}
SHOWN |= {"shift+tab": "shift+tab"}


def written_key(key: str) -> str:
    """A key as the page has it: ``esc``, ``⏎``, ``ctrl+n``."""
    return SHOWN.get(key) or shown_key(key)


def action_tables() -> str:
    """The actions of the registry, a table for each place where they apply."""
    parts = []
    for where, heading in HEADINGS.items():
        rows = [
            (_keys(Keymap().keys(action)), action.help, f"`{action.id}`")
            for action in ACTIONS
            if action.where == where
        ]
        parts.append(f"### {heading}\n\n{_table(('key', 'does', 'name'), rows)}")
    return "\n\n".join(parts)


def screen_tables() -> str:
    """The keys of everything else that explains itself, a row for each."""
    rows = [
        (inspect.cleandoc(kind.HELP or "").partition("\n")[0], " · ".join(keys))
        for kind in _explained()
        if (keys := list(_other_keys(kind)))
    ]
    return _table(("screen", "keys"), sorted(rows))


def with_tables(page: str) -> str:
    """``page`` with the tables as they have to be."""
    for name, tables in (("actions", action_tables()), ("screens", screen_tables())):
        block = re.compile(rf"(<!-- {name}: .*? -->\n).*?(?=<!-- end -->)", re.DOTALL)
        page = block.sub(lambda found, text=tables: f"{found[1]}\n{text}\n\n", page, count=1)
    return page


def _explained() -> Iterator[type[DOMNode]]:
    """Every widget and screen of the app that explains itself."""
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if (
                kind.__module__ == module.name
                and issubclass(kind, DOMNode)
                and "HELP" in kind.__dict__
            ):
                yield kind


def _other_keys(kind: type[DOMNode]) -> Iterator[str]:
    """Those keys of a widget or screen that the registry does not have, and what they do."""
    bindings = {
        binding.key: binding
        for base in reversed(kind.__mro__)
        if base.__module__.startswith(tui.__name__)
        for binding in Binding.make_bindings(base.__dict__.get("BINDINGS", ()))
    }
    keys: dict[str, list[str]] = {}
    labels: dict[str, str] = {}
    for binding in bindings.values():
        if binding.description and not binding.id:
            keys.setdefault(binding.action, []).append(binding.key)
            labels.setdefault(binding.action, binding.description)
    for action, label in labels.items():
        yield f"{_keys(keys[action])} {label}"


def _keys(keys: Iterable[str]) -> str:
    return " ".join(f"`{key}`" for key in dict.fromkeys(map(written_key, keys)))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(head)}", *lines[1:]])


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
