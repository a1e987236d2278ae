"""CSV: one row per message, silences included, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...discussion import DiscussionRecord, DiscussionSetup, Message, Persona, name_key
from ...discussion.past_requests import setups_in_force

COLUMNS = (
    "discussion",
    "title",
    "position",
    "turn",
    "role",
    "name",
    "text",
    "model",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "seconds",
    "seed",
    "created_at",
    "raw_text",
    "original_text",
    "run_seed",
    "moderator",
    "turn_manager",
    "p_respond",
    "conv_len",
    "history_context_len",
    "prompt_style",
    "max_out_tokens",
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "quantization",
    "dtype",
)
PERSONA = "persona_"
"""Before the names of the columns that hold the speaker's own fields."""
_PERSONA_FIELDS = tuple(field for field in Persona.model_fields if field != "username")
_LIST_SEPARATOR = "; "
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


def as_csv(records: Sequence[DiscussionRecord]) -> str:
    """Header and rows as RFC 4180 has them (quoted where need be, lines ended by CR LF).

    ``position`` counts messages and silences from 1; what is not known is empty, and so are turn
    and model of what no model said. ``text`` is the message as it is after any edit,
    ``original_text`` what it was before. The setup's columns are those under which the message
    was made, and ``persona_…`` are the speaker's fields. Foreign text that a spreadsheet would
    calculate gets an apostrophe in front: ``=1+1`` becomes ``'=1+1``.
    """
    fields = (*_PERSONA_FIELDS, *_further_fields(records))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, *(_cell(f"{PERSONA}{field}") for field in fields)])
    for record in records:
        for position, entry in enumerate(record.entries, start=1):
            setup, *later_setups = setups_in_force(record, position - 1)
            speaker = _speaker(entry, setup, *later_setups)
            values = _message(record, position, entry)
            values += _conditions(record, setup, entry)
            values += [_plain(speaker.get(field)) for field in fields]
            writer.writerow([_cell(value) for value in values])
    return text.getvalue()


def _further_fields(records: Sequence[DiscussionRecord]) -> list[str]:
    """The fields of personas beyond SynDisco's, in order of appearance."""
    fields: dict[str, None] = {}
    for record in records:
        for setup in (*(earlier.setup for earlier in record.earlier_setups), record.setup):
            for persona in setup.everybody:
                fields |= dict.fromkeys(persona.model_extra or {})
    return list(fields)


def _speaker(entry: Message, *setups: DiscussionSetup) -> Mapping[str, Any]:
    """The speaker's non-empty fields, from the first setup that has that persona."""
    key = name_key(entry.name)
    people = (persona for setup in setups for persona in setup.everybody)
    persona = next((each for each in people if name_key(each.name) == key), None)
    return persona.attributes() if persona else {}


def _message(record: DiscussionRecord, position: int, entry: Message) -> list[Any]:
    return [
        record.id,
        record.heading,
        position,
        entry.turn or None,
        entry.role,
        entry.name,
        entry.text,
        None if entry.role == "human" else entry.model,
        entry.finish_reason,
        entry.prompt_tokens or None,
        entry.completion_tokens if entry.prompt_tokens else None,
        round(entry.seconds, 3) if entry.prompt_tokens else None,
        entry.seed,
        entry.created_at,
        entry.raw_text,
        entry.original_text,
        None if record.is_foreign else record.setup.seed,
    ]


def _conditions(record: DiscussionRecord, setup: DiscussionSetup, entry: Message) -> list[Any]:
    """The setup of the message, as far as it is known."""
    limits = entry.shortened or setup
    history = limits.history_context_len
    moderator = setup.moderator.name if setup.moderator else None
    history_cell = "all" if history is None else history
    if record.is_foreign:
        return [moderator, None, None, None, history_cell, *[None] * 8]
    return [
        moderator,
        setup.turn_manager,
        setup.p_respond if setup.turn_manager == "RandomWeighted" else None,
        setup.conv_len,
        history_cell,
        setup.prompt_style,
        limits.max_out_tokens,
        setup.temperature,
        setup.top_p,
        setup.top_k,
        setup.repetition_penalty,
        setup.quantization,
        setup.dtype,
    ]


def _plain(value: object) -> object:
    """A persona's field as one cell."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return _LIST_SEPARATOR.join(value)
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value, ensure_ascii=False)
    return value


def _cell(value: object) -> object:
    """``value``, with an apostrophe before text that a spreadsheet would calculate."""
    if isinstance(value, str) and value.lstrip(" \N{NO-BREAK SPACE}").startswith(_FORMULA):
        return f"'{value}"
    return value
