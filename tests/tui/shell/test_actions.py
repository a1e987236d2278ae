"""Textual finds an action's method by its name: every name in a binding is one of a method."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from syndisco_tui import tui
from syndisco_tui.tui.laboratory.screen import Laboratory
from syndisco_tui.tui.personas.pane import PersonasPane
from syndisco_tui.tui.setup.pane import SetupPane
from syndisco_tui.tui.shell.actions import ACTIONS, Action, Where
from syndisco_tui.tui.shell.app import SyndiscoApp
from syndisco_tui.tui.transcript.transcript import Transcript

PLACES: dict[Where, type[DOMNode]] = {
    "app": SyndiscoApp,
    "everywhere": Laboratory,
    "personas": PersonasPane,
    "setup": SetupPane,
    "transcript": Transcript,
}


def method(kind: type[DOMNode], name: str) -> object:
    return getattr(kind, f"action_{name}", None) or getattr(kind, f"_action_{name}", None)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_is_a_method_of_its_place(action: Action) -> None:
    namespace, _, name = action.name.rpartition(".")
    assert namespace in ("", "screen")
    assert callable(method(Laboratory if namespace else PLACES[action.where], name))


def nodes() -> Iterator[type[DOMNode]]:
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name and issubclass(kind, DOMNode):
                yield kind


def test_every_binding_calls_a_method_with_arguments_that_it_takes() -> None:
    kinds = list(nodes())
    screens = [kind for kind in kinds if issubclass(kind, Screen)]
    wrong = []
    for kind in kinds:
        for binding in Binding.make_bindings(kind.__dict__.get("BINDINGS", ())):
            namespace, name, arguments = parse(binding.action)
            owners = {"": [kind], "screen": screens, "app": [SyndiscoApp]}[namespace]
            methods = [each for owner in owners if callable(each := method(owner, name))]
            if not methods:
                wrong.append(f"{kind.__name__}: {binding.action}")
            for each in methods:
                inspect.signature(each).bind(None, *arguments)
    assert not wrong
