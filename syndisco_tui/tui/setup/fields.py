"""The fields of a setup: what each is called, and how its text is read and written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, get_args

from pydantic import ValidationError

from ...discussion import DiscussionSetup, Persona, name_key
from ...discussion.names import near_name
from ...text import editable
from ...workspace.inputs import describe
from ..personas import fields as persona_fields
from ..personas.fields import FieldError

Kind = Literal[
    "text", "long", "whole", "number", "choice", "history", "opinions", "words", "phrases"
]
ALL = "all"
LAST_MESSAGES = f"(last messages, or “{ALL}”)"


@dataclass(frozen=True)
class SetupField:
    """A field of the setup; ``step`` is what an arrow key changes a number by."""

    key: str
    label: str
    kind: Kind
    group: str
    step: float = 0
    hint: str = ""
    owner: str = ""
    """Whose field it is, if it is a persona's."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of a field of the kind ``choice``."""
        annotation = DiscussionSetup.model_fields[self.key].annotation
        return ("no", "yes") if annotation is bool else get_args(annotation)


FIELDS = (
    SetupField("title", "Title", "text", "Discussion"),
    SetupField("context", "Context", "long", "Discussion"),
    SetupField("instructions", "Instructions", "long", "Discussion"),
    SetupField("moderator_instructions", "Mod. instructions", "long", "Discussion"),
    SetupField("seed_opinions", "Seed opinions", "opinions", "Discussion"),
    SetupField("turn_manager", "Turn manager", "choice", "Discussion"),
    SetupField("p_respond", "p_respond", "number", "Discussion", 0.05),
    SetupField("conv_len", "Turns", "whole", "Discussion", 1),
    SetupField(
        "history_context_len", "History", "history", "Discussion", 1, '(last messages, or "all")'
    ),
    SetupField("prompt_style", "Prompt style", "choice", "Discussion"),
    SetupField("seed", "Seed", "whole", "Discussion", 1),
    SetupField("model", "Model", "text", "Model"),
    SetupField("server", "Server", "words", "Model", 0, "(URL; none = this machine)"),
    SetupField("quantization", "Quantization", "choice", "Model"),
    SetupField("dtype", "Precision", "choice", "Model"),
    SetupField("max_out_tokens", "Reply tokens", "whole", "Model", 10, "(at most)"),
    SetupField("reasoning", "Reasoning", "choice", "Model"),
    SetupField("reasoning_effort", "Effort", "text", "Model", 0, "(low, medium, high)"),
    SetupField("max_reasoning_tokens", "Thought tokens", "whole", "Model", 100, "(beside reply)"),
    SetupField("temperature", "Temperature", "number", "Model", 0.1, "(0 = greedy)"),
    SetupField("top_p", "Top-p", "number", "Model", 0.05, "(1 = off)"),
    SetupField("top_k", "Top-k", "whole", "Model", 5, "(0 = off)"),
    SetupField("repetition_penalty", "Repetition", "number", "Model", 0.05, "(penalty; 1 = off)"),
    SetupField("guard", "Guard", "choice", "Replies"),
    SetupField("silence_words", "Silence words", "phrases", "Replies", 0, "(a, b, …)"),
    SetupField("tell_turns_left", "Tell turns left", "choice", "Ending"),
    SetupField("stop_when_silent_for", "Stop: silent", "whole", "Ending", 1, "(rounds; 0 = never)"),
    SetupField("stop_when_said", "Stop: said", "text", "Ending", 0, "(regular expression)"),
    SetupField(
        "max_discussion_tokens", "Stop: tokens", "whole", "Ending", 500, "(in all; 0 = never)"
    ),
)

LEAST_IN_COMMON = 12
"""The shortest common beginning that is left out, in characters."""


def as_text(field: SetupField, setup: DiscussionSetup) -> str:
    """The field's value as text to show and to edit."""
    if field.owner:
        return persona_fields.as_text(persona_fields.value_of(_owner(field, setup), field.key))
    value = getattr(setup, field.key)
    if field.kind == "opinions":
        texts = [text.replace("\n", "\n  ") for text in setup.seed_opinions]
        names = setup.seed_opinion_usernames
        if not names:
            return "\n".join(texts)
        return "\n".join(f"{name}: {text}" for name, text in zip(names, texts, strict=True))
    if field.kind == "words":
        return " ".join(value)
    if field.kind == "phrases":
        return ", ".join(value)
    if value is None:
        return ALL
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def with_text(field: SetupField, text: str, setup: DiscussionSetup) -> DiscussionSetup:
    """``setup`` with the field read from ``text``; unchanged if the text is unchanged.

    Raises FieldError.
    """
    if text == editable(as_text(field, setup)):
        return setup
    if field.owner:
        return _with_persona(field, text, setup)
    values: dict[str, Any] = {field.key: text}
    if field.kind in ("whole", "history"):
        values[field.key] = None if text.strip().casefold() == ALL else text.strip()
    elif field.kind in ("number", "text"):
        values[field.key] = text.strip()
    elif field.kind == "words":
        values[field.key] = text.split()
    elif field.kind == "phrases":
        values[field.key] = [part.strip() for part in text.split(",") if part.strip()]
    elif field.kind == "opinions":
        values = _opinions(text, setup)
    try:
        return DiscussionSetup.model_validate({**setup.model_dump(), **values})
    except ValidationError as error:
        sentence = describe(error, DiscussionSetup)
        raise FieldError(sentence.removeprefix(f"{field.key}: ").split(", not ")[0]) from None


def persona_rows(setup: DiscussionSetup) -> tuple[SetupField, ...]:
    """The fields of every persona in ``setup``, except their names."""
    return tuple(
        SetupField(key, persona_fields.label(key), "text", persona.name, owner=persona.name)
        for persona in setup.everybody
        for key in persona_fields.fields_of((persona,))
        if key != "username"
    )


def distinguishing_part(text: str, others: Iterable[str]) -> str:
    """``text`` from the word on where it differs from all ``others``, after an ellipsis.

    Long texts often begin alike; a narrow row shows the part that tells them apart.
    """
    shared = max((_shared_length(text, other) for other in others if other != text), default=0)
    if shared == len(text):  # the others continue
        return text
    if text[shared - 1 : shared + 1].isalnum():  # within a word
        shared = text.rfind(" ", 0, shared) + 1
    return f"… {text[shared:].lstrip(' .,;:!?')}" if shared >= LEAST_IN_COMMON else text


def _shared_length(text: str, other: str) -> int:
    """How many characters at the beginning are equal."""
    pairs = zip(text, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def similar_texts(field: SetupField, setup: DiscussionSetup) -> list[str]:
    """Texts a long field may begin like: its default, other rows', other personas'.

    Line breaks are blanks, as a row shows them.
    """
    if field.kind == "long":
        texts = [str(DiscussionSetup.model_fields[field.key].default)]
        texts += [as_text(other, setup) for other in FIELDS if other.kind == "long"]
    elif field.owner:
        values = (persona_fields.value_of(each, field.key) for each in setup.everybody)
        texts = list(map(persona_fields.as_text, values))
    else:
        texts = []
    return [" ".join(text.split()) for text in texts]


def _owner(field: SetupField, setup: DiscussionSetup) -> Persona:
    return setup.actor(field.owner).persona


def _with_persona(field: SetupField, text: str, setup: DiscussionSetup) -> DiscussionSetup:
    before = _owner(field, setup)
    persona = persona_fields.with_field(before, field.key, text)
    personas = tuple(persona if each is before else each for each in setup.personas)
    moderator = persona if setup.moderator is before else setup.moderator
    return setup.model_copy(update={"personas": personas, "moderator": moderator})


def stepped(field: SetupField, direction: int, setup: DiscussionSetup) -> DiscussionSetup | None:
    """``setup`` with the field's next or previous value; None where there is none."""
    if field.owner:
        return None
    value = getattr(setup, field.key)
    if field.kind == "choice":
        choices = field.choices
        index = choices.index(as_text(field, setup)) + direction
        return with_text(field, choices[index % len(choices)], setup)
    if not field.step or (value is None and direction > 0):
        return None
    text = f"{(value or 0) + direction * field.step:.10g}"
    if field.kind == "history" and value is None:
        text = "10"
    try:
        return with_text(field, text, setup)
    except FieldError:
        return None


def _opinions(text: str, setup: DiscussionSetup) -> dict[str, Any]:
    """Read seed opinions, one per line: each ``NAME: text``, or all without names.

    A line that begins with a space continues the opinion above. Where authors are given, one may
    be somebody who takes no part, unless the name is close to a participant's.
    """
    everybody = (*setup.seed_opinion_usernames, *setup.names)
    known = {name_key(name): name for name in everybody}
    names: list[str] = []
    opinions: list[str] = []
    nameless = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if opinions and line.startswith(" "):
            opinions[-1] += f"\n{line.strip()}"
            continue
        if not line.strip():
            continue
        name, colon, opinion = line.strip().partition(":")
        is_name = bool(colon and opinion.strip()) and len(name.split()) == 1
        if colon and name_key(name) in known and opinion.strip():
            names.append(known[name_key(name)])
            opinions.append(opinion.strip())
        elif is_name and (near := near_name(name, setup.names)):
            raise FieldError(f"line {number}: nobody is called “{name}”; did you mean “{near}”?")
        elif is_name and names:
            names.append(name)
            opinions.append(opinion.strip())
        else:
            opinions.append(line.strip())
            nameless = nameless or number
    if names and nameless:
        example = f"{setup.names[0]}: …" if setup.names else "NAME: …"
        raise FieldError(f"line {nameless}: begin it with a name, as in “{example}”")
    return {"seed_opinions": opinions, "seed_opinion_usernames": names}
