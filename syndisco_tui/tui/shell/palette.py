"""What the palette offers: every action that applies, once, with its key, found by any word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.app import App
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.types import IgnoreReturnCallbackType

from ...text import safe
from ..laboratory.screen import Laboratory
from .actions import ACTIONS, PANES, Action
from .keymap import key_of

KEY_WIDTH = 10
"""Cells of the keys' column."""

LOW_SCORE = 0.1


@dataclass(frozen=True)
class Command:
    """One line of the palette. ``key`` is written for people; empty for none."""

    title: str
    description: str
    key: str
    run: IgnoreReturnCallbackType


class Commands(Provider):
    """Finds commands by the words of their titles and descriptions."""

    async def discover(self) -> Hits:
        for command in commands(self.app, self.screen):
            yield DiscoveryHit(
                _display(command.key, Content(safe(command.title))),
                command.run,
                command.title,
                command.description,
            )

    async def search(self, query: str) -> Hits:
        matcher, words = self.matcher(query), query.casefold().split()
        for command in commands(self.app, self.screen):
            score = matcher.match(command.title)
            in_description = all(word in command.description.casefold() for word in words)
            if score or in_description:
                title = matcher.highlight(command.title)
                yield Hit(
                    score or LOW_SCORE,  # a title says best what a command is
                    _display(command.key, title),
                    command.run,
                    command.title,
                    command.description,
                )


def _display(key: str, title: Content) -> Content:
    return Content.assemble(Content.styled(f"{key:<{KEY_WIDTH}}", "bold $accent"), title)


def commands(app: App[Any], screen: Screen[Any]) -> Iterator[Command]:
    """The commands of ``screen``, which is the one in front."""
    if isinstance(screen, Laboratory):
        yield from _laboratory_commands(app, screen)
    else:
        yield from _screen_commands(app, screen)
    yield Command("Theme", "Choose a theme", "", app.action_change_theme)


def _laboratory_commands(app: App[Any], laboratory: Laboratory) -> Iterator[Command]:
    for action in ACTIONS:
        target = _target(action, laboratory)
        if action.name == "command_palette" or not _applies(action, target, laboratory):
            continue
        title = action.label[:1].upper() + action.label[1:]
        if action.where in PANES:
            title = f"{action.where.capitalize()}: {action.label}"
        run = partial(_do, action, target, laboratory)
        yield Command(title, action.help, key_of(app, action.id), run)


def _target(action: Action, laboratory: Laboratory) -> DOMNode:
    """The node that ``action`` is bound at."""
    if action.where == "personas":
        return laboratory.personas_pane
    if action.where in PANES:
        return laboratory.panes.widget_of(action.where)
    return laboratory.app if action.where == "app" else laboratory


def _applies(action: Action, target: DOMNode, laboratory: Laboratory) -> bool:
    namespace, _, name = action.name.rpartition(".")
    node = laboratory if namespace == "screen" else target
    return node.check_action(name, ()) is True


def _do(action: Action, target: DOMNode, laboratory: Laboratory) -> None:
    """Do ``action`` in the pane that it belongs to."""
    if action.where in PANES:
        laboratory.panes.go_to(action.where)
    laboratory.call_later(laboratory.app.run_action, action.name, target)


def _screen_commands(app: App[Any], screen: Screen[Any]) -> Iterator[Command]:
    helps = {action.id: action.help for action in ACTIONS}
    listed = set()
    for active in screen.active_bindings.values():
        node, binding = active.node, active.binding
        is_offered = active.enabled and binding.show and binding.action != "command_palette"
        if is_offered and (node, binding.action) not in listed:
            listed.add((node, binding.action))
            title = binding.description[:1].upper() + binding.description[1:]
            run = partial(app.call_later, app.run_action, binding.action, node)
            yield Command(title, helps.get(binding.id or "", ""), app.get_key_display(binding), run)
