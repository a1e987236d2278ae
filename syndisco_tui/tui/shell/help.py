"""What has the focus, explained: what it is, what one does there, its keys, then all others.

Any widget or screen explains itself by Textual's ``HELP``: a title on the first line, then text.
Keys come from the registry and, for places that are not in it, from their bindings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import cleandoc
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.geometry import Size
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from ...text import safe
from .actions import ACTIONS, Action, Where
from .keymap import Keymap, shown_key
from .screen import AppDialog
from .textual_internals import bindings_of

_TITLES: dict[Where, str] = {"everywhere": "In every pane", "app": "On every screen"}
_PACKAGE = __name__.partition(".")[0]

Line = tuple[str, str]
"""A key as it is written for people, and what it does."""


class KeyTable(Widget):
    """Keys on the left, what they do on the right, wrapped there.

    One widget for all its lines: three for each made the help slow to open.
    """

    KEY_WIDTH, GAP = 9, 3

    def __init__(self, lines: Iterable[Line]) -> None:
        super().__init__()
        self._keys = [(safe(key), Content(safe(does))) for key, does in lines]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        indent = self.KEY_WIDTH + self.GAP
        lines = []
        for key, does in self._keys:
            first, *others = does.wrap(max(1, width - indent)) or [Content()]
            left = Content.styled(key.rjust(self.KEY_WIDTH), "bold $accent")
            lines.append(Content.assemble(left, " " * self.GAP, first))
            lines += [Content.assemble(" " * indent, line) for line in others]
        return lines


class HelpScreen(AppDialog[None]):
    """Explains what has the focus on the screen ``subject``; any of esc, ? and q leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss(None)", "back", show=False)
    ]

    def __init__(self, subject: Screen[object], keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap
        self._focused = subject.focused
        self._chain = list((subject.focused or subject).ancestors_with_self)
        self._bound = {
            node: [
                active.binding
                for active in subject.active_bindings.values()
                if active.node is node and active.binding.description
            ]
            for node in self._chain
        }
        self._near = _places(self._chain)
        """The registry's places that the focus is in, the nearest first."""

    def compose(self) -> ComposeResult:
        title, text = _explanation(self._chain)
        with VerticalScroll(id="help", classes="dialog"):
            yield Static(Content(safe(title)), classes="dialog-title")
            if text:
                yield Static(Content(safe(text)), classes="help-text")
            for heading, lines in self._groups():
                if heading:
                    yield Static(safe(heading), classes="help-group", markup=False)
                yield KeyTable(lines)
            yield Static("esc goes back", classes="dialog-hint", markup=False)

    def _groups(self) -> Iterator[tuple[str, list[Line]]]:
        """The keys, each group under its heading; those of the focus first, under none."""
        here = [line for node in self._chain for line in self._unlisted(node)]
        for where in self._near:
            if where not in _TITLES:
                here += self._listed(where)
        if here:
            yield "", list(dict.fromkeys(here))
        for where in ("everywhere", "app"):
            if where == "app" or "everywhere" in self._near:
                yield _TITLES[where], self._listed(where)
        if self._keymap.stand_ins:
            yield "Keys that stand for others", list(self._stand_ins())
        if "everywhere" in self._near:
            for where in dict.fromkeys(action.where for action in ACTIONS):
                if where not in _TITLES and where not in self._near:
                    yield f"In the {where}", self._listed(where)

    def _listed(self, where: Where) -> list[Line]:
        """The keys of a place as the registry has them."""
        return [
            (key, action.help)
            for action in ACTIONS
            if action.where == where and (key := self._shown(action))
        ]

    def _shown(self, action: Action) -> str | None:
        """The action's key; where text is being typed, one that is no part of the text."""
        for key in self._keymap.keys(action):
            character = key_to_character(key)
            if self._focused is None or not self._focused.check_consume_key(key, character):
                first = key == self._keymap.keys(action)[0]
                return self._keymap.shown(action) if first else shown_key(key)
        return None

    def _unlisted(self, node: DOMNode) -> list[Line]:
        """The keys of a node that the registry does not have."""
        ours = _our_keys(node)
        lines: dict[str, Line] = {}
        for binding in self._bound[node]:
            is_ours = (binding.key, binding.action) in ours
            if not binding.id and is_ours and binding.action not in lines:
                key = binding.key_display or shown_key(binding.key)
                label = binding.description
                lines[binding.action] = (key, label[:1].upper() + label[1:])
        return list(lines.values())

    def _stand_ins(self) -> Iterator[Line]:
        for key, stood_for in self._keymap.stand_ins.items():
            yield shown_key(key), shown_key(stood_for)


def _explanation(chain: list[DOMNode]) -> tuple[str, str]:
    """The title and the text of the nearest node that explains itself."""
    for node in chain:
        if node.HELP:
            title, _, text = cleandoc(node.HELP).partition("\n")
            return title, " ".join(text.split())
    return "Keys", ""


def _places(chain: list[DOMNode]) -> list[Where]:
    by_id: dict[str, Action] = {action.id: action for action in ACTIONS}
    found: list[Where] = []
    for node in chain:
        for binding in bindings_of(node):
            action = by_id.get(binding.id or "")
            if action and action.where not in found:
                found.append(action.where)
    return found


def _our_keys(node: DOMNode) -> set[tuple[str, str]]:
    """The node's keys and what they do, without those that Textual gives to every such widget."""
    return {
        (binding.key, binding.action)
        for kind in type(node).__mro__
        if kind.__module__.startswith(_PACKAGE)
        for binding in Binding.make_bindings(kind.__dict__.get("BINDINGS", ()))
    }
