"""Which key does what: the actions' own keys, a shipped set over them, the user's on top.

Faulty entries are named, all of them, and the others still hold.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from textual.app import App
from textual.binding import Binding
from textual.keys import Keys, format_key

from ...workspace.inputs import near_one, read_toml
from .actions import ACTIONS, ACTIONS_BY_ID, PANES, Action

STANDARD = "standard"
KEYMAPS = Path(__file__).parent / "keymaps"
"""The shipped keymaps, one TOML file each."""

_REFUSED = {
    "ctrl+h": "a terminal sends the same for ctrl+h and backspace",
    "ctrl+i": "a terminal sends the same for ctrl+i and tab",
    "ctrl+m": "a terminal sends the same for ctrl+m and enter",
    "ctrl+left_square_bracket": "a terminal sends the same for ctrl+[ and escape",
    "ctrl+c": "ctrl+c copies",
    "ctrl+z": "ctrl+z suspends the app",
}
_ARROWS = {"shift+tab": "⇧tab"}


@dataclass(frozen=True)
class Keymap:
    """The keys in force."""

    changed: Mapping[str, str] = field(default_factory=dict)
    """Keys, separated by commas, of the actions that do not have their own; by their ids."""
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    """Key → the key that it stands for wherever nothing else is on it."""

    def keys(self, action: Action) -> tuple[str, ...]:
        """The action's keys, by Textual's names, the one that is shown first."""
        return tuple(map(_named, self.changed.get(action.id, action.key).split(",")))

    def key_of(self, identity: str) -> str:
        """The first key of the action with this id, as it is written for people."""
        return self.shown(ACTIONS_BY_ID[identity])

    def shown(self, action: Action) -> str:
        """The action's first key as it is written for people."""
        if action.shown_key and action.id not in self.changed:
            return action.shown_key
        return shown_key(self.keys(action)[0])


@runtime_checkable
class HasKeymap(Protocol):
    """An app whose keys can be changed."""

    keymap: Keymap


def key_of(app: App[Any], identity: str) -> str:
    """The key of the action with this id in ``app``, as it is written for people."""
    return keymap_of(app).key_of(identity)


def keymap_of(app: App[Any]) -> Keymap:
    """The keys in force in ``app``."""
    return app.keymap if isinstance(app, HasKeymap) else Keymap()


def shown_key(key: str) -> str:
    """A key as it is written for people: ``?``, ``⏎``, ``ctrl+n``."""
    *modifiers, last = key.split("+")
    return _ARROWS.get(key) or "+".join([*modifiers, format_key(last)])


def read_keymap(
    name: str = STANDARD, own: Mapping[str, Any] | None = None
) -> tuple[Keymap, list[str]]:
    """The shipped set ``name`` with the user's ``own`` entries on top of it.

    Returns it with a sentence for each entry of ``own`` that cannot be used.
    """
    file = KEYMAPS / f"{name}.toml"
    shipped = {} if name == STANDARD else read_toml(file)
    base = dict(shipped.get("keys", {}))
    wanted, faults = _usable(own or {})
    while clash := _first_clash({**base, **wanted}, wanted):
        identity, other, key = clash
        del wanted[identity]
        faults.append(
            f"{identity}: “{shown_key(key)}” is on {other} already; choose another key, or give "
            f"{other} another one too"
        )
    stand_ins = {_named(key): _named(to) for key, to in shipped.get("stands_for", {}).items()}
    return Keymap({**base, **wanted}, stand_ins), faults


def _usable(own: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The entries that can be understood, and what is wrong with the others."""
    known = list(ACTIONS_BY_ID)
    usable: dict[str, str] = {}
    faults = []
    for identity, keys in own.items():
        if identity not in known:
            faults.append(f"there is no action “{identity}”{near_one(identity, known)}")
        elif not isinstance(keys, str) or not keys.strip():
            faults.append(f"{identity}: must be the name of a key, such as “end” or “end,G”")
        else:
            tidied = [_tidied(key) for key in keys.split(",")]
            wrong = [sentence for key in tidied if (sentence := _why_not(key))]
            faults += [f"{identity}: {sentence}" for sentence in wrong]
            if not wrong:
                usable[identity] = ",".join(map(_named, tidied))
    return usable, faults


def _tidied(key: str) -> str:
    """``key`` with names and modifiers in small letters; a letter alone keeps its case."""
    key = key.strip()
    if len(key) <= 1:
        return key
    *modifiers, last = key.split("+")
    return "+".join([*(part.strip().lower() for part in modifiers), last.strip().lower()])


def _why_not(key: str) -> str | None:
    """Why nothing can be put on ``key``, in a sentence; None if something can."""
    if not key:
        return "there is a comma too many (the comma itself is called “comma”)"
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    if key in _REFUSED:
        return f"{_REFUSED[key]}; choose another key"
    if "shift" in modifiers and len(last) == 1:
        if modifiers == ["shift"] and last.isalpha():
            return f"write “{key}” as “{last.upper()}”"
        return f"most terminals cannot tell “{key}” from the key without shift; choose another key"
    if modifiers and modifiers[0] == "alt":
        key = key.removeprefix("alt+")
    if len(key) == 1 and key.isprintable():
        return None
    names = _key_names()
    return None if key in names else f"there is no key “{key}”{near_one(key, names)}"


def _key_names() -> list[str]:
    """All that a key with a name can be called."""
    names = [key.value for key in Keys if not key.value.startswith("<") and len(key.value) > 1]
    names = [name for name in names if name not in _REFUSED and "ctrl+shift" not in name]
    return [*names, "comma", *(_named(sign) for sign in string.punctuation if sign != ",")]


def _named(key: str) -> str:
    """Textual's name of a key: ``question_mark`` for ``?``."""
    return next(iter(Binding.make_bindings([Binding(key, "")]))).key


def _first_clash(
    changed: Mapping[str, str], wanted: Mapping[str, str]
) -> tuple[str, str, str] | None:
    """An entry of ``wanted`` that is in another action's way: its id, the other's, the key.

    Of two that are both wanted it is the later one.
    """
    for identity in reversed(list(wanted)):
        for other, key in clashes(Keymap(changed), identity):
            return identity, other, key
    return None


def clashes(keymap: Keymap, identity: str) -> Iterator[tuple[str, str]]:
    """The other actions, and the keys, that the action ``identity`` shares where both apply."""
    mine = ACTIONS_BY_ID[identity]
    for action in ACTIONS:
        if action.id != identity and _meet(mine.where, action.where):
            for key in keymap.keys(action):
                if key in keymap.keys(mine):
                    yield action.id, key


def _meet(one: str, other: str) -> bool:
    """Whether the keys of two places can be pressed at the same spot."""
    if one == other or "app" in (one, other):
        return True
    return "everywhere" in (one, other) and (one in PANES or other in PANES)
