"""The setup that a command starts with: from a file, changed by options, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..discussion import DiscussionSetup, name_key
from ..discussion.name_checks import models_errors
from ..discussion.participant_models import ParticipantModel
from ..store.distinct_names import with_distinct_names
from ..store.inputs import InputError, describe, validated
from ..store.personas import read_personas
from ..store.setups import check_names, read_values
from ..text import one_line
from .folders import DEMONSTRATION

MODEL_FOR = "--model-for"
MODEL_FOR_FORMS = "NAME=MODEL, NAME=MODEL@SERVER or NAME=@SERVER"


@dataclass(frozen=True)
class ModelOptions:
    """The models given on the command line, for everybody or for single participants.

    ``model`` and ``server`` are None if they were not given. ``model_for`` has texts such as
    ``NAME=MODEL@SERVER``; an empty server means a local model.
    """

    model: str | None = None
    server: str | None = None
    model_for: tuple[str, ...] = ()

    @property
    def trusted(self) -> tuple[str, ...]:
        """The servers that may get a key, and the models whose code may run.

        Raises InputError.
        """
        entries = [
            each for entry in self.models.values() for each in (*(entry.server or ()), entry.model)
        ]
        return tuple(filter(None, (self.server, self.model, *entries)))

    @property
    def fields(self) -> dict[str, tuple[str, object]]:
        """Fields and values of a setup that are given for everybody, by option."""
        fields = {"--model": ("model", self.model), "--server": ("server", self.server)}
        return {option: field for option, field in fields.items() if field[1] is not None}

    @property
    def models(self) -> dict[str, ParticipantModel]:
        """The models of single participants. Raises InputError."""
        return dict(map(_participant_model, self.model_for))

    def changed(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with these models, for those participants that it has. Raises InputError."""
        values: dict[str, Any] = dict(setup)
        by_field = dict(self.fields.values())
        values |= by_field | {"models": with_models(values["models"], self.models)}
        return _checked(values, self.fields, "command line")

    def check_names(self, setup: DiscussionSetup) -> None:
        """Raise InputError if a model is given to somebody who does not take part in ``setup``."""
        check_models_for(self.models, setup.names)


def with_models(
    models: Mapping[str, Any], changes: Mapping[str, ParticipantModel]
) -> dict[str, Any]:
    """The table ``models`` of a setup, with other models and servers for the names in ``changes``.

    A model without a server keeps its server; a server without a model means the model that it
    serves.
    """
    changed = dict(models)
    for name, change in changes.items():
        key = next((each for each in models if name_key(each) == name_key(name)), name)
        entry = ParticipantModel.model_validate(changed.get(key, {}))
        update = change.values if change.model else {"server": change.server, "model": None}
        changed[key] = entry.model_copy(update=update)
    return changed


def check_models_for(models: Mapping[str, ParticipantModel], names: Iterable[str]) -> None:
    """Raise InputError if an option gives a model to somebody who is not in ``names``."""
    if errors := models_errors(models, tuple(names)):
        raise InputError(one_line(f"{MODEL_FOR}: {errors[0]}", 300))


def _participant_model(text: str) -> tuple[str, ParticipantModel]:
    name, equals, rest = text.partition("=")
    model, separator, server = rest.rpartition("@") if "@" in rest else (rest, "", "")
    if not (name.strip() and equals and (model or server)):
        raise InputError(f"{MODEL_FOR}: must be {MODEL_FOR_FORMS}, not {one_line(text, 60)!r}")
    values = {"model": model or None, "server": server if separator else None}
    return name.strip(), validated(ParticipantModel, values, f"{MODEL_FOR} {one_line(name, 40)}")


def given_setup(
    *,
    file: Path | None,
    persona_file: Path | None,
    fields: Mapping[str, tuple[str, object]],
    models: ModelOptions,
    defaults: Mapping[str, object],
    last: DiscussionSetup | None = None,
    notify: Callable[[str], object],
) -> DiscussionSetup:
    """The setup of ``file``, or ``last``, or the demonstration's, changed by the other arguments.

    Args:
        file: A setup file.
        persona_file: Personas that take part instead of the setup's.
        fields: Further fields of a setup: the field and its value, by option.
        models: The models given by options.
        defaults: Fields of a setup that replace “auto”.
        last: The app's last setup.
        notify: Called with a sentence for each change that was necessary.

    Raises:
        InputError: The setup is invalid; the message names the file or option.
    """
    path = file or DEMONSTRATION
    values: dict[str, Any] = dict(last) if last else read_values(path, notify=notify)
    for field, default in defaults.items():
        if values.get(field, "auto") == "auto":
            values[field] = default
    if persona_file is not None:
        distinct = with_distinct_names(read_personas(persona_file))
        if not distinct.personas:
            raise InputError(f"{persona_file}: holds no personas")
        if distinct.renames:
            notify(f"{persona_file}: {distinct.summary}")
        values["personas"] = distinct.personas
        if file is None:  # the demonstration's own voices would be strangers among them
            values |= {"moderator": None, "seed_opinions": [], "seed_opinion_usernames": []}
    options = {**fields, **models.fields}
    values |= dict(options.values())
    named = models.models
    if named:
        table = values.get("models", {})
        values["models"] = with_models(table, named) if isinstance(table, dict) else table
    setup = _checked(values, options, persona_file or path, path)
    check_models_for(named, setup.names)
    check_names(setup, persona_file or path)
    return setup


def _checked(
    values: Mapping[str, Any],
    options: Mapping[str, tuple[str, object]],
    whole: object,
    where: object = None,
) -> DiscussionSetup:
    """Validate a setup. An error names the option that gave the field, or ``where``.

    An error in the setup as a whole names ``whole``.
    """
    try:
        return DiscussionSetup.model_validate(values)
    except ValidationError as error:
        sentence = describe(error, DiscussionSetup)
        field = next(iter(error.errors(include_url=False)[0]["loc"]), None)
        for option, (name, _) in options.items():
            if name == field:
                raise InputError(f"{option}: {sentence.removeprefix(f'{name}: ')}") from None
        raise InputError(f"{(where or whole) if field else whole}: {sentence}") from None
