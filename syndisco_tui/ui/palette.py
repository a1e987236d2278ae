"""What the palette offers: in the laboratory every action, elsewhere what the screen's keys do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.app import App, SystemCommand
from textual.dom import DOMNode
from textual.screen import Screen

from ..text import safe
from .actions import ACTIONS, Action
from .pane_titles import PANES
from .screens.laboratory import Laboratory


def commands(app: App[int], screen: Screen[object]) -> Iterator[SystemCommand]:
    """The commands of ``screen``, which is the one in front."""
    if isinstance(screen, Laboratory):
        for action in ACTIONS:
            if action.name != "command_palette":
                title = action.label.capitalize()
                if action.where in PANES:
                    title = f"{action.where.capitalize()}: {action.label}"
                yield SystemCommand(title, action.help, partial(_do, action, screen))
        return
    told = {action.id: action.help for action in ACTIONS}
    for active in screen.active_bindings.values():
        node, binding = active.node, active.binding
        if active.enabled and binding.show and binding.action != "command_palette":
            command = partial(app.call_later, app.run_action, binding.action, node)
            help = told.get(binding.id or "", "")
            yield SystemCommand(binding.description.capitalize(), help, command)


def _do(action: Action, laboratory: Laboratory) -> None:
    """Do ``action`` in whatever place it belongs to."""
    app = laboratory.app
    if action.where in PANES:
        laboratory.panes.go_to(action.where)
    if laboratory.check_action(action.name, ()) is not True:
        told = safe(f"“{action.label}” does not apply now.")
        laboratory.notify(told, timeout=3, markup=False)
        return
    target: DOMNode = app if action.where == "app" else laboratory
    if action.where in PANES:
        target = laboratory.panes.widget_of(action.where)
    laboratory.call_later(app.run_action, action.name, target)
