"""Setup files: a discussion's setup as TOML, in SynDisco's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from ..discussion import DiscussionSetup, Persona, name_key, near_name
from ..discussion.name_checks import models_errors, own_instructions_errors
from ..discussion.participant_models import AUTO, PYTHON
from ..text import one_line
from .atomic import write_atomic
from .distinct_names import with_distinct_names
from .inputs import InputError, read_toml, unknown_key, validated
from .personas import read_personas

ALL_MESSAGES = "all"  # TOML has no null: how a setup file says "no limit" for the history


def read_setup(
    path: Path, *, notify: Callable[[str], object] = lambda notice: None
) -> DiscussionSetup:
    """The setup in a TOML file.

    ``persona_file`` in it names a list or table of personas, relative to it, all of whom take
    part; ``notify`` gets a sentence where some of them have to be renamed.
    ``moderator`` may be the username of somebody listed, who moderates instead.

    Raises InputError that names file and key, and the near key for an unknown one.
    """
    setup = validated(DiscussionSetup, read_values(path, notify=notify), path)
    if setup.personas:  # without any, they come from elsewhere and are looked at then
        check_names(setup, path)
    return setup


def read_values(
    path: Path, *, notify: Callable[[str], object] = lambda notice: None
) -> dict[str, Any]:
    """The fields in a setup file. Personas are read and checked, other fields are not.

    Raises InputError.
    """
    values = read_toml(path, expected="a setup (TOML)")
    known = [*DiscussionSetup.model_fields, "persona_file"]
    for key in values:
        if key not in known:
            raise InputError(f"{path}: {unknown_key(key, known)}")
    refuse_code(values, path)
    if (file := values.pop("persona_file", None)) is not None:
        if "personas" in values:
            raise InputError(f"{path}: give either persona_file or [[personas]], not both")
        if not isinstance(file, str):
            raise InputError(f"{path}: persona_file: must be the path of a file")
        distinct = with_distinct_names(read_personas(path.parent / file))
        values["personas"] = list(distinct.personas)
        if distinct.renames:
            notify(f"{path.parent / file}: {distinct.summary}")
    if values.get("history_context_len") == ALL_MESSAGES:
        values["history_context_len"] = None
    if isinstance(listed := values.get("personas"), list):
        values["personas"] = [_persona(each, n, path) for n, each in enumerate(listed, start=1)]
        _refuse_one_name_twice(values["personas"], path)
    if isinstance(name := values.get("moderator"), str):
        values["moderator"], values["personas"] = _set_apart(values.get("personas"), name, path)
    return values


def refuse_code(values: Mapping[str, Any], path: Path) -> None:
    """Raise InputError if a setup names a Python class as a model, since it would be run."""
    models = values.get("models")
    entries = models.values() if isinstance(models, dict) else ()
    for value in (values, *entries):
        model = value.get("model") if isinstance(value, dict) else value
        if isinstance(model, str) and model.startswith(PYTHON):
            raise InputError(
                f"{path}: model: a file may not name “{one_line(model, 80)}”, since it would run "
                "code; give it with --model or in settings"
            )


def check_names(setup: DiscussionSetup, where: object) -> None:
    """Raise InputError where ``setup`` names a participant whom it does not have."""
    of_models = (f"models: {each}" for each in models_errors(setup.models, setup.names))
    if errors := (*own_instructions_errors(setup), *of_models):
        raise InputError(f"{where}: {one_line(errors[0], 300)}")


def setup_to_toml(setup: DiscussionSetup) -> str:
    """The setup as the text of such a file; fields that say nothing are left out."""
    left_out = {"personas", "moderator", "own_instructions", "models", *setup.unused_fields}
    values = setup.model_dump(mode="json", exclude=left_out)
    if setup.model.startswith(PYTHON):
        values["model"] = AUTO  # a file may not name it: with the same --model it is that one
    users = {name_key(persona.name) for persona in setup.personas}
    own = {name: own for name, own in setup.own_instructions.items() if name_key(name) in users}
    if own:
        values["own_instructions"] = own
    everybody = {name_key(name) for name in setup.names}
    if models := {
        name: stated
        for name, each in setup.models.items()
        if name_key(name) in everybody and (stated := _without_code(each.stated))
    }:
        values["models"] = models
    if values["history_context_len"] is None:
        values["history_context_len"] = ALL_MESSAGES
    if setup.moderator:
        values["moderator"] = _stated(setup.moderator)
    values["personas"] = [_stated(persona) for persona in setup.personas]
    has_crlf = "\\r\\n" in repr(values)  # on lines of their own it would become LF
    return tomli_w.dumps(values, multiline_strings=not has_crlf)


def _without_code(stated: dict[str, Any]) -> dict[str, Any]:
    model = stated.get("model") or ""
    return {
        key: value
        for key, value in stated.items()
        if key != "model" or not model.startswith(PYTHON)
    }


def write_setup(path: Path, setup: DiscussionSetup, *, comment: str = "") -> None:
    """Save the setup as a TOML file, with ``comment`` as its first line. Raises OSError."""
    text = f"# {comment}\n\n{setup_to_toml(setup)}" if comment else setup_to_toml(setup)
    write_atomic(path, text.encode("utf-8", errors="replace"))


def _persona(value: object, number: int, path: Path) -> Any:
    """A listed persona, if it is a table of fields; the setup's check refuses others."""
    return (
        validated(Persona, value, f"{path}: personas, entry {number}")
        if isinstance(value, dict)
        else value
    )


def _set_apart(personas: object, name: str, path: Path) -> tuple[Persona, list[Any]]:
    """The persona called ``name``, and the others."""
    listed = personas if isinstance(personas, list) else []
    people = [each for each in listed if isinstance(each, Persona)]
    for person in people:
        if name_key(person.name) == name_key(name):
            return person, [other for other in listed if other is not person]
    near = near_name(name, (each.name for each in people))
    question = f"; did you mean “{one_line(near, 40)}”?" if near else ""
    raise InputError(
        f"{path}: moderator: none of the personas is called “{one_line(name, 40)}”{question}"
    )


def _refuse_one_name_twice(personas: list[Any], path: Path) -> None:
    """A setup may refer to its personas by name: which one is meant is its author's to say."""
    seen: dict[str, tuple[int, str]] = {}
    for number, persona in enumerate(personas, start=1):
        if not isinstance(persona, Persona):
            continue
        name = one_line(persona.name, 40)
        first, first_name = seen.setdefault(name_key(persona.name), (number, name))
        if first != number:
            raise InputError(
                f"{path}: personas, entries {first} and {number}: the usernames “{first_name}” and "
                f"“{name}” are the same; give each its own"
            )


def _stated(persona: Persona) -> dict[str, Any]:
    # An empty field says nothing that its absence does not.
    return {
        field: _without_null(value)
        for field, value in persona.as_dict().items()
        if value not in (None, "", [])
    }


def _without_null(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, dict):
        return {key: _without_null(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_null(part) for part in value if part is not None]
    return value
