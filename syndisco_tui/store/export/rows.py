"""CSV: a row a message, silences included, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from ...discussion import DiscussionRecord, Message

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
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


def as_csv(records: Sequence[DiscussionRecord]) -> str:
    """Header and rows as RFC 4180 has them (quoted where need be, lines ended by CR LF).

    ``position`` counts messages and silences from 1; what is not known is empty, and so are turn
    and model of what no model said. ``text`` is what stands there now: ``original_text`` stood
    there before somebody edited it. Foreign text that a spreadsheet would
    calculate gets an apostrophe in front: ``=1+1`` becomes ``'=1+1``.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for record in records:
        for position, entry in enumerate(record.entries, start=1):
            writer.writerow([_cell(value) for value in _row(record, position, entry)])
    return text.getvalue()


def _row(record: DiscussionRecord, position: int, entry: Message) -> list[Any]:
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


def _cell(value: object) -> object:
    """``value``, or the same as text that no spreadsheet calculates."""
    if isinstance(value, str) and value.lstrip(" \N{NO-BREAK SPACE}").startswith(_FORMULA):
        return f"'{value}"
    return value
