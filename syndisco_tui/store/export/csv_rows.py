"""CSV: one row per message, silences included, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from ...discussion import DiscussionRecord, Persona
from ...discussion.past_requests import setups_in_force
from ...discussion.persona import CHARACTER_CARD
from .table import CONDITION, factors_of, speaker_fields, table_rows

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
    "marks",
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
    "server",
)
PERSONA = "persona_"
"""Before the names of the columns that hold the speaker's own fields."""
_PERSONA_FIELDS = tuple(field for field in Persona.model_fields if field != "username")
_LIST_SEPARATOR = "; "
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


def as_csv(records: Sequence[DiscussionRecord]) -> str:
    """Header and rows as RFC 4180 has them (quoted where need be, lines ended by CR LF).

    The rows are those of ``table_rows``, in ``COLUMNS``: ``discussion`` is the discussion's id, and
    a history of all messages is ``all``. Discussions of an experiment add ``repeat`` and a column
    ``condition_…`` for each factor; ``persona_…`` are the speaker's fields. Unknown values are
    empty. Text that a spreadsheet would evaluate gets an apostrophe in front: ``=1+1`` becomes
    ``'=1+1``.
    """
    fields = (*_PERSONA_FIELDS, *_further_fields(records))
    conditions = [f"{CONDITION}{factor}" for factor in factors_of(records)]
    columns = [*COLUMNS, *(["repeat", *conditions] if conditions else [])]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([cell(name) for name in (*columns, *(f"{PERSONA}{each}" for each in fields))])
    rows = table_rows(records)
    for record in records:
        for index, entry in enumerate(record.entries):
            row = next(rows)
            row["discussion"] = row["discussion_id"]
            if row["history_context_len"] is None:
                row["history_context_len"] = "all"
            speaker = speaker_fields(entry, setups_in_force(record, index))
            values = [row[column] for column in columns]
            values += [_plain(speaker.get(field)) for field in fields]
            writer.writerow([cell(value) for value in values])
    return text.getvalue()


def _further_fields(records: Sequence[DiscussionRecord]) -> list[str]:
    """The fields of personas beyond SynDisco's, in order of appearance."""
    fields: dict[str, None] = {}
    for record in records:
        for setup in (*(earlier.setup for earlier in record.earlier_setups), record.setup):
            for persona in setup.everybody:
                fields |= dict.fromkeys(persona.model_extra or {})
    return [field for field in fields if field != CHARACTER_CARD]


def _plain(value: object) -> object:
    """A persona's field as one cell."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return _LIST_SEPARATOR.join(value)
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value, ensure_ascii=False)
    return value


def cell(value: object) -> object:
    """``value``, with an apostrophe before text that a spreadsheet would evaluate."""
    if isinstance(value, str) and value.lstrip(" \N{NO-BREAK SPACE}").startswith(_FORMULA):
        return f"'{value}"
    return value
